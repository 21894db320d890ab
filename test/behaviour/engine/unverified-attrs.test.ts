/** Attributes made of a token that nobody has verified: marked, and dropped where that is wanted. */
import { describe, expect, it } from "vitest";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { ClientInfo } from "../../../src/types.ts";
import { engineOf, JWT, type PolicyText, token } from "../../support/engine.ts";

const PRESETS: readonly Preset[] = ["strict", "emqx"];
const DROP = "portcullis.unverified_client_attrs = drop";
const INIT = `mqtt.client_attrs_init = [
  { expression = "jwt_value(password, 'role')", set_as_attr = role }
  { expression = "clientid", set_as_attr = id }
]`;
/** Lets everybody in, whatever the password. */
const ANYONE =
  'authentication = [{ mechanism = cinfo, checks = [{ is_match = "true", result = allow }] }]';
const password = token({ role: "admin" });
const forged = token({ role: "admin" }, "another secret");

async function attrsOf(
  policy: Partial<PolicyText> & { readonly text: string },
  client: Partial<ClientInfo>,
): Promise<Readonly<Record<string, string>>> {
  const { open } = await engineOf(policy);
  return { ...(await open(client)).clientAttrs };
}

describe("attributes of an unverified token", () => {
  it("stay by default, in both presets", async () => {
    for (const preset of PRESETS) {
      const attrs = await attrsOf({ text: `${ANYONE}\n${INIT}`, preset }, { password: forged });
      expect(attrs).toEqual({ role: "admin", id: "c1" });
    }
  });

  it("are dropped on request unless a jwt authenticator accepted that token", async () => {
    for (const preset of PRESETS) {
      const open = { text: `${ANYONE}\n${INIT}\n${DROP}`, preset };
      for (const one of [forged, password]) {
        expect(await attrsOf(open, { password: one })).toEqual({ id: "c1" });
      }
      const checked = { text: `${JWT}\n${INIT}\n${DROP}`, preset };
      expect(await attrsOf(checked, { password })).toEqual({ role: "admin", id: "c1" });
    }
  });

  it("are dropped where nobody is asked", async () => {
    const off = `${JWT}\n${INIT}\n${DROP}\nlisteners.tcp.default.enable_authn = false`;
    expect(await attrsOf({ text: off }, { password })).toEqual({ id: "c1" });
  });

  it("never take away what an authenticator says itself", async () => {
    const given = token({ client_attrs: { role: "given" }, role: "admin" });
    const text = `${JWT}\n${INIT}\n${DROP}`;
    expect(await attrsOf({ text }, { password: given })).toMatchObject({ role: "given" });
  });

  it("are told by the field that carries the token", async () => {
    const inName = JWT.replace("from = password", "from = username");
    const init = `mqtt.client_attrs_init = [
      { expression = "jwt_value(username, 'role')", set_as_attr = named }
      { expression = "jwt_value(password, 'role')", set_as_attr = passed }
    ]`;
    const client = { username: password, password: forged };
    const text = `${inName}\n${init}\n${DROP}`;
    expect(await attrsOf({ text }, client)).toEqual({ named: "admin" });
    // Where no authenticator looks for tokens in the username it is a name like others.
    const plain = `${JWT}\n${init}\n${DROP}`;
    expect(await attrsOf({ text: plain }, { username: forged, password })).toEqual({
      named: "admin",
      passed: "admin",
    });
  });

  it("name nobody: an id made of them is refused with them", async () => {
    const override = 'mqtt.clientid_override = "client_attrs.role"';
    const { login } = await engineOf({ text: `${ANYONE}\n${INIT}\n${override}\n${DROP}` });
    expect(await login({ password: forged })).toBe(
      "0x86 unverified_identity by mqtt.clientid_override",
    );
    expect(await login({})).toBe("allow by cinfo");
    const checked = await engineOf({ text: `${JWT}\n${INIT}\n${override}\n${DROP}` });
    expect((await checked.open({ password })).clientId).toBe("admin");
  });

  it("are marked in an explanation, and so is their end", async () => {
    const { trace } = await engineOf({ text: `${ANYONE}\n${INIT}\n${DROP}` });
    const steps = await trace({ password: forged });
    const told = steps.filter(({ stage }) => stage === "client_attrs");
    expect(told.map(({ at, outcome, detail }) => `${at} ${outcome} ${detail}`)).toEqual([
      'role set "admin", of a token not verified yet',
      'id set "c1"',
      "role dropped no authenticator has verified the token that it is made of",
    ]);
  });

  it("are an option of two words", async () => {
    const text = `${ANYONE}\nportcullis.unverified_client_attrs = yes`;
    await expect(engineOf({ text })).rejects.toThrow(/expected one of `keep`, `drop`/);
  });
});
