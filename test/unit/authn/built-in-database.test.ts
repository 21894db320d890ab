import { beforeEach, describe, expect, it } from "vitest";
import { nodePasswords } from "../../../bindings/node/passwords.ts";
import type { Authenticator, AuthnResult } from "../../../src/authn/authenticator.ts";
import { createBuiltInDatabaseAuthenticator } from "../../../src/authn/built-in-database.ts";
import { type Preset, resolveSwitches } from "../../../src/config/compatibility.ts";
import type { BuiltInDatabaseConfig, PasswordAlgorithm } from "../../../src/config/config.ts";
import type { PasswordPrimitives } from "../../../src/ports/password-primitives.ts";
import type { ClientInfo, Text } from "../../../src/types.ts";
import { WorkQueue } from "../../../src/work-queue.ts";
import { FakeUserDatabase } from "../../support/user-database.ts";

const CONFIG: BuiltInDatabaseConfig = {
  mechanism: "password_based",
  backend: "built_in_database",
  id: "password_based:built_in_database",
  path: "authentication[1]",
  enable: true,
  userIdType: "username",
  algorithm: { name: "plain", saltPosition: "disable" },
  bootstrap: { path: "users.csv", type: "plain", isDefault: true },
};

interface Options {
  readonly config?: Partial<BuiltInDatabaseConfig>;
  readonly preset?: Preset;
  readonly chain?: string;
  readonly isLast?: boolean;
  readonly users?: FakeUserDatabase | undefined;
  readonly passwords?: PasswordPrimitives | undefined;
}

function create(options: Options) {
  const { config, preset = "strict", chain = "global", isLast = true } = options;
  return createBuiltInDatabaseAuthenticator(
    { ...CONFIG, ...config },
    {
      mode: { switches: resolveSwitches(preset), securityProfile: "legacy" },
      chain,
      isLast,
      users: options.users,
      passwords: "passwords" in options ? options.passwords : nodePasswords,
      passwordQueue: new WorkQueue(1),
      passwordChecksWaitingMax: 1,
    },
  );
}

function make(options: Options): Authenticator {
  const creation = create(options);
  if (!creation.ok) throw new Error(creation.issues.map(({ message }) => message).join());
  return creation.authenticator;
}

async function ask(
  authenticator: Authenticator,
  client: Partial<ClientInfo>,
  clientAttrs: Record<string, Text> = {},
): Promise<AuthnResult> {
  return authenticator.authenticate({ client: { clientId: "c1", ...client }, clientAttrs });
}

let users: FakeUserDatabase;

beforeEach(() => {
  users = new FakeUserDatabase();
});

describe("the built-in database", () => {
  it("lets in who has the password, and nobody else", async () => {
    users.add("global//ann", { passwordHash: "pw" });
    const it = make({ users });
    expect(await ask(it, { username: "ann", password: "pw" })).toMatchObject({
      type: "ok",
      data: { isSuperuser: false },
    });
    expect(await ask(it, { username: "ann", password: "pW" })).toMatchObject({
      type: "deny",
      reason: "wrong_password",
      code: 0x86,
    });
    expect(await ask(it, { username: "bob", password: "pw" })).toMatchObject({
      type: "ignore",
      reason: "unknown_user",
    });
  });

  it("has no opinion on clients without a password or a user id, or with a method", async () => {
    users.add("global//ann", { passwordHash: "" }).add("global//", { passwordHash: "pw" });
    const it = make({ users });
    expect(await ask(it, { username: "ann" })).toMatchObject({
      type: "ignore",
      reason: "missing_password",
    });
    expect(await ask(it, { password: "pw" })).toMatchObject({
      type: "ignore",
      reason: "missing_user_id",
    });
    const method = { username: "ann", password: "", authMethod: "SCRAM-SHA-256" };
    expect(await ask(it, method)).toMatchObject({ type: "ignore", reason: "auth_method_present" });
    expect(await ask(it, { username: "ann", password: "" })).toMatchObject({ type: "ok" });
  });

  it("finds accounts by client id where that is configured", async () => {
    users.add("global//c1", { passwordHash: "pw" });
    const it = make({ users, config: { userIdType: "clientid" } });
    expect(await ask(it, { username: "other", password: "pw" })).toMatchObject({ type: "ok" });
    const byName = make({ users });
    expect(await ask(byName, { username: "other", password: "pw" })).toMatchObject({
      type: "ignore",
    });
  });

  it("keeps the chains apart", async () => {
    users.add("tcp:a//ann", { passwordHash: "pw" });
    const client = { username: "ann", password: "pw" };
    expect(await ask(make({ users, chain: "tcp:a" }), client)).toMatchObject({ type: "ok" });
    expect(await ask(make({ users, chain: "tcp:b" }), client)).toMatchObject({ type: "ignore" });
    expect(await ask(make({ users }), client)).toMatchObject({ type: "ignore" });
  });

  it("asks a tenant's users, and the global ones where the tenant has none", async () => {
    users
      .add("global//ann", { passwordHash: "global" })
      .add("global/t1/bob", { passwordHash: "t" });
    const it = make({ users });
    const ann = { username: "ann", password: "global" };
    const bob = { username: "bob", password: "t" };
    expect(await ask(it, ann, { tns: "t1" })).toMatchObject({ type: "ignore" });
    expect(await ask(it, ann, { tns: "t2" })).toMatchObject({ type: "ok" });
    expect(await ask(it, ann, { tns: "" })).toMatchObject({ type: "ok" });
    expect(await ask(it, bob, { tns: "t1" })).toMatchObject({ type: "ok" });
    expect(await ask(it, bob)).toMatchObject({ type: "ignore" });
  });

  it("hands on who is a superuser", async () => {
    users.add("global//root", { passwordHash: "pw", isSuperuser: true });
    expect(await ask(make({ users }), { username: "root", password: "pw" })).toMatchObject({
      type: "ok",
      data: { isSuperuser: true },
    });
  });

  it("compares passwords and names as bytes", async () => {
    users
      .add("global//\ufffd", { passwordHash: "pw" })
      .add("global//\ud800", { passwordHash: "pw" })
      .add("global/\ud800/ann", { passwordHash: "\ufffd" })
      .add("global//ann", { passwordHash: "\ufffd" });
    const it = make({ users });
    const broken = Uint8Array.of(0xff);
    expect(await ask(it, { username: broken, password: "pw" })).toMatchObject({ type: "ignore" });
    expect(await ask(it, { username: "\ud800", password: "pw" })).toMatchObject({ type: "ignore" });
    expect(await ask(it, { username: "ann", password: broken })).toMatchObject({ type: "deny" });
    const right = { username: "ann", password: "\ufffd" };
    expect(await ask(it, right)).toMatchObject({ type: "ok" });
    for (const tns of [broken, "\ud800"]) {
      expect(await ask(it, right, { tns })).toMatchObject({ type: "ignore" });
    }
  });

  it("fails when the store does, and does not repeat what it says", async () => {
    users.isBroken = true;
    const answer = await ask(make({ users }), { username: "ann", password: "pw" });
    expect(answer).toMatchObject({ type: "failure", reason: "backend_unavailable" });
    expect(JSON.stringify(answer)).not.toContain("secret-place");
  });

  it("takes no salt for an empty one, but in emqx mode cannot answer", async () => {
    users.add("global//ann", { passwordHash: "pw", salt: undefined });
    const client = { username: "ann", password: "pw" };
    const salted: PasswordAlgorithm = { name: "plain", saltPosition: "prefix" };
    const config = { algorithm: salted };
    expect(await ask(make({ users, config }), client)).toMatchObject({ type: "ok" });
    expect(await ask(make({ users, config, preset: "emqx" }), client)).toMatchObject({
      type: "failure",
    });
    const disabled = make({ users, preset: "emqx" });
    expect(await ask(disabled, client)).toMatchObject({ type: "ok" });
  });

  it("cannot answer in emqx mode with a derivation that EMQX cannot use", async () => {
    users.add("global//ann", { passwordHash: "00" });
    const algorithm: PasswordAlgorithm = { name: "pbkdf2", macFun: "md5", iterations: 1 };
    const it = make({ users, preset: "emqx", config: { algorithm } });
    expect(await ask(it, { username: "ann", password: "pw" })).toMatchObject({ type: "failure" });
  });

  it("says in its detail where it looked and whether it found, and no secret", async () => {
    users.add("global//ann", { passwordHash: "stored-secret", salt: "salt-secret" });
    const it = make({ users });
    for (const [username, found] of [
      ["ann", "account found in the built-in database, chain `global`"],
      ["bob", "no such account in the built-in database, chain `global`"],
    ]) {
      const answer = await ask(it, { username, password: "client-secret" });
      expect(answer).toMatchObject({ detail: found });
      expect(JSON.stringify(answer)).not.toContain("secret");
    }
  });
});

describe("creating it", () => {
  it("is an error on a host without a store, which names the authenticator", () => {
    expect(create({ users: undefined })).toMatchObject({
      ok: false,
      issues: [
        {
          code: "ERR_CONFIG_UNSUPPORTED",
          path: "authentication[1]",
          message: expect.stringContaining("`password_based:built_in_database`"),
        },
      ],
    });
  });

  it("is an error on a host without bcrypt only when bcrypt is asked for", () => {
    const bcrypt: PasswordAlgorithm = { name: "bcrypt", saltRounds: 5, overlong: "refuse" };
    const options = { users, passwords: undefined };
    expect(create({ ...options, config: { algorithm: bcrypt } })).toMatchObject({
      ok: false,
      issues: [{ message: expect.stringContaining("`bcrypt`") }],
    });
    expect(create({ ...options, config: { algorithm: bcrypt, enable: false } }).ok).toBe(true);
    expect(create({ ...options }).ok).toBe(true);
    expect(create({ users, config: { algorithm: bcrypt } }).ok).toBe(true);
  });
});

/** Primitives that write down what they are asked to do. */
function counting(): { passwords: PasswordPrimitives; work: string[] } {
  const work: string[] = [];
  const passwords: PasswordPrimitives = {
    digest: (name, message) => {
      work.push(`${name} of ${message.length}`);
      return nodePasswords.digest(name, message);
    },
    pbkdf2: (mac, password, salt, iterations, length) => {
      work.push(`pbkdf2 ${mac} ${iterations} ${length}`);
      return nodePasswords.pbkdf2(mac, password, salt, iterations, length);
    },
    bcrypt: async (_password, cost) => {
      work.push(`bcrypt ${2 ** cost}`);
      return "$2b$05$CCCCCCCCCCCCCCCCCCCCC.IicMm5VgMI8LHMPtBXrvSpqi/PeaMNa";
    },
  };
  return { passwords, work };
}

/** Key setups of bcrypt in what was written down. */
function rounds(work: readonly string[]): number {
  return work.reduce((sum, one) => sum + Number(one.split(" ")[1]), 0);
}

const SALT = "0123456789abcdef".repeat(2);

describe("the work for an unknown user", () => {
  const ALGORITHMS: PasswordAlgorithm[] = [
    { name: "sha256", saltPosition: "prefix" },
    { name: "md5", saltPosition: "suffix" },
    { name: "sha512", saltPosition: "disable" },
    { name: "pbkdf2", macFun: "sha256", iterations: 3 },
    { name: "pbkdf2", macFun: "sha512", iterations: 2, dkLength: 16 },
    { name: "bcrypt", saltRounds: 7, overlong: "refuse" },
  ];
  const SHAPES = ["", "00", "ab".repeat(32), "AB".repeat(64), "plain text", "$2b$05$short"];

  it.each(ALGORITHMS)("is that for a wrong password: %j", async (algorithm) => {
    for (const [index, passwordHash] of SHAPES.entries()) {
      users.add(`global//user${index}`, { passwordHash, salt: SALT });
    }
    const { passwords, work } = counting();
    const it = make({ users, passwords, config: { algorithm } });
    await ask(it, { username: "nobody", password: "guess" });
    const unknown = work.splice(0);
    expect(unknown).toHaveLength(1);
    for (const index of SHAPES.keys()) {
      expect(await ask(it, { username: `user${index}`, password: "guess" })).toMatchObject({
        type: "deny",
      });
      expect(work.splice(0)).toEqual(unknown);
    }
  });

  it("is the same for bcrypt hashes of a lower cost, and for overlong passwords", async () => {
    const tail = "$CCCCCCCCCCCCCCCCCCCCC.IicMm5VgMI8LHMPtBXrvSpqi/PeaMNa";
    for (const cost of ["04", "05", "06", "07"]) {
      users.add(`global//user${cost}`, { passwordHash: `$2b$${cost}${tail}` });
    }
    const { passwords, work } = counting();
    const algorithm: PasswordAlgorithm = { name: "bcrypt", saltRounds: 7, overlong: "refuse" };
    const wrong: PasswordPrimitives = {
      ...passwords,
      bcrypt: async (password, cost, salt) =>
        (await passwords.bcrypt!(password, cost, salt)).replace(/.$/, "."),
    };
    const it = make({ users, passwords: wrong, config: { algorithm } });
    for (const username of ["nobody", "user04", "user05", "user06", "user07"]) {
      for (const password of ["guess", "x".repeat(73), "a\0b"]) {
        await ask(it, { username, password });
        expect(rounds(work.splice(0))).toBe(2 ** 7);
      }
    }
  });

  it("follows dearer hashes once one was met, but not without bound", async () => {
    const tail = "$CCCCCCCCCCCCCCCCCCCCC.IicMm5VgMI8LHMPtBXrvSpqi/PeaMNb";
    users.add("global//dear", { passwordHash: `$2b$12${tail}` });
    users.add("global//dearest", { passwordHash: `$2b$31${tail}` });
    const { passwords, work } = counting();
    const algorithm: PasswordAlgorithm = { name: "bcrypt", saltRounds: 5, overlong: "refuse" };
    const it = make({ users, passwords, config: { algorithm } });
    const costOf = async (username: string): Promise<number> => {
      await ask(it, { username, password: "guess" });
      return rounds(work.splice(0));
    };
    expect(await costOf("nobody")).toBe(2 ** 5);
    expect(await costOf("dear")).toBe(2 ** 12);
    expect(await costOf("nobody")).toBe(2 ** 12);
    expect(await costOf("dearest")).toBe(2 ** 31);
    expect(await costOf("nobody")).toBe(2 ** 14);
    expect(await costOf("dear")).toBe(2 ** 14);
  });

  it("is done in emqx mode only where nobody else is asked", async () => {
    const { passwords, work } = counting();
    const algorithm: PasswordAlgorithm = { name: "pbkdf2", macFun: "sha", iterations: 9 };
    const costOf = async (options: Options): Promise<number> => {
      const it = make({ users, passwords, config: { algorithm }, ...options });
      await ask(it, { username: "nobody", password: "guess" });
      return work.splice(0).length;
    };
    expect(await costOf({ preset: "emqx", isLast: true })).toBe(1);
    expect(await costOf({ preset: "emqx", isLast: false })).toBe(0);
    expect(await costOf({ preset: "strict", isLast: false })).toBe(1);
  });
});
