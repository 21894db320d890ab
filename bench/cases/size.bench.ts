/** What has to be carried around: the core, the edge bundle, a client record. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { compileTexts, startEngine } from "../data/policy.ts";
import type { BenchCase, CaseReport } from "../harness.ts";

const ROOT = new URL("../../../", import.meta.url);

export const cases: Readonly<Record<string, BenchCase>> = {
  "size: core.wasm": async (name) =>
    sizes(name, "the decision core", [
      ["raw", coreBytes().length, 100 * 1024],
      ["gzipped", gzipSync(coreBytes()).length, undefined],
    ]),
  "size: edge bundle": async (name) => {
    const { code } = await bundleEdge();
    return sizes(name, "portcullis/edge and the core, minified, without an image", [
      ["script, raw", code.length, undefined],
      ["script, gzipped", gzipSync(code).length, undefined],
      ["with the core, gzipped", gzipSync(code).length + gzipSync(coreBytes()).length, 120 * 1024],
    ]);
  },
  "size: client record": async (name) =>
    sizes(name, "username, client id and two attributes", [
      ["in the core", await recordBytes(), 512],
    ]),
};

function coreBytes(): Uint8Array {
  return readFileSync(new URL("dist/core.wasm", ROOT));
}

/** The bundle of a worker that has the core beside it, as workerd wants it. */
async function bundleEdge(): Promise<{ code: Uint8Array }> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL("dist/bindings/edge/index.js", ROOT))],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker"],
    external: ["*.wasm"],
    write: false,
    logLevel: "error",
  });
  return { code: result.outputFiles[0]!.contents };
}

async function recordBytes(): Promise<number> {
  const engine = await startEngine(compileTexts(CONFIG, ACL));
  const { exports } = engine.policy.memory;
  const before = exports.records_used();
  const answer = await engine.connect({
    clientId: "1001010-1000010",
    username: "unit-7@example.com",
    peerHost: "192.0.2.7",
  });
  if (answer.verdict !== "allow") throw new Error(answer.reason);
  return exports.records_used() - before;
}

const CONFIG = `
  portcullis.allow_anonymous = true
  mqtt.client_attrs_init = [
    { expression = "nth(2, tokens(username, '@'))", set_as_attr = tenant }
    { expression = "nth(1, tokens(clientid, '-'))", set_as_attr = group }
  ]
  authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`;

const ACL = `
{allow, {ipaddr, "192.0.2.0/24"}, all, ["$SYS/#"]}.
{allow, {user, {re, "^unit-"}}, publish, ["\${client_attrs.tenant}/\${clientid}/#"]}.
{allow, all, subscribe, ["\${client_attrs.group}/\${username}/#"]}.
{deny, all}.
`;

function sizes(
  name: string,
  about: string,
  rows: readonly (readonly [what: string, bytes: number, budget: number | undefined])[],
): CaseReport {
  const notes = rows.map(([what, bytes, budget]) => {
    const versus = budget === undefined ? "" : `; budget ${budget.toLocaleString("en-US")}`;
    return `${what}: ${bytes.toLocaleString("en-US")} bytes${versus}`;
  });
  return { case: name, about, rivals: [], ratios: {}, notes };
}
