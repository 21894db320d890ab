import { describe, expect, it } from "vitest";
import { ENTRY_META, ENTRY_RULES, ENTRY_SOURCE_MAP } from "../../assembly/abi.ts";
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import { packImage, readEntry } from "../../src/compile/image.ts";
import { loadModuleSync } from "../../src/core/wasm-inline.gen.ts";
import { createEngine, type Engine } from "../../src/engine.ts";
import { CoreError } from "../../src/errors.ts";
import { imageOf, JWT, token } from "../support/engine.ts";

const encoder = new TextEncoder();
const original = imageOf({ text: JWT, acl: "{allow, all}.\n" });
const textOf = (kind: number) => new TextDecoder().decode(readEntry(original, kind, 0));
const module = loadModuleSync();

/** The image with other texts in it, sealed again: what a forger who knows the format can make. */
function load(
  meta: string,
  sourceMap: Uint8Array = readEntry(original, ENTRY_SOURCE_MAP, 0)!,
): Promise<Engine> {
  const image = packImage(
    [
      { kind: ENTRY_RULES, id: 0, blob: readEntry(original, ENTRY_RULES, 0)! },
      { kind: ENTRY_META, id: 0, blob: encoder.encode(meta) },
      { kind: ENTRY_SOURCE_MAP, id: 0, blob: sourceMap },
    ],
    new DataView(original.buffer).getUint32(16, true),
  );
  return createEngine({ image, crypto: createNodeCrypto(), module });
}

// biome-ignore lint/suspicious/noExplicitAny: damage goes anywhere
type Meta = any;

function changed(change: (meta: Meta) => void): string {
  const meta = JSON.parse(textOf(ENTRY_META));
  change(meta);
  return JSON.stringify(meta);
}

describe("the configuration of an image", () => {
  it("is taken as it was compiled", async () => {
    const engine = await load(textOf(ENTRY_META));
    expect(engine.config.authentication).toHaveLength(1);
  });

  it.each([
    ["not JSON", "{"],
    ["a number", "1"],
    ["null", "null"],
    ["a list", "[]"],
    ["deep", `${"[".repeat(100_000)}`],
    ["empty", "{}"],
    ["without programs", changed((meta) => delete meta.programs)],
    ["without switches", changed((meta) => delete meta.config.switches)],
    ["without one switch", changed((meta) => delete meta.config.switches.anonymous_refused)],
    [
      "with a switch that is no boolean",
      changed((meta) => (meta.config.switches.failure_denies = 1)),
    ],
    ["without a limit", changed((meta) => delete meta.config.passwordChecksWaitingMax)],
    ["without a chain", changed((meta) => delete meta.config.authentication)],
    ["with a chain of nothing", changed((meta) => (meta.config.authentication = [null]))],
    ["with a key that is none", changed((meta) => delete meta.config.authentication[0].keys)],
    ["without listeners", changed((meta) => delete meta.config.listeners)],
    ["with listeners of nothing", changed((meta) => (meta.config.listeners = [1]))],
    ["with another no_match", changed((meta) => (meta.config.authorization.noMatch = "maybe"))],
    ["without sources", changed((meta) => delete meta.config.authorization.sources)],
    [
      "with a source of another version",
      changed((meta) => (meta.config.authorization.sources[0].type = "http")),
    ],
    [
      "with a source that is neither on nor off",
      changed((meta) => delete meta.config.authorization.sources[0].enable),
    ],
    ["without mqtt", changed((meta) => delete meta.config.mqtt)],
    ["without attributes", changed((meta) => delete meta.config.mqtt.clientAttrsInit)],
    [
      "with an unknown mechanism",
      changed((meta) => (meta.config.authentication[0].mechanism = "x509")),
    ],
    [
      "with an expression that it lacks",
      changed((meta) => {
        meta.config.authentication[0].precondition = { value: "true" };
      }),
    ],
    [
      "with an inherited expression",
      changed((meta) => {
        meta.config.mqtt.clientAttrsInit = [{ expression: { value: "" }, setAsAttr: "a" }];
        meta.programs = { __proto__: { "mqtt.client_attrs_init[1].expression": 0 } };
      }),
    ],
  ])("%s is refused with a CoreError", async (_, meta) => {
    await expect(load(meta)).rejects.toBeInstanceOf(CoreError);
  });

  it("pollutes nothing", async () => {
    const meta = textOf(ENTRY_META).replace("{", '{"__proto__":{"polluted":1},');
    await load(meta).catch(() => {});
    expect({}).not.toHaveProperty("polluted");
  });
});

describe("the places of rules in an image", () => {
  it.each([
    ["missing", new Uint8Array(0)],
    ["the JSON of another version", encoder.encode('{"file":"acl.conf","rules":[[1,1,""]]}')],
    ["cut short", readEntry(original, ENTRY_SOURCE_MAP, 0)!.slice(0, -1)],
  ])("cost no decision when they are %s", async (_, sourceMap) => {
    const engine = await load(textOf(ENTRY_META), sourceMap);
    const decision = await engine.connect({ clientId: "c", password: token({}) });
    if (decision.verdict === "deny") throw new Error(decision.reason);
    const answer = decision.session.authorize({ type: "publish", qos: 0, retain: false }, "t");
    const rule = { number: 1, at: { file: "", line: 0, column: 0 }, text: "" };
    expect(answer).toMatchObject({ verdict: "allow", rule });
  });
});
