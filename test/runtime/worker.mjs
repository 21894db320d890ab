/** Runs the suite on workerd: GET / answers with the results. */
import { createVerifier } from "portcullis/edge";
import fixtures from "./fixtures.json";
import httpImage from "./http.image";
import image from "./policy.image";
import { runSuite } from "./suite.mjs";

export default {
  async fetch() {
    const { http, ...rest } = fixtures;
    return Response.json(
      await runSuite(createVerifier, {
        ...rest,
        image: new Uint8Array(image),
        http: { ...http, image: new Uint8Array(httpImage) },
      }),
    );
  },
};
