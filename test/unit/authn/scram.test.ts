import { beforeEach, describe, expect, it } from "vitest";
import type { Authenticator, AuthnResult } from "../../../src/authn/authenticator.ts";
import {
  readClientFinal,
  readClientFirst,
  SCRAM_MESSAGE_BYTES_MAX,
} from "../../../src/authn/scram/message.ts";
import { createScramDatabaseAuthenticator } from "../../../src/authn/scram-database.ts";
import { type Preset, resolveSwitches } from "../../../src/config/compatibility.ts";
import type { ScramConfig } from "../../../src/config/config.ts";
import type { ClientInfo, Text } from "../../../src/types.ts";
import { ScramClient, type ScramLogin } from "../../support/scram-client.ts";
import { FakeUserDatabase } from "../../support/user-database.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined): string => new TextDecoder().decode(data);

describe("a client-first message", () => {
  it.each([
    ["n,,n=dev,r=abcXYZ", "n", "dev", "abcXYZ"],
    ["y,,n=dev,r=abcXYZ", "y", "dev", "abcXYZ"],
    ["n,a=other,n=dev,r=a", "n", "dev", "a"],
    ["n,a=x=2Cy=3D,n=dev,r=a", "n", "dev", "a"],
    ["n,,n=a=2Cb=3Dc,r=a", "n", "a,b=c", "a"],
    ["n,,n==3D2C,r=a", "n", "=2C", "a"],
    ["n,,n=dév 漢,r=!~", "n", "dév 漢", "!~"],
    ["n,,n=dev,r=a=b,x=ext=1,Z=2", "n", "dev", "a=b"],
  ])("%s is read", (message, flag, user, nonce) => {
    const read = readClientFirst(bytes(message));
    expect(read).toMatchObject({ flag, user, nonce });
    expect(message.endsWith(`,${read?.bare}`)).toBe(true);
  });

  it.each([
    ["", "n,,n=dev", "n,,r=a", "n,n=dev,r=a", ",,n=dev,r=a", "N,,n=dev,r=a", "n, ,n=dev,r=a"],
    ["p=tls-unique,,n=dev,r=a", "p=x,a=b,n=dev,r=a"],
    ["n,,m=x,n=dev,r=a", "n,,n=dev,r=a,m=x", "n,,n=dev,r=a,M", "n,,n=dev,r=a,x="],
    ["n,,n=,r=a", "n,,n=dev,r=", "n,,n=a=b,r=a", "n,,n=a=2c,r=a", "n,,n=a=,r=a", "n,,n=a\0b,r=a"],
    ["n,,n=dev,r=a b", "n,,n=dev,r=é", "n,,n=dev,r=a\n", "n,,r=a,n=dev", "n,,n=dev,r=a,r=b"],
    ["n,a=,n=dev,r=a", "n,b=x,n=dev,r=a", " n,,n=dev,r=a", "n,,n=dev,r=a,"],
  ])("%s and others are not", (...messages) => {
    for (const message of messages)
      expect(readClientFirst(bytes(message)), message).toBeUndefined();
  });

  it("is UTF-8, and no longer than the limit", () => {
    const invalid = Buffer.concat([bytes("n,,n=d"), Buffer.of(0xff), bytes(",r=a")]);
    expect(readClientFirst(invalid)).toBeUndefined();
    const longest = `n,,n=dev,r=${"a".repeat(SCRAM_MESSAGE_BYTES_MAX - 11)}`;
    expect(readClientFirst(bytes(longest))).toBeDefined();
    expect(readClientFirst(bytes(`${longest}a`))).toBeUndefined();
  });
});

describe("a client-final message", () => {
  it.each([
    ["c=biws,r=ab,p=AAAA", "n", "ab", "c=biws,r=ab"],
    ["c=eSws,r=ab,p=AA==", "y", "ab", "c=eSws,r=ab"],
    [`c=${btoa("n,a=x,")},r=ab,x=1,p=AAAA`, "n", "ab", `c=${btoa("n,a=x,")},r=ab,x=1`],
  ])("%s is read", (message, flag, nonce, withoutProof) => {
    expect(readClientFinal(bytes(message))).toMatchObject({ flag, nonce, withoutProof });
  });

  it.each([
    ["", "c=biws,r=ab", "r=ab,c=biws,p=AAAA", "c=biws,p=AAAA", "c=biws,r=ab,p=AAAA,x=1"],
    ["c=biws,r=ab,p=A", "c=biws,r=ab,p=AAAA=", "c=biws,r=ab,p=", "c=biws,r=ab,p=AA-_"],
    [
      "c=biw,r=ab,p=AAAA",
      "c=,r=ab,p=AAAA",
      `c=${btoa("n")},r=a,p=AAAA`,
      `c=${btoa("n,,x")},r=a,p=AAAA`,
    ],
    [`c=${btoa("p=x,,")},r=a,p=AAAA`, `c=${btoa("n,b=x,")},r=a,p=AAAA`, "c=biws,r=ab,m=1,p=AAAA"],
    ["c=biws,r=ab,c=eSws,p=AAAA", "c=biws,r=ab,p=AAAA,p=AAAA", "c=biws,r=a\0,p=AAAA"],
  ])("%s and others are not", (...messages) => {
    for (const message of messages)
      expect(readClientFinal(bytes(message)), message).toBeUndefined();
  });
});

const CONFIG: ScramConfig = {
  mechanism: "scram",
  backend: "built_in_database",
  id: "scram:built_in_database",
  path: "authentication[1]",
  enable: true,
  algorithm: "sha256",
  iterationCount: 4096,
  bindsIdentity: true,
};

interface Options {
  readonly config?: Partial<ScramConfig>;
  readonly preset?: Preset;
  readonly client?: Partial<ClientInfo>;
  readonly clientAttrs?: Record<string, Text>;
}

let users: FakeUserDatabase;
beforeEach(() => {
  users = new FakeUserDatabase();
});

function make({ config, preset = "strict" }: Options = {}): Authenticator {
  const creation = createScramDatabaseAuthenticator(
    { ...CONFIG, ...config },
    {
      mode: { switches: resolveSwitches(preset), securityProfile: "legacy" },
      users,
      randomBytes: () => Buffer.from("0123456789ABCDEF", "base64"),
      decoySecret: Buffer.alloc(32, 7),
    },
  );
  if (!creation.ok) throw new Error("not made");
  return creation.authenticator;
}

/** Both messages; `last` may change the second. */
async function login(
  who: ScramLogin,
  options: Options = {},
  last: (message: string) => string = (message) => message,
): Promise<{ first: AuthnResult; last: AuthnResult | undefined; client: ScramClient }> {
  const scram = make(options);
  const client = new ScramClient(who);
  const { clientAttrs = {} } = options;
  const info: ClientInfo = { clientId: "c1", authMethod: client.method, ...options.client };
  const ask = (authData: Uint8Array, cache?: unknown) =>
    scram.authenticate({ client: { ...info, authData }, clientAttrs, cache });
  const first = await ask(client.first);
  const begun = first.type === "ignore" ? first.otherwise : first;
  if (begun?.type !== "continue") return { first, last: undefined, client };
  const answer = last(text(client.answer(begun.data)));
  return { first, last: await ask(bytes(answer), begun.cache), client };
}

const DEV: ScramLogin = { user: "dev", password: "s3cr&t" };

describe("appendix D", () => {
  it("comes out byte for byte", async () => {
    users.addScram("/dev", DEV.password);
    const scram = make();
    const ask = (data: string, cache?: unknown) =>
      scram.authenticate({
        client: { clientId: "c1", authMethod: "SCRAM-SHA-256", authData: bytes(data) },
        clientAttrs: {},
        cache,
      });
    const first = await ask("n,,n=dev,r=abcXYZ");
    if (first.type !== "continue") throw new Error(first.type);
    expect(text(first.data)).toBe(
      "r=abcXYZ0123456789ABCDEF,s=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=,i=4096",
    );
    const last = await ask(
      "c=biws,r=abcXYZ0123456789ABCDEF,p=2VA2ZoapIMz9YbMlyG1V5CZYbRQQhUQ1ANAAhkVV0ao=",
      first.cache,
    );
    if (last.type !== "ok") throw new Error(last.type);
    expect(text(last.data.authData)).toBe("v=2xMuz1LkkefnY8YMFQdbNC695FqYnKuVfuueJKfJcQs=");
    expect(users.scramUsers.get("sha256//dev")?.storedKey.toString()).toBe(
      Buffer.from(
        "3ad7c18d3edf874a530ba69f2d0c837222874914d381de15c27f250d8c600244",
        "hex",
      ).toString(),
    );
  });
});

describe.each(["sha256", "sha512"] as const)("SCRAM with %s", (hash) => {
  const who = { ...DEV, hash };
  const config = { algorithm: hash };

  it("accepts the password, and shows that it knows it", async () => {
    users.addScram("/dev", DEV.password, { hash, isSuperuser: true });
    const { last, client } = await login(who, { config });
    expect(last).toMatchObject({ type: "ok", data: { isSuperuser: true, username: "dev" } });
    expect(client.trusts(last?.type === "ok" ? last.data.authData : undefined)).toBe(true);
  });

  it("refuses another password", async () => {
    users.addScram("/dev", DEV.password, { hash });
    const { last } = await login({ ...who, password: "s3cr&T" }, { config });
    expect(last).toMatchObject({ type: "deny", reason: "wrong_password", code: 0x87 });
  });

  it("leaves clients with another method, or without data, to others", async () => {
    const ask = (client: Partial<ClientInfo>) =>
      make({ config }).authenticate({ client: { clientId: "c", ...client }, clientAttrs: {} });
    const other = hash === "sha256" ? "SCRAM-SHA-512" : "SCRAM-SHA-256";
    const authData = bytes("n,,n=dev,r=a");
    expect(await ask({ authMethod: other, authData })).toMatchObject({ type: "ignore" });
    expect(await ask({ password: "s3cr&t", authData })).toMatchObject({ type: "ignore" });
    const own = hash === "sha256" ? "SCRAM-SHA-256" : "SCRAM-SHA-512";
    expect(await ask({ authMethod: own })).toMatchObject({ reason: "missing_auth_data" });
    expect(await ask({ authMethod: own, authData: bytes("") })).toMatchObject({
      type: "deny",
      reason: "malformed_exchange",
      code: 0x87,
    });
  });
});

describe("the last message", () => {
  beforeEach(() => users.addScram("/dev", DEV.password));

  it.each<[string, (message: string) => string]>([
    ["another nonce", (message) => message.replace("r=abcXYZ", "r=abcXYz")],
    ["the client's nonce alone", (message) => message.replace(/r=[^,]*/, "r=abcXYZ")],
    ["another flag", (message) => message.replace("c=biws", "c=eSws")],
    ["nothing", () => ""],
    ["an extension that must be understood", (message) => message.replace(",p=", ",m=1,p=")],
  ])("with %s is refused", async (_, change) => {
    const { last } = await login(DEV, {}, change);
    expect(last).toMatchObject({ type: "deny", reason: "malformed_exchange", code: 0x87 });
  });

  it.each<[string, (message: string) => string]>([
    ["a proof of zeros", (message) => message.replace(/p=.*/, `p=${"A".repeat(43)}=`)],
    ["a shorter proof", (message) => message.replace(/p=.*/, "p=AAAA")],
    ["an extension nobody signed", (message) => message.replace(",p=", ",x=1,p=")],
  ])("with %s proves nothing", async (_, change) => {
    const { last } = await login(DEV, {}, change);
    expect(last).toMatchObject({ type: "deny", reason: "wrong_password" });
  });

  it("is right with a flag `y` and an authorisation identity, which counts for nothing", async () => {
    for (const header of ["y,,", "n,a=root,"]) {
      const { last } = await login({ ...DEV, header });
      expect(last).toMatchObject({ type: "ok", data: { username: "dev" } });
    }
  });
});

describe("an unknown user", () => {
  beforeEach(() => users.addScram("/dev", DEV.password));
  const ghost = { ...DEV, user: "ghost" };

  it("is refused at the end, and looks like any other until then", async () => {
    const { first, last } = await login(ghost);
    expect(first).toMatchObject({ type: "ignore", reason: "unknown_user" });
    expect(last).toMatchObject({ type: "deny", reason: "unknown_user", code: 0x87 });
    const shown = first.type === "ignore" ? text(first.otherwise?.data) : "";
    const real = (await login(DEV)).first;
    const shape = /^r=abcXYZ0123456789ABCDEF,s=[A-Za-z0-9+/]{43}=,i=4096$/;
    expect(shown).toMatch(shape);
    expect(real.type === "continue" && text(real.data)).toMatch(shape);
    expect(atob(/s=([^,]+)/.exec(shown)![1]!)).toMatch(/^[0-9a-f]{32}$/);
  });

  it("has the same salt every time, and another one than others", async () => {
    const salts = new Set<string>();
    for (const user of ["ghost", "ghost", "host"]) {
      const { first } = await login({ ...DEV, user });
      salts.add(first.type === "ignore" ? text(first.otherwise?.data) : "");
    }
    expect(salts.size).toBe(2);
  });

  it("is left to others in emqx mode", async () => {
    const { first } = await login(ghost, { preset: "emqx" });
    expect(first).toEqual({ type: "ignore", reason: "unknown_user" });
  });
});

describe("the identity", () => {
  beforeEach(() => users.addScram("/dev", DEV.password));

  it.each([
    [undefined, "ok", "dev"],
    ["", "ok", "dev"],
    ["dev", "ok", "dev"],
    [bytes("dev"), "ok", "dev"],
    ["Dev", "deny", undefined],
    ["dev ", "deny", undefined],
    [bytes("root"), "deny", undefined],
  ])("of the exchange with the username %j: %s", async (username, type, expected) => {
    const { last } = await login(DEV, { client: { username } });
    expect(last?.type).toBe(type);
    if (last?.type === "ok") expect(last.data.username).toBe(expected);
    else expect(last).toMatchObject({ reason: "identity_mismatch", code: 0x86 });
  });

  it("is not bound when that is switched off", async () => {
    const config = { bindsIdentity: false };
    const { last } = await login(DEV, { config, client: { username: "root" } });
    expect(last).toMatchObject({ type: "ok", data: { username: undefined } });
  });

  it("is looked up among the tenant's users", async () => {
    users.addScram("t/tom", "pw");
    const tom = { user: "tom", password: "pw" };
    const clientAttrs = { tns: "t" };
    expect((await login(tom, { clientAttrs })).last).toMatchObject({ type: "ok" });
    expect((await login(tom, { clientAttrs: { tns: bytes("t") } })).last).toMatchObject({
      type: "ok",
    });
    expect((await login(tom)).first).toMatchObject({ reason: "unknown_user" });
    expect((await login(DEV, { clientAttrs })).first).toMatchObject({ reason: "unknown_user" });
    users.addScram("\ufffd/tom", "pw");
    users.addScram("\ud800/tom", "pw");
    expect((await login(tom, { clientAttrs: { tns: "\ufffd" } })).last).toMatchObject({
      type: "ok",
    });
    for (const tns of [Uint8Array.of(0xff), "\ud800"]) {
      expect((await login(tom, { clientAttrs: { tns } })).first).toMatchObject({
        reason: "unknown_user",
      });
    }
  });
});

describe("the iterations", () => {
  it("are the account's own, and the setting's in emqx mode, which breaks older accounts", async () => {
    users.addScram("/dev", DEV.password, { iterations: 5000 });
    const strict = await login(DEV);
    expect(strict.first.type === "continue" && text(strict.first.data)).toMatch(/,i=5000$/);
    expect(strict.last).toMatchObject({ type: "ok" });
    const emqx = await login(DEV, { preset: "emqx" });
    expect(emqx.first.type === "continue" && text(emqx.first.data)).toMatch(/,i=4096$/);
    expect(emqx.last).toMatchObject({ type: "deny" });
    const config = { iterationCount: 5000 };
    expect((await login(DEV, { preset: "emqx", config })).last).toMatchObject({ type: "ok" });
  });
});

describe("a store that cannot be read", () => {
  it("is a failure, and left to others in emqx mode", async () => {
    users.isBroken = true;
    const { first } = await login(DEV);
    expect(first).toMatchObject({ type: "failure", reason: "backend_unavailable" });
    expect(JSON.stringify(first)).not.toContain("secret-place");
    expect((await login(DEV, { preset: "emqx" })).first).toMatchObject({ type: "ignore" });
  });

  it("is an issue where the host has none", () => {
    const creation = createScramDatabaseAuthenticator(CONFIG, {
      mode: { switches: resolveSwitches("strict"), securityProfile: "legacy" },
      users: undefined,
      randomBytes: () => new Uint8Array(12),
      decoySecret: new Uint8Array(32),
    });
    expect(creation).toMatchObject({ ok: false, issues: [{ code: "ERR_CONFIG_UNSUPPORTED" }] });
  });
});
