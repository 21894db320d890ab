import { describe, expect, it } from "vitest";
import type { Authenticator, AuthnRequest, AuthnResult } from "../../../src/authn/authenticator.ts";
import { NO_DATA } from "../../../src/authn/authenticator.ts";
import type { ChainMember, ChainPolicy, ChainVerdict } from "../../../src/authn/chain.ts";
import { createChain } from "../../../src/authn/chain.ts";
import { resolveSwitches } from "../../../src/config/compatibility.ts";
import { CoreError, EngineError } from "../../../src/errors.ts";

const REQUEST: AuthnRequest = { client: { clientId: "c1" }, clientAttrs: {} };
const LEGACY: ChainPolicy = {
  switches: resolveSwitches("emqx"),
  securityProfile: "legacy",
  ignoreBackendFailures: false,
  allowAnonymous: false,
};
const HARDENED: ChainPolicy = { ...LEGACY, securityProfile: "hardened" };
const STRICT: ChainPolicy = { ...LEGACY, switches: resolveSwitches("strict") };

const ANSWERS: Readonly<Record<string, AuthnResult>> = {
  I: { type: "ignore", reason: "missing_token" },
  O: { type: "ok", data: NO_DATA },
  D86: { type: "deny", reason: "expired", code: 0x86 },
  D87: { type: "deny", reason: "check_denied", code: 0x87 },
  F: { type: "failure", reason: "bad_signature", message: "no key verifies the signature" },
  C: { type: "continue", data: Uint8Array.of(1) },
};

type Pace = "at once" | "later";

/** A chain written as the appendix does: `off D86, P✗ O, P! O, F`; `on:deny F` has on_failure. */
async function run(script: string, policy: ChainPolicy, pace: Pace): Promise<ChainVerdict> {
  const preconditions = new Map<Authenticator, boolean | "error">();
  const members = (script === "" ? [] : script.split(", ")).map((item, index): ChainMember => {
    const words = item.split(" ");
    const answer = ANSWERS[words.at(-1)!];
    const authenticator: Authenticator = {
      id: `a${index}`,
      authenticate: () => {
        if (pace === "later") return answer ? Promise.resolve(answer) : Promise.reject(new Error());
        if (answer === undefined) throw new EngineError("ERR_TEST", "not to be shown: s3cret");
        return answer;
      },
    };
    if (words.includes("P✗")) preconditions.set(authenticator, false);
    if (words.includes("P✓")) preconditions.set(authenticator, true);
    if (words.includes("P!")) preconditions.set(authenticator, "error");
    return {
      authenticator,
      enable: !words.includes("off"),
      hasPrecondition: preconditions.has(authenticator),
      onFailure: words.includes("on:deny")
        ? "deny"
        : words.includes("on:ignore")
          ? "ignore"
          : undefined,
    };
  });
  const checkPrecondition = (authenticator: Authenticator) => preconditions.get(authenticator)!;
  return createChain(members, { ...policy, checkPrecondition }).authenticate(REQUEST);
}

/** `accept by ID`, or the code and who refused. */
function outcome(verdict: ChainVerdict): string {
  if (verdict.verdict === "continue") return `continue by ${verdict.by}`;
  if (verdict.verdict === "allow") return `accept by ${verdict.by}`;
  return `0x${verdict.code.toString(16)} by ${verdict.by}`;
}

/** Appendix A of the specification, and our default beside it. X throws. */
const TABLE: readonly (readonly [string, string, string, string])[] = [
  // chain, legacy, hardened, strict
  ["", "accept by anonymous", "0x87 by chain", "0x87 by chain"],
  ["off O", "accept by anonymous", "0x87 by chain", "0x87 by chain"],
  ["off O, off D86", "accept by anonymous", "0x87 by chain", "0x87 by chain"],
  ["I", "0x87 by chain", "0x87 by chain", "0x87 by chain"],
  ["I, I", "0x87 by chain", "0x87 by chain", "0x87 by chain"],
  ["I, O", "accept by a1", "accept by a1", "accept by a1"],
  ["D86, O", "0x86 by a0", "0x86 by a0", "0x86 by a0"],
  ["D87, O", "0x87 by a0", "0x87 by a0", "0x87 by a0"],
  ["O, D86", "accept by a0", "accept by a0", "accept by a0"],
  ["F, O", "accept by a1", "0x87 by a0", "0x88 by a0"],
  ["F, D86", "0x86 by a1", "0x87 by a0", "0x88 by a0"],
  ["F", "0x87 by chain", "0x87 by a0", "0x88 by a0"],
  ["X, O", "accept by a1", "0x87 by a0", "0x88 by a0"],
  ["I, X, O", "accept by a2", "0x87 by a1", "0x88 by a1"],
  ["P✗ D86, O", "accept by a1", "accept by a1", "accept by a1"],
  ["P✓ D86, O", "0x86 by a0", "0x86 by a0", "0x86 by a0"],
  ["P! O, O", "accept by a1", "0x87 by a0", "0x88 by a0"],
  ["P✗ O", "0x87 by chain", "0x87 by chain", "0x87 by chain"],
  ["off D86, O", "accept by a1", "accept by a1", "accept by a1"],
  ["off F, P✗ F, O", "accept by a2", "accept by a2", "accept by a2"],
  ["on:ignore F, O", "accept by a1", "accept by a1", "accept by a1"],
  ["on:ignore X, D86", "0x86 by a1", "0x86 by a1", "0x86 by a1"],
  ["on:ignore F, F", "0x87 by chain", "0x87 by a1", "0x88 by a1"],
  ["on:ignore P! O, O", "accept by a1", "accept by a1", "accept by a1"],
  ["on:ignore F", "0x87 by chain", "0x87 by chain", "0x87 by chain"],
  ["on:deny F, O", "0x87 by a0", "0x87 by a0", "0x88 by a0"],
  ["on:deny X, O", "0x87 by a0", "0x87 by a0", "0x88 by a0"],
  ["on:deny P! O, O", "0x87 by a0", "0x87 by a0", "0x88 by a0"],
  ["on:deny I, O", "accept by a1", "accept by a1", "accept by a1"],
  ["on:ignore D86, O", "0x86 by a0", "0x86 by a0", "0x86 by a0"],
  ["C, D86", "continue by a0", "continue by a0", "continue by a0"],
];

describe.each<Pace>(["at once", "later"])("a chain of authenticators that answer %s", (pace) => {
  it.each(TABLE)("answers `%s` as the table says", async (script, legacy, hardened, strict) => {
    expect(outcome(await run(script, LEGACY, pace))).toBe(legacy);
    expect(outcome(await run(script, HARDENED, pace))).toBe(hardened);
    expect(outcome(await run(script, STRICT, pace))).toBe(strict);
  });

  it("passes over failures everywhere when backend failures are ignored", async () => {
    for (const policy of [LEGACY, HARDENED, STRICT]) {
      const open = { ...policy, ignoreBackendFailures: true };
      for (const script of ["F, O", "X, O", "P! D86, O"]) {
        expect(outcome(await run(script, open, pace))).toBe("accept by a1");
      }
      expect(outcome(await run("F, D86", open, pace))).toBe("0x86 by a1");
    }
  });

  it("goes by an authenticator's own on_failure before what holds for all", async () => {
    for (const policy of [LEGACY, HARDENED, STRICT]) {
      const open = { ...policy, ignoreBackendFailures: true };
      const code = policy === STRICT ? "0x88" : "0x87";
      expect(outcome(await run("on:deny F, O", open, pace))).toBe(`${code} by a0`);
      expect(outcome(await run("F, on:deny F, O", open, pace))).toBe(`${code} by a1`);
    }
    const { steps } = await run("on:ignore F, O", STRICT, pace);
    expect(steps[0]).toMatchObject({ outcome: "failure", detail: "on_failure = ignore" });
  });

  it("lets everyone in without an authenticator when that is written, and only then", async () => {
    const open = { ...STRICT, allowAnonymous: true };
    expect(outcome(await run("off D86", open, pace))).toBe("accept by anonymous");
    expect(outcome(await run("I", open, pace))).toBe("0x87 by chain");
  });

  it("never takes a core that failed for an authenticator that has no answer", async () => {
    const authenticator: Authenticator = {
      id: "cinfo",
      authenticate: () => {
        const error = new CoreError("ERR_CORE_TRAP", "the core failed");
        if (pace === "later") return Promise.reject(error);
        throw error;
      },
    };
    const next: Authenticator = { id: "jwt", authenticate: () => ANSWERS.O! };
    const members = [authenticator, next].map(
      (each): ChainMember => ({ authenticator: each, enable: true, hasPrecondition: false }),
    );
    for (const policy of [LEGACY, HARDENED, STRICT]) {
      const open = { ...policy, ignoreBackendFailures: true };
      const answer = async () => createChain(members, open).authenticate(REQUEST);
      await expect(answer()).rejects.toBeInstanceOf(CoreError);
    }
  });

  it("tells the operator what happened, without quoting what was thrown", async () => {
    const verdict = await run("off O, P✗ O, I, F, X, P! O, O", LEGACY, pace);
    expect(verdict.steps.map(({ by, outcome: each }) => `${by} ${each}`)).toEqual([
      "a0 disabled",
      "a1 precondition_not_met",
      "a2 ignore",
      "a3 failure",
      "a4 failure",
      "a5 failure",
      "a6 ok",
    ]);
    expect(verdict.faults.map(({ code, at }) => [code, at])).toEqual([
      ["ERR_AUTHN_FAILED", "a3"],
      ["ERR_AUTHN_FAILED", "a4"],
      ["ERR_AUTHN_FAILED", "a5"],
    ]);
    expect(JSON.stringify(verdict)).not.toContain("s3cret");
  });
});

describe("a chain", () => {
  it("answers without a promise while its authenticators do", () => {
    const authenticator: Authenticator = { id: "a", authenticate: () => ANSWERS.O! };
    const chain = createChain([{ authenticator, enable: true, hasPrecondition: false }], STRICT);
    expect(chain.authenticate(REQUEST)).toHaveProperty("verdict", "allow");
  });

  it("treats a precondition that nobody can check as a failure", async () => {
    const authenticator: Authenticator = { id: "a", authenticate: () => ANSWERS.O! };
    const chain = createChain([{ authenticator, enable: true, hasPrecondition: true }], STRICT);
    const verdict = await chain.authenticate(REQUEST);
    expect(verdict).toMatchObject({ verdict: "deny", reason: "precondition_error", code: 0x88 });
  });

  it("closes its authenticators", () => {
    const closed: string[] = [];
    const member = (id: string): ChainMember => ({
      authenticator: { id, authenticate: () => ANSWERS.I!, close: () => closed.push(id) },
      enable: id !== "b",
      hasPrecondition: false,
    });
    createChain([member("a"), member("b")], STRICT).close();
    expect(closed).toEqual(["a", "b"]);
  });
});
