/** Who goes on with an exchange, and which methods a chain knows. */
import { describe, expect, it } from "vitest";
import type { Authenticator, AuthnRequest, AuthnResult } from "../../../src/authn/authenticator.ts";
import { NO_DATA } from "../../../src/authn/authenticator.ts";
import {
  type AuthnChain,
  type ChainMember,
  type ChainVerdict,
  createChain,
} from "../../../src/authn/chain.ts";
import { type Preset, resolveSwitches } from "../../../src/config/compatibility.ts";

type Answer = (request: AuthnRequest) => AuthnResult | Promise<AuthnResult>;

const REQUEST: AuthnRequest = {
  client: { clientId: "c1", authMethod: "M", authData: Uint8Array.of(1) },
  clientAttrs: {},
};
const OK: AuthnResult = { type: "ok", data: NO_DATA };
const IGNORE: AuthnResult = { type: "ignore", reason: "auth_method_present" };

function chainOf(preset: Preset, answers: Readonly<Record<string, Answer>>): AuthnChain {
  const members = Object.entries(answers).map(
    ([id, answer]): ChainMember => ({
      authenticator: { id, methods: ["M"], authenticate: answer } satisfies Authenticator,
      enable: true,
      hasPrecondition: false,
    }),
  );
  return createChain(members, {
    switches: resolveSwitches(preset),
    securityProfile: "legacy",
    ignoreBackendFailures: false,
    allowAnonymous: true,
  });
}

function brief(verdict: ChainVerdict): string {
  if (verdict.verdict === "deny") return `0x${verdict.code.toString(16)} ${verdict.reason}`;
  return `${verdict.verdict} by ${verdict.by}`;
}

/** Each step of an exchange until it is decided, at most five. */
async function play(chain: AuthnChain): Promise<string[]> {
  const steps: string[] = [];
  let verdict = await chain.authenticate(REQUEST);
  steps.push(brief(verdict));
  while (verdict.verdict === "continue" && steps.length < 5) {
    verdict = await verdict.resume(REQUEST);
    steps.push(brief(verdict));
  }
  return steps;
}

/** Begins an exchange, and takes over whatever has begun. */
const twoSteps: Answer = ({ cache }) =>
  cache === undefined ? { type: "continue", cache: "begun" } : OK;

describe.each(["at once", "later"])("an exchange, answered %s", (pace) => {
  const paced =
    (answer: Answer): Answer =>
    (request) =>
      pace === "later" ? Promise.resolve(answer(request)) : answer(request);

  it("is owned by the authenticator that began it", async () => {
    const early: Answer = ({ cache }) => (cache === undefined ? IGNORE : OK);
    const answers = { early: paced(early), owner: paced(twoSteps) };
    expect(await play(chainOf("strict", answers))).toEqual(["continue by owner", "allow by owner"]);
    // As the reference does it, whoever comes first and understands what was left may end it.
    expect(await play(chainOf("emqx", answers))).toEqual(["continue by owner", "allow by early"]);
  });

  it("comes to a refusal when its owner has no opinion any more", async () => {
    const tired: Answer = ({ cache }) =>
      cache === undefined ? { type: "continue", cache: 1 } : IGNORE;
    const eager: Answer = ({ cache }) => (cache === undefined ? IGNORE : OK);
    const answers = { tired: paced(tired), eager: paced(eager) };
    expect(await play(chainOf("strict", answers))).toEqual([
      "continue by tired",
      "0x87 all_ignored",
    ]);
    expect(await play(chainOf("emqx", answers))).toEqual(["continue by tired", "allow by eager"]);
  });

  it("comes to a refusal when its owner fails", async () => {
    const broken: Answer = ({ cache }) => {
      if (cache === undefined) return { type: "continue", cache: 1 };
      throw new Error("gone");
    };
    const answers = { broken: paced(broken), open: () => OK };
    expect(await play(chainOf("strict", answers))).toEqual([
      "continue by broken",
      "0x88 backend_unavailable",
    ]);
  });

  it("that is offered in case nobody knows better goes on only then", async () => {
    const decoy: Answer = ({ cache }) =>
      cache === undefined
        ? { type: "ignore", reason: "unknown_user", otherwise: { type: "continue", cache: "d" } }
        : { type: "deny", reason: "unknown_user", code: 0x87 };
    const alone = { decoy: paced(decoy), idle: paced(() => IGNORE) };
    expect(await play(chainOf("strict", alone))).toEqual([
      "continue by decoy",
      "0x87 unknown_user",
    ]);
    const better = { decoy: paced(decoy), knows: paced(twoSteps) };
    expect(await play(chainOf("strict", better))).toEqual(["continue by knows", "allow by knows"]);
  });
});

describe("a method", () => {
  const asked = (method: string, preset: Preset, answers: Readonly<Record<string, Answer>>) =>
    chainOf(preset, answers).authenticate({
      ...REQUEST,
      client: { ...REQUEST.client, authMethod: method },
    });

  it.each(["m", "M ", "", "constructor"])("spelt `%s` is unknown to the chain", async (method) => {
    const open = { open: () => OK };
    expect(brief(await asked(method, "strict", open))).toBe("0x8c unknown_auth_method");
    expect(brief(await asked("M", "strict", open))).toBe("allow by open");
    const idle = { idle: () => IGNORE };
    expect(brief(await asked(method, "emqx", idle))).toBe("0x87 all_ignored");
  });

  it("is unknown where there is no authenticator at all, anonymous clients or not", async () => {
    expect(brief(await asked("M", "strict", {}))).toBe("0x8c unknown_auth_method");
    expect(brief(await asked("M", "emqx", {}))).toBe("allow by anonymous");
  });
});
