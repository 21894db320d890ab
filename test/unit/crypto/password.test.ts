import { describe, expect, it } from "vitest";
import { nodePasswords } from "../../../bindings/node/passwords.ts";
import type { PasswordAlgorithm } from "../../../src/config/config.ts";
import { formatBcryptSetting, parseBcrypt } from "../../../src/crypto/bcrypt.ts";
import { equalConstantTime } from "../../../src/crypto/equal.ts";
import { hashPassword, newSalt, verifyPassword } from "../../../src/crypto/password.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const salt = bytes("NaCl");
const password = bytes("s3cr&t");

/** Appendix C of the authentication specification. */
const STORED: [string, PasswordAlgorithm][] = [
  ["5653610c7da1a2caef07e3ea0a513f64", { name: "md5", saltPosition: "disable" }],
  ["9e95204d2004a5477f320ee2ee50151d", { name: "md5", saltPosition: "prefix" }],
  ["6ebb22107e6540d3a712a0645f77647a", { name: "md5", saltPosition: "suffix" }],
  ["e63acc5818279f3233d8efbf423567a3ab4fd984", { name: "sha", saltPosition: "disable" }],
  ["9e74b82db64bcc0b380cdcc698b471ae9f0d65b4", { name: "sha", saltPosition: "prefix" }],
  ["3d888c4e496d706dff040684291afa8657ccefa9", { name: "sha", saltPosition: "suffix" }],
  [
    "03c440315502191fb8a3ec6ec858fa90e66697774eed18036129d3e6d619b729",
    { name: "sha256", saltPosition: "disable" },
  ],
  [
    "29ab764cbcf90db9c6d0aa3f4b7997e877faea685c562756b66d14fad6c55909",
    { name: "sha256", saltPosition: "prefix" },
  ],
  [
    "6599a8518f667a6441948f1960731788322f3750aa661641651cecf677838dc8",
    { name: "sha256", saltPosition: "suffix" },
  ],
  [
    "5ad562a91581db2eb8b79c0674278c361e739fb1b3076ab117fe0c8efff69c6e" +
      "62f0f743022c760d824848884ff61d74b528cd38eda46626f6b05e071028262d",
    { name: "sha512", saltPosition: "prefix" },
  ],
  ["NaCls3cr&t", { name: "plain", saltPosition: "prefix" }],
  ["s3cr&tNaCl", { name: "plain", saltPosition: "suffix" }],
  ["s3cr&t", { name: "plain", saltPosition: "disable" }],
  ["6d9e5378c2f9f302820e26c9ce6ab5dd223668ee", { name: "pbkdf2", macFun: "sha", iterations: 1000 }],
  [
    "8212925076ddd609c46b42f00ec9bfdd2b3ab36997689525b581eb301022d79c",
    { name: "pbkdf2", macFun: "sha256", iterations: 1000 },
  ],
  [
    "8212925076ddd609c46b42f00ec9bfdd",
    { name: "pbkdf2", macFun: "sha256", iterations: 1000, dkLength: 16 },
  ],
  [
    "e208783ab0916150f559ffb579b0c705f349b80561ccd8d4f562b5cb260b613e" +
      "69616b055d7871eca9caa7115c9e84f05099847595d88e908682ca7fdcb07777",
    { name: "pbkdf2", macFun: "sha512", iterations: 2 },
  ],
];

describe("password hashes", () => {
  const matches = (algorithm: PasswordAlgorithm, given: string, saltText = "NaCl") =>
    verifyPassword(algorithm, bytes(saltText), password, bytes(given));

  it.each(STORED)("%s is %j", async (stored, algorithm) => {
    const hash = await hashPassword(algorithm, salt, password);
    expect(hash).toEqual({ ok: true, value: bytes(stored) });
    expect(await matches(algorithm, stored)).toEqual({ ok: true, value: true });
    expect(await verifyPassword(algorithm, salt, bytes("s3cr&T"), bytes(stored))).toEqual({
      ok: true,
      value: false,
    });
  });

  it.each(STORED)("%s in upper case matches unless it is plain", async (stored, algorithm) => {
    expect(await matches(algorithm, stored.toUpperCase())).toEqual({
      ok: true,
      value: algorithm.name !== "plain",
    });
  });

  it.each(STORED)(
    "%s with another salt matches only where salt is disabled",
    async (stored, algorithm) => {
      const isSaltless = "saltPosition" in algorithm && algorithm.saltPosition === "disable";
      expect(await matches(algorithm, stored, "NaCk")).toEqual({ ok: true, value: isSaltless });
    },
  );

  it.each(STORED)("%s cut short, padded or empty is no match", async (stored, algorithm) => {
    for (const given of [stored.slice(0, -1), `${stored}0`, ` ${stored}`, ""]) {
      expect(await matches(algorithm, given)).toEqual({ ok: true, value: false });
    }
  });

  it.each<PasswordAlgorithm>([
    { name: "bcrypt", saltRounds: 10, overlong: "refuse" },
    { name: "pbkdf2", macFun: "md4", iterations: 1 },
    { name: "pbkdf2", macFun: "md5", iterations: 1 },
    { name: "pbkdf2", macFun: "ripemd160", iterations: 1 },
  ])("cannot say anything about %j", async (algorithm) => {
    const unsupported = { ok: false, problem: "unsupported" };
    expect(await hashPassword(algorithm, salt, password)).toEqual(unsupported);
    expect(await matches(algorithm, "")).toEqual(unsupported);
  });
});

describe("bcrypt", () => {
  const cut: PasswordAlgorithm = { name: "bcrypt", saltRounds: 5, overlong: "cut" };
  const refuse: PasswordAlgorithm = { ...cut, overlong: "refuse" };
  const APPENDIX_C = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.IicMm5VgMI8LHMPtBXrvSpqi/PeaMNa";
  const makeHash = async (given: Uint8Array | string, algorithm = cut): Promise<string> => {
    const setting = bytes("$2b$04$abcdefghijklmnopqrstuu");
    const input = typeof given === "string" ? bytes(given) : given;
    const answer = await hashPassword(algorithm, setting, input, nodePasswords);
    return answer.ok ? new TextDecoder().decode(answer.value) : answer.problem;
  };
  const verify = async (given: Uint8Array | string, stored: string, algorithm = cut) => {
    const input = typeof given === "string" ? bytes(given) : given;
    return verifyPassword(algorithm, bytes("any salt"), input, bytes(stored), nodePasswords);
  };
  const yes = { ok: true, value: true };
  const no = { ok: true, value: false };

  it.each(["2a", "2b", "2x", "2y"])("verifies $%s$ hashes alike", async (version) => {
    const stored = APPENDIX_C.replace("2b", version);
    expect(await verify("s3cr&t", stored)).toEqual(yes);
    expect(await verify("s3cr&T", stored)).toEqual(no);
  });

  it.each([
    "",
    "$2b$05$short",
    "$2b$05$CCCCCCCCCCCCCCCCCCCCC.",
    APPENDIX_C.slice(0, -1),
    `${APPENDIX_C}x`,
    `${APPENDIX_C}\n`,
    APPENDIX_C.replace("2b", "2c"),
    APPENDIX_C.replace("$05", "$03"),
    APPENDIX_C.replace("$05", "$32"),
    APPENDIX_C.replace("$05", "$5"),
    APPENDIX_C.replace("Iic", "I!c"),
    APPENDIX_C.toUpperCase(),
  ])("takes `%s` for no hash at all", async (stored) => {
    expect(await verify("s3cr&t", stored)).toEqual(no);
  });

  it("refuses a password of more than 72 bytes, or cuts it", async () => {
    const [whole, more] = ["x".repeat(72), "x".repeat(73)];
    const stored = await makeHash(whole);
    expect(await verify(whole, stored, refuse)).toEqual(yes);
    expect(await verify(more, stored, refuse)).toEqual(no);
    expect(await verify(more, stored, cut)).toEqual(yes);
    expect(await verify("x".repeat(71), stored, cut)).toEqual(no);
    expect(await verify("x".repeat(300), stored, cut)).toEqual(yes);
    expect(await makeHash(more, refuse)).toBe("unusable");
  });

  it("refuses a password with a NUL, or cuts it there", async () => {
    const stored = await makeHash("ab");
    expect(await verify("ab\0cd", stored, refuse)).toEqual(no);
    expect(await verify("ab\0cd", stored, cut)).toEqual(yes);
    expect(await verify("\0ab", stored, cut)).toEqual(no);
    expect(await makeHash("\0", refuse)).toBe("unusable");
    expect(await verify("\0", await makeHash(""), cut)).toEqual(yes);
  });

  it("tells passwords apart that are no UTF-8", async () => {
    const stored = await makeHash(Uint8Array.of(0xff, 0xfe, 0x80));
    expect(await verify(Uint8Array.of(0xff, 0xfe, 0x80), stored)).toEqual(yes);
    expect(await verify(Uint8Array.of(0xff, 0xfe, 0x81), stored)).toEqual(no);
    expect(await verify("\ufffd\ufffd\ufffd", stored)).toEqual(no);
  });

  it("reads back the salt that it writes", () => {
    for (let round = 0; round < 64; round += 1) {
      const random = Uint8Array.from(
        { length: 16 },
        (_, index) => (index * 37 + round * 101) & 255,
      );
      const setting = parseBcrypt(formatBcryptSetting({ cost: 10, salt: random }));
      expect(setting).toEqual({ cost: 10, salt: random });
    }
  });
});

describe("newSalt", () => {
  const random = (count: number) => new Uint8Array(count).fill(0xab);

  it("is 32 hexadecimal digits of 16 random bytes", () => {
    const salt = "ab".repeat(16);
    expect(newSalt({ name: "sha256", saltPosition: "prefix" }, random)).toBe(salt);
    expect(newSalt({ name: "plain", saltPosition: "suffix" }, random)).toBe(salt);
    expect(newSalt({ name: "pbkdf2", macFun: "sha", iterations: 1 }, random)).toBe(salt);
  });

  it("is empty where the algorithm takes none", () => {
    expect(newSalt({ name: "sha256", saltPosition: "disable" }, random)).toBe("");
  });

  it("is the beginning of the hash for bcrypt", () => {
    const algorithm: PasswordAlgorithm = { name: "bcrypt", saltRounds: 8, overlong: "refuse" };
    expect(newSalt(algorithm, random)).toMatch(/^\$2b\$08\$[./A-Za-z0-9]{22}$/);
  });
});

describe.each(["plain", "md5", "sha", "sha256", "sha512"] as const)("%s", (name) => {
  it("tells passwords apart that are no UTF-8", async () => {
    const algorithm: PasswordAlgorithm = { name, saltPosition: "prefix" };
    const hash = await hashPassword(algorithm, salt, Uint8Array.of(0xff));
    const stored = hash.ok ? hash.value : bytes("");
    const check = (given: number) =>
      verifyPassword(algorithm, salt, Uint8Array.of(given), stored, nodePasswords);
    expect(await check(0xff)).toEqual({ ok: true, value: true });
    expect(await check(0xfe)).toEqual({ ok: true, value: false });
  });
});

describe("equalConstantTime", () => {
  it("compares all bytes and the length", () => {
    expect(equalConstantTime(bytes(""), bytes(""))).toBe(true);
    expect(equalConstantTime(bytes("abc"), bytes("abc"))).toBe(true);
    expect(equalConstantTime(bytes("abc"), bytes("abd"))).toBe(false);
    expect(equalConstantTime(bytes("abc"), bytes("bbc"))).toBe(false);
    expect(equalConstantTime(bytes("abc"), bytes("ab"))).toBe(false);
    expect(equalConstantTime(Uint8Array.of(0x80), Uint8Array.of(0))).toBe(false);
  });
});
