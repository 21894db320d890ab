import { describe, expect, it } from "vitest";
import { HIDDEN, Secrets } from "../../../src/observe/secrets.ts";

const TOKEN = "header00.payload0.signature";

describe("secrets", () => {
  const secrets = new Secrets([TOKEN, undefined, "", new TextEncoder().encode("pässwörd")]);

  it.each([
    [TOKEN, true],
    [`x${TOKEN}`, true],
    ["signature", true],
    ["payload0", true],
    ["payload", false],
    ["pässwörd", true],
    ["passwörd", false],
    ["", false],
    ["something else", false],
  ])("cover %j: %s", (text, expected) => {
    expect(secrets.covers(text)).toBe(expected);
    expect(secrets.covers(new TextEncoder().encode(text))).toBe(expected);
  });

  it("are hidden in a line, unless they are too short to be told from other text", () => {
    expect(secrets.mask(`a ${TOKEN} b ${TOKEN}`)).toBe(`a ${HIDDEN} b ${HIDDEN}`);
    expect(new Secrets(["a"]).mask("a rule")).toBe("a rule");
    expect(new Secrets([]).mask("a rule")).toBe("a rule");
  });
});
