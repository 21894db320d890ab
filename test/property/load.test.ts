import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError, type Issue } from "../../src/errors.ts";
import { runs } from "../support/runs.ts";

const STORY = readFileSync(new URL("../fixtures/spoofing.conf", import.meta.url), "utf8");
const SCOPES = readFileSync(new URL("../fixtures/scopes.conf", import.meta.url), "utf8");

const SECRET = "hunter2marker";
const CONFIG = `${STORY.replace("jwtpassfortest1", SECRET)}
${SCOPES.replace('include required("spoofing.conf")', "")}
listeners.tcp.default { bind = "127.0.0.1:1883", acceptors = 16 }
portcullis { compatibility = strict, switches { json_claims = false } }
authentication.2.use_jwks = false
`;

/** The issues of a text, whether it loads or not. Anything but ConfigError goes through. */
function issuesOf(text: string, env: Record<string, string> = {}): readonly Issue[] {
  const readFile = (path: string) => (path.includes("acl") ? "{deny, all}." : undefined);
  try {
    return loadConfig({ text, file: "p.conf", readInclude: readFile, readFile, env }).issues;
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
}

interface Edit {
  readonly at: number;
  readonly drop: number;
  readonly insert: string;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(CONFIG.length),
  drop: fc.nat(3),
  insert: fc.oneof(
    fc.constant(""),
    fc.constantFrom(
      ..."{}[],=:\n \"\\$#/'.+1aé(",
      '"""',
      "null",
      "${",
      "include ",
      "5m",
      "-",
      "==",
    ),
  ),
});

function apply(text: string, edits: readonly Edit[]): string {
  let out = text;
  for (const { at, drop, insert } of edits) {
    const start = Math.min(at, out.length);
    out = out.slice(0, start) + insert + out.slice(start + drop);
  }
  return out;
}

describe("loading a configuration", () => {
  test("the unchanged text loads", () => {
    expect(issuesOf(CONFIG).filter((issue) => issue.severity === "error")).toEqual([]);
  });

  test("never throws anything but ConfigError, and every error has a place", () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        for (const issue of issuesOf(apply(CONFIG, edits))) {
          if (issue.severity === "error") expect(issue.at).toBeDefined();
          expect(issue.message).not.toMatch(/undefined|\[object|NaN/);
        }
      }),
      runs(250),
    );
  });

  test("a slip beside a secret does not print the secret", () => {
    const keyStart = CONFIG.indexOf("secret = ");
    const keyEnd = keyStart + "secret".length;
    const slip = edit.filter(({ at, drop }) => at > keyEnd || at + drop < keyStart);
    fc.assert(
      fc.property(slip, (one) => {
        expect(JSON.stringify(issuesOf(apply(CONFIG, [one])))).not.toContain(SECRET);
      }),
      runs(250),
    );
  });

  test("any text in the environment is a value or a placed error", () => {
    const name = fc.constantFrom(
      "EMQX_AUTHENTICATION",
      "EMQX_AUTHENTICATION__1",
      "EMQX_AUTHENTICATION__2__VERIFY_CLAIMS__A",
      "EMQX_AUTHENTICATION__3__ENABLE",
      "EMQX_MQTT__CLIENT_ATTRS_INIT__1__EXPRESSION",
      "EMQX_LISTENERS__TCP__X",
      "EMQX_LISTENERS__TCP____PROTO____BIND",
      "EMQX_PORTCULLIS__SWITCHES__JSON_CLAIMS",
      "EMQX___PROTO____X",
      "EMQX_",
      "EMQX_MQTT__",
    );
    const value = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom("[1]", "{a=1}", "null", "true", "5", "${x}", "${?x}", "a b", '"""', ""),
    );
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 4 }), (env) => {
        for (const issue of issuesOf(CONFIG, env)) {
          if (issue.severity === "error") expect(issue.at).toBeDefined();
        }
      }),
      runs(150),
    );
  });
});
