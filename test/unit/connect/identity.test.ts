/** Identities from certificates: which value stands for what CONNECT says, in both presets. */
import { describe, expect, it } from "vitest";
import type { Preset } from "../../../src/config/compatibility.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { type Identity, type NoIdentity, resolveIdentity } from "../../../src/connect/identity.ts";
import { certificateMd5 } from "../../../src/crypto/certificate.ts";
import type { ClientInfo } from "../../../src/types.ts";

const DER = Uint8Array.of(0x30, 1, 0xff);
const CERTIFICATE: Partial<ClientInfo> = {
  certCommonName: "dev-1",
  certSubject: "CN=dev-1,O=x",
  certDer: DER,
};

function identityOf(
  mqtt: string,
  client: Partial<ClientInfo>,
  preset: Preset = "strict",
): Identity | NoIdentity {
  const { config } = loadConfig({ text: `mqtt { ${mqtt} }`, file: "test.conf", preset });
  const randomBytes = (count: number): Uint8Array => new Uint8Array(count);
  return resolveIdentity(
    { clientId: "c1", username: "u1", ...client },
    { mqtt: config.mqtt, switches: config.switches, randomBytes },
  );
}

const MISSING = { reason: "certificate_identity_missing", code: 0x86 };

describe("peer_cert_as_username", () => {
  it.each([
    ["disabled", "u1"],
    ["cn", "dev-1"],
    ["dn", "CN=dev-1,O=x"],
    ["crt", DER],
    ["pem", "MAH/"],
    ["md5", certificateMd5(DER)],
  ])("%s makes the username %j", (field, username) => {
    for (const preset of ["strict", "emqx"] as const) {
      const identity = identityOf(`peer_cert_as_username = ${field}`, CERTIFICATE, preset);
      expect(identity).toMatchObject({ username, clientId: "c1" });
    }
  });

  it.each(["cn", "dn", "crt", "pem", "md5"])(
    "%s refuses who brings no such value; in emqx mode CONNECT's own counts",
    (field) => {
      const text = `peer_cert_as_username = ${field}`;
      expect(identityOf(text, {})).toMatchObject(MISSING);
      expect(identityOf(text, { username: undefined })).toMatchObject(MISSING);
      expect(identityOf(text, {}, "emqx")).toMatchObject({ username: "u1", clientId: "c1" });
    },
  );

  it("takes a certificate without a common name, or with an empty one, for one without", () => {
    for (const certCommonName of [undefined, ""]) {
      const client = { ...CERTIFICATE, certCommonName };
      expect(identityOf("peer_cert_as_username = cn", client)).toMatchObject(MISSING);
      expect(identityOf("peer_cert_as_username = dn", client)).toHaveProperty("username");
    }
    const nameless = { ...CERTIFICATE, certSubject: "" };
    expect(identityOf("peer_cert_as_username = dn", nameless)).toMatchObject(MISSING);
  });
});

describe("peer_cert_as_clientid", () => {
  it("replaces the client id, also an empty one", () => {
    const text = "peer_cert_as_clientid = cn";
    expect(identityOf(text, CERTIFICATE)).toMatchObject({ username: "u1", clientId: "dev-1" });
    const made = identityOf(text, { ...CERTIFICATE, clientId: "" });
    expect(made).toMatchObject({ clientId: "dev-1", isGenerated: false });
    expect(identityOf(text, { clientId: "" }, "emqx")).toMatchObject({ isGenerated: true });
    expect(identityOf(text, {})).toMatchObject(MISSING);
  });

  it("gives way to use_username_as_clientid, which takes the certificate's username", () => {
    const text = "use_username_as_clientid = true, peer_cert_as_clientid = md5";
    expect(identityOf(text, CERTIFICATE)).toMatchObject({ clientId: "u1" });
    expect(identityOf(`${text}, peer_cert_as_username = cn`, CERTIFICATE)).toMatchObject({
      username: "dev-1",
      clientId: "dev-1",
    });
    expect(identityOf(text, { ...CERTIFICATE, username: undefined })).toMatchObject({
      clientId: certificateMd5(DER),
    });
  });

  it("is never DER bytes, which could be no client id", () => {
    const load = (mqtt: string) => () =>
      loadConfig({ text: `mqtt { ${mqtt} }`, file: "test.conf", preset: "emqx" });
    expect(load("peer_cert_as_clientid = crt")).toThrow(/a client id has to be text/);
    expect(load("peer_cert_as_clientid = CN")).toThrow(/expected one of/);
    expect(load("peer_cert_as_username = sha1")).toThrow(/expected one of/);
  });
});

it("certificate_identity_required alone decides about what is missing", () => {
  const text = `} portcullis.switches.certificate_identity_required = false
    mqtt { peer_cert_as_username = cn`;
  expect(identityOf(text, {})).toMatchObject({ username: "u1" });
});
