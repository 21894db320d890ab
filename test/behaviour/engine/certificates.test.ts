/** What a certificate is to the policy: expressions, templates, identities, quick_deny_anonymous. */
import { describe, expect, it } from "vitest";
import type { Preset } from "../../../src/config/compatibility.ts";
import { certificateMd5, readSubject } from "../../../src/crypto/certificate.ts";
import type { ClientInfo } from "../../../src/types.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { engineOf, publish } from "../../support/engine.ts";

const PRESETS: readonly Preset[] = ["strict", "emqx"];
const { der } = makeCertificate({ subject: [{ O: "plant" }, { CN: "dev-1" }] });
const subject = readSubject(der)!;
const CERTIFIED: Partial<ClientInfo> = {
  certDer: der,
  certCommonName: subject.commonName,
  certSubject: subject.text,
  peerSni: "broker.test",
};

const cinfo = (isMatch: string) =>
  `authentication = [{ mechanism = cinfo, checks = [{ is_match = "${isMatch}", result = allow }] }]`;
const ANYONE = cinfo("true");

describe("a client certificate", () => {
  it.each([
    "str_eq(cert_common_name, 'dev-1')",
    "str_eq(cn, 'dev-1')",
    "str_eq(cert_subject, 'CN=dev-1,O=plant')",
    "str_eq(dn, 'CN=dev-1,O=plant')",
    `str_eq(hash('md5', cert_pem), '${certificateMd5(der)}')`,
    "str_eq(peersni, 'broker.test')",
  ])("is seen by `%s`", async (condition) => {
    for (const preset of PRESETS) {
      const { login } = await engineOf({ text: cinfo(condition), preset });
      expect(await login(CERTIFIED)).toBe("allow by cinfo");
      expect(await login({})).toMatch(/^0x8/);
    }
  });

  it("gives attributes and topics", async () => {
    const init = 'mqtt.client_attrs_init = [{ expression = "cn", set_as_attr = name }]';
    const acl = '{allow, all, all, ["c/${cert_common_name}", "n/${client_attrs.name}"]}.\n';
    for (const preset of PRESETS) {
      const { open } = await engineOf({ text: `${ANYONE}\n${init}`, acl, preset });
      const session = await open(CERTIFIED);
      expect(["c/dev-1", "n/dev-1"].map((topic) => publish(session, topic))).toEqual([
        "allow rule",
        "allow rule",
      ]);
      expect(publish(session, "c/dev-2")).toBe("deny no_match");
      expect(publish(await open({}), "c/dev-1")).toBe("deny no_match");
    }
  });

  it("names the client where the settings say so, and refuses who has none", async () => {
    const text = `${ANYONE}\nmqtt { peer_cert_as_username = cn, peer_cert_as_clientid = md5 }`;
    for (const preset of PRESETS) {
      const { open, login } = await engineOf({ text, preset });
      const session = await open({ ...CERTIFIED, clientId: "whoever", username: "somebody" });
      expect([session.username, session.clientId]).toEqual(["dev-1", certificateMd5(der)]);
      expect(session.assignedClientId).toBe(preset === "strict" ? session.clientId : undefined);
      expect(await login({ username: "dev-1" })).toBe(
        preset === "strict" ? "0x86 certificate_identity_missing by mqtt" : "allow by cinfo",
      );
    }
  });

  it("is a credential to quick_deny_anonymous, in emqx mode only as a username", async () => {
    const quick = `${ANYONE}\nlisteners.tcp.default.enable_authn = quick_deny_anonymous`;
    const refused = "0x87 anonymous_refused by enable_authn";
    const strict = await engineOf({ text: quick });
    expect(await strict.login({})).toBe(refused);
    expect(await strict.login(CERTIFIED)).toBe("allow by cinfo");
    expect(await strict.login({ certDer: der })).toBe("allow by cinfo");
    const emqx = await engineOf({ text: quick, preset: "emqx" });
    expect(await emqx.login(CERTIFIED)).toBe(refused);
    const named = `${quick}\nmqtt.peer_cert_as_username = cn`;
    expect(await (await engineOf({ text: named, preset: "emqx" })).login(CERTIFIED)).toBe(
      "allow by cinfo",
    );
  });
});
