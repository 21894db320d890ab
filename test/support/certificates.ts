/** Certificates made when a test runs: a small writer of DER, and node's keys. Nothing is committed. */
import { createSign, type KeyObject } from "node:crypto";
import { makeKeyPair } from "./key-pair.ts";

export interface TestCertificate {
  readonly der: Buffer;
  /** Certificate and private key as PEM. */
  readonly cert: string;
  readonly key: string;
  readonly subject: readonly Rdn[];
  readonly privateKey: KeyObject;
}

/** One RDN: name and value pairs. A value is a UTF8String, or a whole DER element. */
export type Rdn = Readonly<Record<string, string | Buffer>>;

export interface CertificateOptions {
  readonly subject: readonly Rdn[];
  /** Without one it signs itself. */
  readonly issuer?: TestCertificate | undefined;
  readonly isCa?: boolean;
  /** Extended key usages, by object identifier. */
  readonly usages?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** IPv4, as subject alternative names. */
  readonly addresses?: readonly string[];
}

export const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

const OIDS: Readonly<Record<string, string>> = {
  CN: "2.5.4.3",
  C: "2.5.4.6",
  L: "2.5.4.7",
  O: "2.5.4.10",
  OU: "2.5.4.11",
  DC: "0.9.2342.19200300.100.1.25",
  UID: "0.9.2342.19200300.100.1.1",
  EMAILADDRESS: "1.2.840.113549.1.9.1",
};

let serial = 1;

/** An EC certificate, valid from yesterday for a year. */
export function makeCertificate(options: CertificateOptions): TestCertificate {
  const { subject, issuer, isCa = false, usages = [] } = options;
  const names = [
    ...(options.dnsNames ?? []).map((name) => element(0x82, Buffer.from(name))),
    ...(options.addresses ?? []).map((address) =>
      element(0x87, Buffer.from(address.split(".").map(Number))),
    ),
  ];
  const { publicKey, privateKey } = makeKeyPair("ec", { namedCurve: "P-256" });
  const algorithm = element(0x30, oid("1.2.840.10045.4.3.2"));
  const day = 86_400_000;
  const extensions = [
    extension("2.5.29.19", element(0x30, ...(isCa ? [element(0x01, Buffer.of(255))] : []))),
    ...(usages.length > 0 ? [extension("2.5.29.37", element(0x30, ...usages.map(oid)))] : []),
    ...(names.length > 0 ? [extension("2.5.29.17", element(0x30, ...names))] : []),
  ];
  const signed = element(
    0x30,
    element(0xa0, element(0x02, Buffer.of(2))),
    element(0x02, Buffer.of(1, serial++ >> 8, serial & 255)),
    algorithm,
    nameOf(issuer?.subject ?? subject),
    element(0x30, time(Date.now() - day), time(Date.now() + 365 * day)),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    element(0xa3, element(0x30, ...extensions)),
  );
  const signature = createSign("SHA256")
    .update(signed)
    .sign(issuer?.privateKey ?? privateKey);
  const der = element(0x30, signed, algorithm, element(0x03, Buffer.of(0), signature));
  return {
    der,
    cert: pem("CERTIFICATE", der),
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    subject,
    privateKey,
  };
}

/** A DER element. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(header), content]);
}

export function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((number) => {
    const groups = [number & 127];
    for (let left = number >> 7; left > 0; left >>= 7) groups.unshift((left & 127) | 128);
    return groups;
  });
  return element(0x06, Buffer.from(bytes));
}

function nameOf(rdns: readonly Rdn[]): Buffer {
  const sets = rdns.map((rdn) => {
    const pairs = Object.entries(rdn).map(([name, value]) =>
      element(
        0x30,
        oid(OIDS[name.replace(/\d+$/, "")] ?? name),
        typeof value === "string" ? element(0x0c, Buffer.from(value)) : value,
      ),
    );
    return element(0x31, ...pairs);
  });
  return element(0x30, ...sets);
}

function extension(id: string, value: Buffer): Buffer {
  return element(0x30, oid(id), element(0x04, value));
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "");
  return element(0x18, Buffer.from(digits));
}
