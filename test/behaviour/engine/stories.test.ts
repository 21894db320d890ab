/** The two stories that the project is for, below any protocol: configuration in, decisions out. */
import { describe, expect, it } from "vitest";
import type { Preset } from "../../../src/config/compatibility.ts";
import {
  engineOf,
  imageOf,
  publish,
  START,
  STORY_ACL,
  stories,
  subscribe,
  token,
} from "../../support/engine.ts";

const SUB = "urn:test:unitid:1001010-1000010:clientid:test";
const UNIT = "1001010-1000010";
const PRESETS: readonly Preset[] = ["strict", "emqx"];

const story = (position: 4 | 6, preset: Preset) =>
  stories(preset).spoofing.replace("nth(4,", `nth(${position},`);
const forged = token({ sub: SUB }, "a secret of somebody else's");

describe.each(PRESETS)("the story of the spoofed client id (%s)", (preset) => {
  it.each([
    [4, UNIT, "test"],
    [6, "test", UNIT],
  ] as const)("lets only the client in that part %i of sub names", async (position, id, other) => {
    const { login } = await engineOf({ text: story(position, preset), preset });
    const password = token({ sub: SUB });
    expect(await login({ clientId: id, password })).toBe("allow by jwt");
    for (const wrong of [other, `${id} `, id.slice(1), `${id}x`, "", "#"]) {
      expect(await login({ clientId: wrong, password })).toBe("0x86 check_denied by cinfo");
    }
  });

  it("refuses a forged token with a wrong id before the signature is looked at", async () => {
    const { login, trace } = await engineOf({ text: story(4, preset), preset });
    expect(await login({ clientId: "spoofed", password: forged })).toBe(
      "0x86 check_denied by cinfo",
    );
    const asked = (await trace({ clientId: "spoofed", password: forged })).map(({ at }) => at);
    expect(asked).not.toContain("jwt");
    const reason = preset === "strict" ? "bad_signature by jwt" : "all_ignored by chain";
    const code = preset === "strict" ? "0x86" : "0x87";
    expect(await login({ clientId: UNIT, password: forged })).toBe(`${code} ${reason}`);
  });

  it("refuses tokens whose sub has too few parts, none, or is no text", async () => {
    const { login } = await engineOf({ text: story(6, preset), preset });
    for (const sub of ["", "a:b:c", 7, null, ["test"], { test: 1 }]) {
      expect(await login({ clientId: "test", password: token({ sub }, "forged") })).toMatch(/^0x8/);
    }
  });
});

const PASTED = stories().scopes;
const scopes = (preset: Preset, text = PASTED) =>
  engineOf({ text, acl: STORY_ACL, preset, env: { EMQX_ETC_DIR: "/etc" } });
const SINGLE_BACKSLASH = PASTED.replaceAll("\\\\s", "\\s");

async function scopeOf(preset: Preset, scp: unknown, text?: string): Promise<unknown> {
  const { open } = await scopes(preset, text);
  const session = await open({ clientId: UNIT, password: token({ sub: SUB, scp }) });
  return session.clientAttrs.jwt_scp;
}

it("needs use_jwks in emqx mode, as EMQX does", () => {
  const text = stories("strict").spoofing;
  expect(() => imageOf({ text, preset: "emqx" })).toThrow("`use_jwks` is missing");
  expect(imageOf({ text, preset: "strict" }).length).toBeGreaterThan(0);
});

describe("the story of the scopes", () => {
  it("was pasted with doubled backslashes", () => {
    expect(PASTED).toContain("(^|\\\\s)(read)(\\\\s|$)");
    expect(SINGLE_BACKSLASH).toContain("(^|\\s)(read)(\\s|$)");
  });

  it("reads a doubled backslash as the class in strict mode", async () => {
    expect(await scopeOf("strict", "read openid foobar")).toBe("read");
    expect(await scopeOf("strict", "openid read")).toBe("read");
    expect(await scopeOf("strict", "read")).toBe("read");
    expect(await scopeOf("strict", "openid readx")).toBeUndefined();
    expect(await scopeOf("strict", "xread openid")).toBeUndefined();
  });

  it("reads a doubled backslash as a backslash and an s in emqx mode", async () => {
    expect(await scopeOf("emqx", "read openid foobar")).toBeUndefined();
    expect(await scopeOf("emqx", "read")).toBe("read");
    expect(await scopeOf("emqx", "a\\sread\\sb")).toBe("read");
  });

  it.each(PRESETS)("reads a single backslash as the class (%s)", async (preset) => {
    expect(await scopeOf(preset, "read openid foobar", SINGLE_BACKSLASH)).toBe("read");
    expect(await scopeOf(preset, "openid readx", SINGLE_BACKSLASH)).toBeUndefined();
  });

  it.each([
    ["strict", PASTED],
    ["strict", SINGLE_BACKSLASH],
    ["emqx", SINGLE_BACKSLASH],
  ] as const)("gives a reader its topics and nothing wider (%s)", async (preset, text) => {
    const { open } = await scopes(preset, text);
    const password = token({ sub: SUB, scp: "read openid foobar" });
    const session = await open({ clientId: UNIT, password });
    expect(subscribe(session, "myorg/read/#")).toBe("allow rule");
    expect(subscribe(session, "myorg/read/a/+")).toBe("allow rule");
    for (const wider of [
      "#",
      "+/#",
      "myorg/#",
      "myorg/+/#",
      "myorg/+",
      "myorg/write/#",
      "read/#",
    ]) {
      expect(subscribe(session, wider)).toBe("deny rule");
    }
    expect(publish(session, "myorg/a/b")).toBe("allow rule");
    expect(publish(session, "other/a")).toBe("deny rule");
  });

  it.each(PRESETS)(
    "lets a client without the scope publish, and hear nothing (%s)",
    async (preset) => {
      const { open } = await scopes(preset, SINGLE_BACKSLASH);
      for (const scp of ["openid", "", undefined, 1]) {
        const session = await open({ clientId: UNIT, password: token({ sub: SUB, scp }) });
        for (const filter of ["myorg/read/#", "myorg/undefined/#", "myorg//#", "myorg/#", "#"]) {
          expect(subscribe(session, filter)).toBe("deny rule");
        }
        expect(publish(session, "myorg/a")).toBe("allow rule");
      }
    },
  );

  it.each(PRESETS)("ends the session when the token expires (%s)", async (preset) => {
    const { open, login, clock } = await scopes(preset, SINGLE_BACKSLASH);
    const password = token({ sub: SUB, exp: START + 60 });
    const session = await open({ clientId: UNIT, password });
    expect(session.expireAtMs).toBe((START + 60) * 1000);
    clock.ms = (START + 59) * 1000;
    expect(await login({ clientId: UNIT, password })).toBe("allow by jwt");
    clock.ms = (START + 60) * 1000;
    expect(await login({ clientId: UNIT, password })).toBe("0x86 expired by jwt");
    const noExpiry = await open({ clientId: UNIT, password: token({ sub: SUB }) });
    expect(noExpiry.expireAtMs).toBeUndefined();
  });
});
