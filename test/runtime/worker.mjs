/** Runs the suite on workerd: GET / answers with the results. */
import { createVerifier } from "portcullis/edge";
import fixtures from "./fixtures.json";
import image from "./policy.image";
import { runSuite } from "./suite.mjs";

export default {
  async fetch() {
    const { secrets, cases } = fixtures;
    return Response.json(
      await runSuite(createVerifier, { image: new Uint8Array(image), secrets, cases }),
    );
  },
};
