import { createHash, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { certificateBase64, certificateMd5, readSubject } from "../../../src/crypto/certificate.ts";
import { element, makeCertificate, type Rdn } from "../../support/certificates.ts";

function subjectOf(...subject: readonly Rdn[]) {
  return readSubject(makeCertificate({ subject }).der);
}

const utf16 = (text: string) => Buffer.from(text, "utf16le").swap16();

describe("the subject of a certificate", () => {
  it("is written with the last RDN first", () => {
    expect(subjectOf({ C: "DE" }, { O: "Plant" }, { OU: "Line 7" }, { CN: "dev-1" })).toEqual({
      commonName: "dev-1",
      text: "CN=dev-1,OU=Line 7,O=Plant,C=DE",
    });
    expect(subjectOf({ DC: "org" }, { DC: "example" }, { UID: "7", OU: "x" })?.text).toBe(
      "UID=7+OU=x,DC=example,DC=org",
    );
  });

  it("escapes what would read as something else", () => {
    const text = (CN: string) => subjectOf({ CN })?.text;
    expect(text("a,OU=admin")).toBe("CN=a\\,OU=admin");
    expect(text('q"b\\c+d;e<f>g=h')).toBe('CN=q\\"b\\\\c\\+d\\;e\\<f\\>g=h');
    expect(text(" lead")).toBe("CN=\\ lead");
    expect(text("#hex")).toBe("CN=\\#hex");
    expect(text("trail ")).toBe("CN=trail\\ ");
    expect(text(" ")).toBe("CN=\\ ");
    expect(text("in # side")).toBe("CN=in # side");
  });

  it("joins several common names in the order of the certificate", () => {
    const subject = subjectOf({ CN: "a" }, { O: "x" }, { CN: "b" }, { CN: "c", CN2: "d" });
    expect(subject).toEqual({ commonName: "a,b,c,d", text: "CN=c+CN=d,CN=b,O=x,CN=a" });
  });

  it("has no common name when it has none, and may be empty", () => {
    expect(subjectOf({ O: "x" })).toEqual({ commonName: undefined, text: "O=x" });
    expect(subjectOf()).toEqual({ commonName: undefined, text: "" });
  });

  it("reads every kind of string", () => {
    const read = (tag: number, bytes: Uint8Array) => subjectOf({ CN: element(tag, bytes) });
    expect(read(0x13, Buffer.from("p"))?.commonName).toBe("p");
    expect(read(0x16, Buffer.from("i@x"))?.commonName).toBe("i@x");
    expect(read(0x14, Buffer.of(0xe9))?.commonName).toBe("é");
    expect(read(0x1e, utf16("é中"))?.commonName).toBe("é中");
    expect(read(0x0c, Buffer.from("\ufeffé中😀"))?.commonName).toBe("\ufeffé中😀");
  });

  it("writes types without a name by their number and encoding", () => {
    expect(subjectOf({ "1.2.840.113549.1.9.7": "x" })?.text).toBe("1.2.840.113549.1.9.7=#0c0178");
    expect(subjectOf({ "2.999.1": "x" })?.text).toBe("2.999.1=#0c0178");
  });

  it("is refused with control characters or a bad encoding", () => {
    for (const text of ["a\u0000b", "a\nb", "\u007f", "a\u0085"]) {
      expect(subjectOf({ CN: text })).toBeUndefined();
      expect(subjectOf({ CN: "good" }, { O: text })).toBeUndefined();
    }
    const bad: readonly [number, Buffer][] = [
      [0x0c, Buffer.of(0xff)],
      [0x0c, Buffer.of(0xc0, 0x80)],
      [0x13, Buffer.of(0xe9)],
      [0x1e, Buffer.of(0xd8, 0, 0, 0x61)],
      [0x1e, Buffer.of(0)],
      [0x03, Buffer.of(0, 1)],
    ];
    for (const [tag, bytes] of bad) {
      expect(subjectOf({ CN: element(tag, bytes) }), `tag ${tag}`).toBeUndefined();
    }
    expect(subjectOf({ CN: "\u00a0b" })?.commonName).toBe("\u00a0b");
  });

  it("is refused when the certificate is cut short anywhere, or no certificate", () => {
    const { der } = makeCertificate({ subject: [{ CN: "a" }] });
    for (let length = 0; length < der.length; length += 1) {
      expect(readSubject(der.subarray(0, length))).toBeUndefined();
    }
    expect(readSubject(Buffer.from("hello"))).toBeUndefined();
  });

  it("is what node reads", () => {
    const { der } = makeCertificate({ subject: [{ O: "x" }, { CN: "dev" }] });
    expect(new X509Certificate(der).subject).toBe("O=x\nCN=dev");
  });
});

describe("a certificate as an identity", () => {
  it("is the MD5 in lower-case hexadecimal, or base64 in one line", () => {
    const { der } = makeCertificate({ subject: [{ CN: "a" }] });
    expect(certificateMd5(der)).toBe(createHash("md5").update(der).digest("hex"));
    expect(certificateBase64(der)).toBe(der.toString("base64"));
  });
});
