import { describe, expect, it } from "vitest";
import { ask, brief, N, raw, SECRET, token } from "../../support/jwt.ts";
import { encodePart, makeToken, signInput } from "../../support/tokens.ts";

describe("where the token is", () => {
  it("missing follows on_missing_jwt", async () => {
    expect(brief(await ask(undefined))).toBe("ignore missing_token");
    const config = { onMissingJwt: "deny" } as const;
    expect(brief(await ask(undefined, { config }))).toBe("0x86 missing_token");
  });

  it("an empty password is a broken token in emqx mode and a missing one in strict mode", async () => {
    expect(brief(await ask(""))).toBe("BFR malformed_token");
    expect(brief(await ask(new Uint8Array(), { preset: "strict" }))).toBe("ignore missing_token");
  });

  it("an enhanced authentication is left to others", async () => {
    const result = await ask(token({}), {}, { authMethod: "SCRAM-SHA-256" });
    expect(brief(result)).toBe("ignore auth_method_present");
  });

  it("may be in the username", async () => {
    const config = { from: "username" } as const;
    expect(brief(await ask(undefined, { config }, { username: token({}) }))).toBe("ok");
    expect(brief(await ask(token({}), { config }, { username: undefined }))).toBe(
      "ignore missing_token",
    );
  });

  it("may be text or bytes", async () => {
    expect(brief(await ask(Buffer.from(token({}))))).toBe("ok");
    expect(brief(await ask(new TextEncoder().encode(token({}))))).toBe("ok");
  });
});

describe("the structure of a token", () => {
  const good = token({});
  const [header, payload, signature] = good.split(".") as [string, string, string];

  it.each([
    ["hello", "hello"],
    ["two parts", "a.b"],
    ["a fourth part", `${good}.`],
    ["a left-over character", `${good}AA`],
    ["a trailing newline", `${good}\n`],
    ["a leading space", ` ${good}`],
    ["a Bearer prefix", `Bearer ${good}`],
    ["standard base64", `${header}.${payload}.${signature.replace(/.$/, "+")}`],
    ["padding in the middle of the signature", `${header}.${payload}.=${signature}`],
    ["JSON serialisation", JSON.stringify({ payload, protected: header, signature })],
    ["an empty header", `.${payload}.${signature}`],
    ["a header that is no JSON", makeToken("HS256", SECRET, {}, "x")],
    ["a header that is an array", makeToken("HS256", SECRET, {}, "[]")],
    ["a header that is not UTF-8", makeToken("HS256", SECRET, {}, Uint8Array.of(0x22, 0xff, 0x22))],
    ["characters beyond ASCII", `${header}.${payload}é.${signature}`],
    ["NUL bytes", `${good}\u0000`],
  ])("%s is no token", async (_what, text) => {
    expect(brief(await ask(text))).toBe("BFR malformed_token");
    // Strict: what has not the shape of a token is as good as none.
    expect(brief(await ask(text, { preset: "strict" }))).toBe("ignore malformed_token");
  });

  it("one character more makes another signature", async () => {
    expect(brief(await ask(`${good}A`))).toBe("BFR bad_signature");
  });

  it("blanks inside the header do not matter", async () => {
    expect(brief(await ask(makeToken("HS256", SECRET, {}, ' { "alg" : "HS256" } ')))).toBe("ok");
    expect(brief(await ask(makeToken("HS256", SECRET, {}, '{"alg":"\\u0048S256"}')))).toBe("ok");
  });

  it("padding of the signature is tolerated, of the header it breaks the signature", async () => {
    const pad = (part: string) => part + "=".repeat((4 - (part.length % 4)) % 4);
    expect(pad(signature)).not.toBe(signature);
    expect(brief(await ask(`${header}.${payload}.${pad(signature)}`))).toBe("ok");
    const longer = token({}, { alg: "HS256", typ: "JWT2" });
    const [head, ...rest] = longer.split(".") as [string, string, string];
    expect(pad(head)).not.toBe(head);
    expect(brief(await ask([pad(head), ...rest].join(".")))).toBe("BFR bad_signature");
  });

  it("the payload is signed in its canonical encoding", async () => {
    const padded = `${payload}${"=".repeat((4 - (payload.length % 4)) % 4)}`;
    expect(padded).not.toBe(payload);
    expect(brief(await ask(`${header}.${padded}.${signature}`))).toBe("ok");
    const overPadded = signInput("HS256", SECRET, `${header}.${padded}`).toString("base64url");
    expect(brief(await ask(`${header}.${padded}.${overPadded}`))).toBe("BFR bad_signature");
  });

  it("stray bits in the last character of the signature are tolerated", async () => {
    // 32 bytes leave two unused bits: the last character stands for four others as well.
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(signature.at(-1)!);
    const answers = await Promise.all(
      [last ^ 1, last ^ 3, last ^ 4].map(async (index) =>
        brief(await ask(`${header}.${payload}.${signature.slice(0, -1)}${alphabet[index]}`)),
      ),
    );
    expect(answers).toEqual(["ok", "ok", "BFR bad_signature"]);
  });

  it("b64 and crit are honoured and ignored in emqx mode, refused in strict mode", async () => {
    const unencoded = { alg: "HS256", b64: false };
    const input = `${encodePart(unencoded)}.{}`;
    const signed = signInput("HS256", SECRET, input).toString("base64url");
    const overRaw = `${encodePart(unencoded)}.${encodePart("{}")}.${signed}`;
    expect(brief(await ask(overRaw))).toBe("ok");
    expect(brief(await ask(token({}, unencoded)))).toBe("BFR bad_signature");
    expect(brief(await ask(token({}, { alg: "HS256", b64: "false" })))).toBe("BFR malformed_token");
    expect(brief(await ask(token({}, { alg: "HS256", crit: ["x"] })))).toBe("ok");
    const strict = { preset: "strict" } as const;
    expect(brief(await ask(overRaw, strict))).toBe("0x86 malformed_token");
    expect(brief(await ask(token({}, { alg: "HS256", crit: ["exp"] }), strict))).toBe(
      "0x86 malformed_token",
    );
    expect(brief(await ask(token({}, { alg: "HS256", b64: true }), strict))).toBe("ok");
  });

  it("the first of equal members counts in the header, the last in the payload", async () => {
    expect(brief(await ask(makeToken("HS256", SECRET, {}, '{"alg":"HS256","alg":"none"}')))).toBe(
      "ok",
    );
    expect(brief(await ask(makeToken("HS256", SECRET, {}, '{"alg":"none","alg":"HS256"}')))).toBe(
      "BFR alg_not_allowed",
    );
    expect(brief(await ask(raw(`{"exp":${N - 5},"exp":${N + 5}}`)))).toBe("ok");
    expect(brief(await ask(raw(`{"exp":${N + 5},"exp":${N - 5}}`)))).toBe("0x86 expired");
  });
});

describe("hostile sizes", () => {
  it("10,000 dots, 64 KiB of anything and 60 KB of nested arrays are refused or read in time", async () => {
    expect(brief(await ask(".".repeat(10_000)))).toBe("BFR malformed_token");
    expect(brief(await ask("A".repeat(65_535)))).toBe("BFR malformed_token");
    expect(brief(await ask(`${"A".repeat(32_000)}.${"B".repeat(32_000)}.`))).toBe(
      "BFR malformed_token",
    );
    const nested = `{"a":${"[".repeat(22_000)}1.5${"]".repeat(22_000)}}`;
    expect(brief(await ask(raw(nested)))).toBe("ok");
    expect(brief(await ask(raw("[".repeat(44_000))))).toBe("BFR bad_payload");
    expect(brief(await ask(makeToken("HS256", SECRET, {}, `{"alg":${"[".repeat(30_000)}`)))).toBe(
      "BFR malformed_token",
    );
  });

  it("a token of 65,535 bytes is read, one byte more is not", async () => {
    const overhead = token({ x: "" }).length;
    const longest = token({ x: "y".repeat(Math.floor(((65_535 - overhead) * 3) / 4)) });
    expect(longest.length).toBeGreaterThan(65_530);
    expect(longest.length).toBeLessThanOrEqual(65_535);
    expect(brief(await ask(longest))).toBe("ok");
    const longer = token({ x: "y".repeat(Math.ceil(((65_540 - overhead) * 3) / 4)) });
    expect(longer.length).toBeGreaterThan(65_535);
    expect(brief(await ask(longer))).toBe("BFR malformed_token");
  });
});

describe("the payload", () => {
  it.each([
    "[1]",
    '"hello"',
    "hello",
    "",
    "null",
    "1",
    '{"a":1}x',
    "\ufeff{}",
    '{"a":"\\ud800"}',
    '{"a":1E400}',
  ])("%j is no object", async (text) => {
    expect(brief(await ask(raw(text)))).toBe("BFR bad_payload");
    expect(brief(await ask(raw(text), { preset: "strict" }))).toBe("0x86 bad_payload");
  });

  it("has to be UTF-8", async () => {
    const bytes = Uint8Array.from([...Buffer.from('{"a":"'), 0xff, ...Buffer.from('"}')]);
    expect(brief(await ask(token(bytes)))).toBe("BFR bad_payload");
  });

  it("may be empty of claims", async () => {
    expect(await ask(token({}))).toEqual({
      type: "ok",
      data: {
        isSuperuser: false,
        clientAttrs: {},
        expireAtMs: undefined,
        acl: undefined,
        clientIdOverride: undefined,
      },
    });
  });
});

describe("what the operator is told", () => {
  it("names alg and kid, cut short and made printable, and nothing else of the token", async () => {
    const header = { alg: "HS999`\u001b[31m", kid: `k${"é".repeat(100)}`, x: "header-s3cret" };
    const result = await ask(token({ sub: "payload-s3cret" }, header));
    if (result.type !== "failure") throw new Error(brief(result));
    expect(result.message).toMatch(/alg `HS999\?\?\[31m`, kid `k\?{39}…`/);
    expect(result.message).not.toContain("s3cret");
  });
});
