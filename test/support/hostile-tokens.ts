/**
 * Tokens that must not get in, each beside what it was made from, and a few that look like them and
 * must. Grouped by the trick. Source: RFC 7515, RFC 7518, RFC 8725; authentication §3.3.3.
 */
import { constants, createHash, type KeyObject, privateEncrypt, sign } from "node:crypto";
import { START } from "./engine.ts";
import {
  ed25519,
  encodePart,
  makeToken,
  otherRsa,
  p256,
  p384,
  rsa,
  secp256k1,
  signInput,
  spkiPem,
} from "./tokens.ts";

/** Whose tokens the authenticator takes; `jwks` is a set of `rsa` (kid `r`) and `p256` (kid `e`). */
export type Keys = "hmac" | "rsa" | "p256" | "p384" | "ed25519" | "jwks";

export interface HostileToken {
  readonly name: string;
  readonly keys: Keys;
  readonly token: string | Uint8Array;
  /** `allow`, or the reason of the refusal. */
  readonly strict: string;
  /** In emqx mode, where what does not verify is ignored: `ignored`, `allow`, or the reason. */
  readonly emqx: string;
}

export const SECRET = "a secret of more than 32 characters";
export const CLAIMS = { sub: "c1", exp: START + 100 };

const row =
  (strict: string, emqx = "ignored") =>
  (keys: Keys, name: string, token: string | Uint8Array): HostileToken => ({
    name,
    keys,
    token,
    strict,
    emqx,
  });

const allowed = row("allow", "allow");
const malformed = row("malformed_token");
const badSignature = row("bad_signature");
const algNotAllowed = row("alg_not_allowed");
const noKey = row("no_key");
const badPayload = row("bad_payload");

const input = (header: unknown, payload: unknown = CLAIMS): string =>
  `${encodePart(header)}.${encodePart(payload)}`;
const sealed = (signed: string, signature: Uint8Array): string =>
  `${signed}.${encodePart(signature)}`;
const hmac = (payload: unknown, header: unknown = { alg: "HS256" }): string =>
  makeToken("HS256", SECRET, payload, header);
const rs = (payload: unknown, header: unknown = { alg: "RS256" }, key = rsa.privateKey): string =>
  makeToken("RS256", key, payload, header);

const signers: readonly [Keys, string, KeyObject | string][] = [
  ["hmac", "HS256", SECRET],
  ["rsa", "RS256", rsa.privateKey],
  ["rsa", "PS256", rsa.privateKey],
  ["p256", "ES256", p256.privateKey],
  ["p384", "ES384", p384.privateKey],
  ["ed25519", "EdDSA", ed25519.privateKey],
  ["jwks", "RS256", rsa.privateKey],
  ["jwks", "ES256", p256.privateKey],
];

/** The same claims, honestly signed: whatever is refused below is refused for its trick alone. */
export const honest: readonly HostileToken[] = signers.map(([keys, alg, key]) =>
  allowed(keys, alg, makeToken(alg, key, CLAIMS)),
);

/** A public key in every form that could be taken for a secret. */
function asSecrets(key: KeyObject): readonly string[] {
  const pem = spkiPem(key);
  const jwk = key.export({ format: "jwk" });
  const der = key.export({ type: "spki", format: "der" });
  const pieces = [jwk.n, jwk.x].filter((part) => part !== undefined);
  return [
    ...[pem, pem.trimEnd(), pem.replaceAll("\n", "\r\n"), JSON.stringify(jwk)],
    ...[der.toString("latin1"), der.toString("base64"), ...pieces, ""],
  ];
}

const confusion: readonly HostileToken[] = [
  ...(["rsa", "p256", "ed25519", "jwks"] as const).flatMap((keys) => {
    const { publicKey } = { rsa, p256, ed25519, jwks: rsa }[keys];
    return asSecrets(publicKey).flatMap((secret, index) =>
      ["HS256", "HS384", "HS512"].map((alg) =>
        algNotAllowed(
          keys,
          `${alg} with form ${index} of the public key`,
          makeToken(alg, secret, CLAIMS),
        ),
      ),
    );
  }),
  ...signers
    .filter(([keys]) => keys !== "hmac")
    .map(([, alg, key]) =>
      algNotAllowed("hmac", `${alg} where a secret is shared`, makeToken(alg, key, CLAIMS)),
    ),
  noKey("rsa", "ES256 for an RSA key", makeToken("ES256", p256.privateKey, CLAIMS)),
  noKey("rsa", "EdDSA for an RSA key", makeToken("EdDSA", ed25519.privateKey, CLAIMS)),
  noKey("p256", "RS256 for a P-256 key", rs(CLAIMS)),
  noKey("p256", "ES384 header, signed with P-256", makeToken("ES384", p256.privateKey, CLAIMS)),
  noKey("p384", "ES256 header, signed with P-384", makeToken("ES256", p384.privateKey, CLAIMS)),
  badSignature("p256", "secp256k1", makeToken("ES256", secp256k1.privateKey, CLAIMS)),
  badSignature("rsa", "another RSA key", rs(CLAIMS, { alg: "RS256" }, otherRsa.privateKey)),
  ...["RS384", "RS512", "PS256", "PS384"].map((alg) =>
    badSignature("rsa", `${alg} header over an RS256 signature`, rs(CLAIMS, { alg })),
  ),
  ...["RS256", "PS384", "PS512"].map((alg) =>
    badSignature(
      "rsa",
      `${alg} header over a PS256 signature`,
      makeToken("PS256", rsa.privateKey, CLAIMS, { alg }),
    ),
  ),
  badSignature("p256", "ES256 header over an RSA signature", rs(CLAIMS, { alg: "ES256" })),
  badSignature("hmac", "HS512 header over an HS256 code", hmac(CLAIMS, { alg: "HS512" })),
];

const NONE = [
  "none",
  "None",
  "NONE",
  "nOnE",
  "none ",
  " none",
  "",
  "no\u0000ne",
  "none\n",
  null,
  false,
  0,
  [],
  ["none"],
  {},
];
const OTHER = [
  "hs256",
  "HS256 ",
  "HS1",
  "HS",
  "ES256K",
  "Ed25519",
  "RSA1_5",
  "dir",
  "A128KW",
  "__proto__",
  "constructor",
  "toString",
];

const algorithms: readonly HostileToken[] = (["hmac", "rsa", "jwks"] as const).flatMap((keys) =>
  [...NONE, ...OTHER].flatMap((alg) => {
    const signed = input({ alg });
    const name = `alg ${JSON.stringify(alg)}`;
    return [
      algNotAllowed(keys, `${name} without a signature`, `${signed}.`),
      algNotAllowed(
        keys,
        `${name} with a good one`,
        keys === "hmac" ? hmac(CLAIMS, { alg }) : rs(CLAIMS, { alg }),
      ),
    ];
  }),
);

/** What is left, added and doubled of a signature. */
function mangled(signature: Buffer): readonly [string, Buffer][] {
  const zero = Buffer.of(0);
  const flip = (at: number): Buffer => {
    const copy = Buffer.from(signature);
    copy[at]! ^= 1;
    return copy;
  };
  return [
    ["empty", Buffer.alloc(0)],
    ["one byte", signature.subarray(0, 1)],
    ["without its last byte", signature.subarray(0, -1)],
    ["without its first byte", signature.subarray(1)],
    ["half", signature.subarray(0, signature.length / 2)],
    ["with a zero after", Buffer.concat([signature, zero])],
    ["with a zero before", Buffer.concat([zero, signature])],
    ["twice", Buffer.concat([signature, signature])],
    ["of zeros", Buffer.alloc(signature.length)],
    ["of ones", Buffer.alloc(signature.length, 0xff)],
    ["flipped in its first bit", flip(0)],
    ["flipped in its last bit", flip(signature.length - 1)],
    ["reversed", Buffer.from(signature).reverse()],
  ];
}

const signatures: readonly HostileToken[] = signers.flatMap(([keys, alg, key]) => {
  const signed = input({ alg });
  return mangled(signInput(alg, key, signed)).map(([what, signature]) =>
    badSignature(keys, `${alg}, a signature ${what}`, sealed(signed, signature)),
  );
});

/** Order of the group of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const scalar = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, "0"), "hex");
const pair = (r: bigint, s: bigint): Buffer => Buffer.concat([scalar(r), scalar(s)]);

const ecdsa: readonly HostileToken[] = (() => {
  const signed = input({ alg: "ES256" });
  const good = signInput("ES256", p256.privateKey, signed);
  const r = BigInt(`0x${good.toString("hex", 0, 32)}`);
  const s = BigInt(`0x${good.toString("hex", 32)}`);
  const values: readonly [string, bigint, bigint][] = [
    ["r = 0", 0n, s],
    ["s = 0", r, 0n],
    ["r = s = 0", 0n, 0n],
    ["r = s = 1", 1n, 1n],
    ["r = n", ORDER, s],
    ["s = n", r, ORDER],
    ["r = s = n", ORDER, ORDER],
    ["r = n - 1", ORDER - 1n, s],
    ["r = n + 1", ORDER + 1n, s],
    ["r and s swapped", s, r],
    ["r = n - r", ORDER - r, s],
    ["r = 2^256 - 1", 2n ** 256n - 1n, s],
  ];
  const der = sign("sha256", Buffer.from(signed), { key: p256.privateKey, dsaEncoding: "der" });
  return [
    ...values.map(([name, a, b]) => badSignature("p256", name, sealed(signed, pair(a, b)))),
    badSignature("p256", "DER", sealed(signed, der)),
    badSignature(
      "p256",
      "P-384's length",
      sealed(signed, Buffer.concat([good, good.subarray(0, 32)])),
    ),
    // The other root is as good as the first: a token must not be known by its signature alone.
    allowed("p256", "s = n - s", sealed(signed, pair(r, ORDER - s))),
  ];
})();

/** A PKCS#1 block of the key's length, which no honest signer would make. */
const block = (start: readonly number[], filler: number, end: Uint8Array, after = 0): Buffer =>
  Buffer.concat([
    Buffer.from(start),
    Buffer.alloc(256 - start.length - end.length - after, filler),
    end,
    Buffer.alloc(after, 0x5a),
  ]);

const rsaPadding: readonly HostileToken[] = (() => {
  const signed = input({ alg: "RS256" });
  const sha256 = createHash("sha256").update(signed).digest();
  const id = Buffer.from("608648016503040201", "hex");
  const prefix = Buffer.from("3031300d060960864801650304020105000420", "hex");
  const info = Buffer.concat([Buffer.of(0), prefix, sha256]);
  const withoutNull = Buffer.concat([
    Buffer.of(0),
    Buffer.from("302f300b0609", "hex"),
    id,
    Buffer.from("0420", "hex"),
    sha256,
  ]);
  const sha1 = createHash("sha1").update(signed).digest();
  const sha1Info = Buffer.concat([
    Buffer.of(0),
    Buffer.from("3021300906052b0e03021a05000414", "hex"),
    sha1,
  ]);
  const raw = (em: Buffer): Buffer =>
    privateEncrypt({ key: rsa.privateKey, padding: constants.RSA_NO_PADDING }, em);
  const good = signInput("RS256", rsa.privateKey, signed);
  const { n = "" } = rsa.publicKey.export({ format: "jwk" });
  const modulus = BigInt(`0x${Buffer.from(n, "base64url").toString("hex")}`);
  const number = (value: bigint): Buffer =>
    Buffer.from(value.toString(16).padStart(512, "0"), "hex");
  const overflowing = BigInt(`0x${good.toString("hex")}`) + modulus;
  return [
    allowed(
      "rsa",
      "a block made by hand as it should be",
      sealed(signed, raw(block([0, 1], 0xff, info))),
    ),
    ...(
      [
        ["block type 2", block([0, 2], 0xff, info)],
        ["block type 0", block([0, 0], 0, info)],
        ["filler that is not ff", block([0, 1], 0xfe, info)],
        ["rubbish behind the digest", Buffer.concat([block([0, 1], 0xff, info, 100)])],
        [
          "a digest without its algorithm",
          block([0, 1], 0xff, Buffer.concat([Buffer.of(0), sha256])),
        ],
        ["an algorithm without NULL", block([0, 1], 0xff, withoutNull)],
        ["a SHA-1 digest", block([0, 1], 0xff, sha1Info)],
      ] as const
    ).map(([name, em]) => badSignature("rsa", name, sealed(signed, raw(em)))),
    badSignature("rsa", "signature = 1", sealed(signed, number(1n))),
    badSignature("rsa", "signature = n - 1", sealed(signed, number(modulus - 1n))),
    badSignature("rsa", "signature = n", sealed(signed, number(modulus))),
    badSignature(
      "rsa",
      "signature + n",
      sealed(signed, Buffer.from(overflowing.toString(16).padStart(514, "0"), "hex")),
    ),
  ];
})();

const PROTECTED = { alg: "HS256" };

const headers: readonly HostileToken[] = [
  allowed("hmac", "alg twice, the first good", hmac(CLAIMS, '{"alg":"HS256","alg":"none"}')),
  algNotAllowed("hmac", "alg twice, the first none", hmac(CLAIMS, '{"alg":"none","alg":"HS256"}')),
  algNotAllowed("hmac", "alg in another case", hmac(CLAIMS, { ALG: "HS256" })),
  algNotAllowed("hmac", "alg inherited", hmac(CLAIMS, '{"__proto__":{"alg":"HS256"}}')),
  algNotAllowed("hmac", "no members", hmac(CLAIMS, "{}")),
  ...[["exp"], ["b64"], [], "exp", null, {}, ["x", "x"]].map((crit) =>
    row("malformed_token", "allow")(
      "hmac",
      `crit ${JSON.stringify(crit)}`,
      hmac(CLAIMS, { ...PROTECTED, crit }),
    ),
  ),
  badSignatureOrMalformed(
    "b64 false over the encoded payload",
    hmac(CLAIMS, { ...PROTECTED, b64: false }),
  ),
  row("malformed_token", "allow")(
    "hmac",
    "b64 false over the payload itself",
    rawPayload({ ...PROTECTED, b64: false }),
  ),
  row("malformed_token", "allow")(
    "hmac",
    "b64 false, and crit",
    rawPayload({ ...PROTECTED, b64: false, crit: ["b64"] }),
  ),
  ...["false", 0, null, []].map((b64) =>
    row("malformed_token")(
      "hmac",
      `b64 ${JSON.stringify(b64)}`,
      hmac(CLAIMS, { ...PROTECTED, b64 }),
    ),
  ),
  allowed(
    "hmac",
    "typ, cty and unknown members",
    hmac(CLAIMS, { ...PROTECTED, typ: "at+jwt", cty: "x", zip: "DEF" }),
  ),
  ...[
    "[]",
    "null",
    '"HS256"',
    "1",
    "",
    '{"alg":"HS256"',
    '{"alg":"HS256"}}',
    '\ufeff{"alg":"HS256"}',
    '{"alg":"HS256",}',
  ].map((header) => malformed("hmac", `header ${JSON.stringify(header)}`, hmac(CLAIMS, header))),
  malformed(
    "hmac",
    "a header of 20,000 open brackets",
    hmac(CLAIMS, `{"alg":${"[".repeat(20_000)}`),
  ),
  malformed("hmac", "a header that is not UTF-8", hmac(CLAIMS, Uint8Array.of(0x7b, 0xff, 0x7d))),
];

function badSignatureOrMalformed(name: string, token: string): HostileToken {
  return row("malformed_token")("hmac", name, token);
}

/** Signed as RFC 7797 has it, sent as this dialect has it. */
function rawPayload(header: unknown): string {
  const payload = JSON.stringify(CLAIMS);
  const signature = signInput("HS256", SECRET, `${encodePart(header)}.${payload}`);
  return `${encodePart(header)}.${encodePart(payload)}.${encodePart(signature)}`;
}

const HOSTILE_KIDS = [
  "../../../../dev/null",
  "/etc/passwd",
  "' OR '1'='1",
  "r' UNION SELECT 'k",
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "",
  "R",
  "r ",
  "r\u0000",
  "${clientid}",
  "k".repeat(30_000),
];

const kids: readonly HostileToken[] = [
  allowed("jwks", "the right kid", rs(CLAIMS, { alg: "RS256", kid: "r" })),
  ...HOSTILE_KIDS.map((kid) =>
    row("no_key", "allow")(
      "jwks",
      `kid ${JSON.stringify(kid.slice(0, 40))}`,
      rs(CLAIMS, { alg: "RS256", kid }),
    ),
  ),
  // What is no text is no name.
  ...[1, null, ["r"], { r: 1 }, true].map((kid) =>
    allowed("jwks", `kid ${JSON.stringify(kid)}`, rs(CLAIMS, { alg: "RS256", kid })),
  ),
  noKeyOfKid("the kid of another kind of key", rs(CLAIMS, { alg: "RS256", kid: "e" })),
  badSignature(
    "jwks",
    "the right kid over another key",
    rs(CLAIMS, { alg: "RS256", kid: "r" }, otherRsa.privateKey),
  ),
];

function noKeyOfKid(name: string, token: string): HostileToken {
  return row("no_key", "allow")("jwks", name, token);
}

/** Keys that a token brings or points at; `url` is watched. */
export function keysInTokens(url: string): readonly HostileToken[] {
  const jwk = otherRsa.publicKey.export({ format: "jwk" });
  const der = otherRsa.publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const brought = { jwk, jku: url, x5u: url, x5c: [der], x5t: "AAAA", kid: url, iss: url };
  const names = ["jwk", "jku", "x5u", "x5c"] as const;
  return names
    .flatMap((name) => {
      const header = { alg: "RS256", [name]: brought[name] };
      return [
        badSignature("rsa", `${name} of the attacker`, rs(CLAIMS, header, otherRsa.privateKey)),
        badSignature("jwks", `${name} of the attacker`, rs(CLAIMS, header, otherRsa.privateKey)),
        allowed("rsa", `${name}, honestly signed`, rs(CLAIMS, header)),
      ];
    })
    .concat(
      badSignature(
        "rsa",
        "all of them",
        rs(CLAIMS, { alg: "RS256", ...brought }, otherRsa.privateKey),
      ),
      algNotAllowed("rsa", "none, with a jwk", `${input({ alg: "none", jwk })}.`),
      row("no_key")(
        "jwks",
        "a kid that is an address",
        makeToken("ES384", p384.privateKey, CLAIMS, { alg: "ES384", kid: url }),
      ),
    );
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The part with an unused bit of its last character set: another text, the same bytes. */
const stray = (part: string): string =>
  part.slice(0, -1) + ALPHABET[ALPHABET.indexOf(part.at(-1)!) ^ 1];

const shapes: readonly HostileToken[] = (() => {
  // Lengths that leave unused bits in each part.
  const good = hmac({ ...CLAIMS, p: "x" }, { alg: "HS256", k: 10 });
  const [header, payload, signature] = good.split(".") as [string, string, string];
  if (header.length % 4 === 0 || payload.length % 4 === 0) throw new Error("no unused bits");
  const rest = `${payload}.${signature}`;
  return [
    allowed("hmac", "as it was made", good),
    badSignature("hmac", "unused bits in the header", `${stray(header)}.${rest}`),
    // The payload counts by its bytes, and so does the signature: nothing is believed but them.
    allowed("hmac", "unused bits in the payload", `${header}.${stray(payload)}.${signature}`),
    allowed("hmac", "unused bits in the signature", `${header}.${payload}.${stray(signature)}`),
    allowed("hmac", "padding after the signature", `${good}=`),
    malformed("hmac", "too much padding", `${good}==`),
    malformed("hmac", "padding in the middle", `${header}.${payload}.=${signature}`),
    badSignature(
      "hmac",
      "padding after the header",
      `${header}${"=".repeat(4 - (header.length % 4))}.${rest}`,
    ),
    ...["+", "/", " ", "\t", "\n", "\u0000", "=", "*", "é", "\u2028"].map((character) =>
      malformed(
        "hmac",
        `${JSON.stringify(character)} in the payload`,
        `${header}.${payload.slice(0, 4)}${character}${payload.slice(5)}.${signature}`,
      ),
    ),
    malformed("hmac", "a left-over character", `${header}.${rest}AA`),
    malformed("hmac", "two parts", `${header}.${payload}`),
    malformed("hmac", "four parts", `${good}.`),
    malformed("hmac", "JWE, five parts", `${header}.${payload}.${payload}.${payload}.${signature}`),
    malformed(
      "hmac",
      "JWE, empty parts",
      "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA",
    ),
    malformed("hmac", "flattened JSON", JSON.stringify({ protected: header, payload, signature })),
    malformed(
      "hmac",
      "general JSON",
      JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    ),
    malformed("hmac", "two tokens", `${good},${good}`),
    malformed("hmac", "Bearer", `Bearer ${good}`),
    malformed("hmac", "a space before", ` ${good}`),
    malformed("hmac", "a line feed after", `${good}\n`),
    malformed("hmac", "UTF-16", Buffer.from(good, "utf16le")),
    malformed("hmac", "a byte order mark before", `\ufeff${good}`),
    malformed("hmac", "no header", `.${rest}`),
    badSignature("hmac", "no payload", `${header}..${signature}`),
  ];
})();

const deep = `{"sub":"c1","x":${"[".repeat(15_000)}${"]".repeat(15_000)}}`;
const expired = row("expired", "expired");
const early = row("not_yet_valid", "not_yet_valid");

const payloads: readonly HostileToken[] = [
  ...[
    "",
    "null",
    "1",
    "[1]",
    '"x"',
    "{",
    '{"a":1}x',
    '\ufeff{"sub":"c1"}',
    '{"a":"\\ud800"}',
    '{"a":1e400}',
    '{"a":01}',
    "{'a':1}",
    '{"a":NaN}',
  ].map((payload) => badPayload("hmac", `payload ${JSON.stringify(payload)}`, hmac(payload))),
  badPayload("hmac", "not UTF-8", hmac(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d))),
  badPayload(
    "hmac",
    "UTF-8 in more bytes than it needs",
    hmac(Uint8Array.from([...Buffer.from('{"a":"'), 0xc0, 0xaf, ...Buffer.from('"}')])),
  ),
  badPayload("hmac", "a token in the token", hmac(hmac(CLAIMS), { ...PROTECTED, cty: "JWT" })),
  allowed("hmac", "15,000 lists in one another", hmac(deep)),
  badPayload("hmac", "20,000 open lists", hmac("[".repeat(20_000))),
  allowed("hmac", "exp twice, the last good", hmac(`{"exp":1,"exp":${START + 1}}`)),
  expired("hmac", "exp twice, the last over", hmac(`{"exp":${START + 1},"exp":1}`)),
  allowed("hmac", "exp one second ahead", hmac({ exp: START + 1 })),
  expired("hmac", "exp now", hmac({ exp: START })),
  expired("hmac", "exp a second ago", hmac({ exp: START - 1 })),
  row("allow", "ignored")("hmac", "exp half a second ahead", hmac(`{"exp":${START}.5}`)),
  expired("hmac", "exp in milliseconds, negative", hmac({ exp: -START * 1000 })),
  ...[
    "0",
    "-0",
    "null",
    "true",
    "{}",
    "[]",
    '""',
    '"soon"',
    '" 9999999999"',
    '"0x7fffffffffff"',
    '"Infinity"',
    `[${START + 5}]`,
  ].map((exp) => expired("hmac", `exp ${exp}`, hmac(`{"exp":${exp}}`))),
  allowed("hmac", "exp beyond every clock", hmac(`{"exp":${"9".repeat(300)}}`)),
  expired("hmac", "exp before every clock", hmac(`{"exp":-${"9".repeat(300)}}`)),
  allowed("hmac", "nbf now", hmac({ nbf: START })),
  early("hmac", "nbf a second ahead", hmac({ nbf: START + 1 })),
  early("hmac", "nbf null", hmac({ nbf: null })),
  early("hmac", "nbf beyond every clock", hmac(`{"nbf":${"9".repeat(300)}}`)),
  allowed("hmac", "exp inherited", hmac('{"__proto__":{"exp":1}}')),
];

/** A token of exactly this many bytes. */
function ofLength(length: number): string {
  for (let more = 0; more < 4; more += 1) {
    const header = { alg: "HS256", x: "y".repeat(more) };
    const around = hmac({ x: "" }, header).length;
    const filler = Math.floor(((length - around) * 3) / 4);
    for (let size = filler - 3; size <= filler + 3; size += 1) {
      const token = hmac({ x: "z".repeat(size) }, header);
      if (token.length === length) return token;
    }
  }
  throw new Error(`no token has ${length} bytes`);
}

const sizes: readonly HostileToken[] = [
  allowed("hmac", "65,535 bytes", ofLength(65_535)),
  malformed("hmac", "65,536 bytes", ofLength(65_536)),
  malformed("hmac", "65,535 dots", ".".repeat(65_535)),
  malformed("hmac", "65,535 letters", "A".repeat(65_535)),
];

/** Everything that needs no server, by trick. */
export const hostileTokens: Readonly<Record<string, readonly HostileToken[]>> = {
  "honest tokens": honest,
  "a key used for another algorithm": confusion,
  "algorithms that do not exist": algorithms,
  "mangled signatures": signatures,
  "numbers that are no ECDSA signature": ecdsa,
  "blocks that are no PKCS#1 signature": rsaPadding,
  "tricks in the header": headers,
  "tricks with the key id": kids,
  "tricks with the shape": shapes,
  "tricks in the payload": payloads,
  "tricks with the size": sizes,
};
