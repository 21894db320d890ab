import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HmacHash, HmacKey } from "../../../../bindings/node/hmac.ts";

const HASHES: readonly HmacHash[] = ["sha256", "sha384", "sha512"];

function bytes(length: number, value = 0x61): Uint8Array {
  return new Uint8Array(length).fill(value);
}

function codeOf(name: HmacHash, secret: Uint8Array, message: Uint8Array): Uint8Array {
  return createHmac(name, secret).update(message).digest();
}

function hex(text: string): Uint8Array {
  return Buffer.from(text, "hex");
}

describe.each(HASHES)("HMAC with %s", (name) => {
  // Around the blocks of 64 and 128 bytes, and around the memory that is kept.
  const SECRETS = [0, 1, 31, 32, 63, 64, 65, 127, 128, 129, 1000];
  const MESSAGES = [0, 1, 63, 64, 65, 300, 4095, 4096, 4097, 65_535];

  it("accepts the code of node:crypto for secrets and messages of every length that matters", () => {
    for (const secret of SECRETS.map((length) => bytes(length, 0x5a))) {
      const key = new HmacKey(secret);
      for (const message of MESSAGES.map((length) => bytes(length))) {
        expect(key.verify(name, message, codeOf(name, secret, message))).toBe(true);
      }
    }
  });

  it("agrees with node:crypto for any secret and message, and refuses any other code", () => {
    const array = (maxLength: number) => fc.uint8Array({ maxLength });
    fc.assert(
      fc.property(array(300), array(5000), array(5000), fc.nat(), (secret, one, other, bit) => {
        const key = new HmacKey(secret);
        const code = codeOf(name, secret, one);
        expect(key.verify(name, one, code)).toBe(true);
        expect(key.verify(name, other, code)).toBe(Buffer.from(one).equals(other));
        const flipped = Uint8Array.from(code);
        flipped[(bit >> 3) % code.length]! ^= 1 << (bit & 7);
        expect(key.verify(name, one, flipped)).toBe(false);
      }),
    );
  });

  it("refuses a code that is cut, longer or empty", () => {
    const key = new HmacKey(bytes(32));
    const code = codeOf(name, bytes(32), bytes(300));
    for (const other of [code.subarray(1), code.subarray(0, -1), [...code, 0], []]) {
      expect(key.verify(name, bytes(300), Uint8Array.from(other))).toBe(false);
    }
  });

  it("keeps nothing of one message for the next, nor of one key for another", () => {
    const keys = [new HmacKey(bytes(10, 1)), new HmacKey(bytes(10, 2))];
    const codes = [bytes(10, 1), bytes(10, 2)].map((secret) => codeOf(name, secret, bytes(3)));
    for (const message of [bytes(400, 7), bytes(3)]) {
      const isLast = message.length === 3;
      keys.forEach((key, index) => {
        expect(key.verify(name, message, codes[index]!)).toBe(isLast);
        expect(key.verify(name, message, codes[1 - index]!)).toBe(false);
      });
    }
  });
});

describe("the test cases of RFC 4231", () => {
  const TEXT = new TextEncoder();
  it.each([
    [
      "2, a short key",
      TEXT.encode("Jefe"),
      TEXT.encode("what do ya want for nothing?"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    [
      "6, a key longer than a block",
      bytes(131, 0xaa),
      TEXT.encode("Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
  ])("holds for case %s", (_name, secret, message, code) => {
    expect(new HmacKey(secret).verify("sha256", message, hex(code))).toBe(true);
  });
});
