/** Runs the suite on Node, Deno or Bun and prints the results as JSON. */
import { readFile } from "node:fs/promises";
import { createVerifier } from "portcullis/edge";
import { runSuite } from "./suite.mjs";

const read = (name) => readFile(new URL(name, import.meta.url));
const { http, ...fixtures } = JSON.parse(await read("./fixtures.json"));
const image = new Uint8Array(await read("./policy.image"));
const httpImage = new Uint8Array(await read("./http.image"));
const all = { ...fixtures, image, http: { ...http, image: httpImage } };
console.log(JSON.stringify(await runSuite(createVerifier, all)));
