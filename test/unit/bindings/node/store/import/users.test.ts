import { createHash, randomBytes } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { nodePasswords } from "../../../../../../bindings/node/passwords.ts";
import {
  type ImportOptions,
  importUsers,
} from "../../../../../../bindings/node/store/import/users.ts";
import { openStore, type Store } from "../../../../../../bindings/node/store/store.ts";
import type { PasswordAlgorithm } from "../../../../../../src/config/config.ts";
import { TestDirectory } from "../../../../../support/cli.ts";

const SHA256: PasswordAlgorithm = { name: "sha256", saltPosition: "prefix" };

let directory: TestDirectory;
let store: Store;

beforeEach(async () => {
  directory = new TestDirectory();
  store = await openStore(directory.file("data"));
  return async () => {
    await store.close();
    directory.remove();
  };
});

function run(name: string, content: string | Uint8Array, options: Partial<ImportOptions> = {}) {
  return importUsers({
    store,
    file: directory.write(name, content),
    type: "plain",
    chain: "global",
    algorithm: SHA256,
    strict: true,
    existing: "override",
    passwords: nodePasswords,
    randomBytes,
    ...options,
  });
}

async function refusal(
  name: string,
  content: string | Uint8Array,
  options: Partial<ImportOptions> = {},
): Promise<string> {
  try {
    await run(name, content, options);
    return "imported";
  } catch (error) {
    return directory.without((error as Error).message);
  }
}

const countUsers = () => [...store.records("password_users")].flat().length;
const find = (id: string, namespace = "") => store.password({ group: "global", namespace, id });

describe("importing users", () => {
  it("hashes the passwords of a plain file, each with a salt of its own", async () => {
    const csv = "user_id,password,is_superuser\nann,pw,true\nbob,pw,1\n";
    expect(await run("u.csv", csv)).toEqual({ total: 2, success: 2, override: 0, skipped: 0 });
    const [ann, bob] = [find("ann")!, find("bob")!];
    expect([ann.isSuperuser, bob.isSuperuser]).toEqual([true, false]);
    for (const { salt, passwordHash } of [ann, bob]) {
      expect(salt).toMatch(/^[0-9a-f]{32}$/);
      expect(passwordHash).toBe(createHash("sha256").update(`${salt}pw`).digest("hex"));
    }
    expect(ann.salt).not.toBe(bob.salt);
  });

  it("stores the hashes of a hash file as they are", async () => {
    const json = JSON.stringify([
      { user_id: "ann", password_hash: "AB", salt: "x", is_superuser: true },
      { user_id: "bob", password_hash: "CD", is_superuser: "true" },
      { user_id: "eve", password_hash: "EF", is_superuser: 1, namespace: "t1" },
    ]);
    await run("u.json", json, { type: "hash" });
    expect(find("ann")).toEqual({ passwordHash: "AB", salt: "x", isSuperuser: true });
    expect(find("bob")).toEqual({ passwordHash: "CD", salt: "", isSuperuser: true });
    expect(find("eve")).toBeUndefined();
    expect(find("eve", "t1")).toEqual({ passwordHash: "EF", salt: "", isSuperuser: false });
  });

  it("takes an empty salt cell for the empty text, but in emqx mode for no salt", async () => {
    const csv = "user_id,password_hash,salt\nann,AB,\n";
    await run("u.csv", csv, { type: "hash" });
    expect(find("ann")?.salt).toBe("");
    await run("u.csv", csv, { type: "hash", strict: false });
    expect(find("ann")?.salt).toBeUndefined();
    await run("u.csv", "user_id,password_hash\nann,AB\n", { type: "hash", strict: false });
    expect(find("ann")?.salt).toBe("");
    await run("u.json", '[{"user_id":"ann","password_hash":"AB","salt":null}]', {
      type: "hash",
      strict: false,
    });
    expect(find("ann")?.salt).toBeUndefined();
  });

  it("counts what it changes, and what was the same", async () => {
    await run("u.csv", "user_id,password\nann,pw\nbob,pw\n");
    const salt = find("ann")?.salt;
    const again = "user_id,password\nann,pw\nbob,other\neve,pw\n";
    expect(await run("u.csv", again)).toEqual({ total: 3, success: 1, override: 1, skipped: 1 });
    expect(find("ann")?.salt).toBe(salt);
    expect(await run("u.csv", again)).toEqual({ total: 3, success: 0, override: 0, skipped: 3 });
    const root = "user_id,password,is_superuser\nann,pw,true\n";
    expect(await run("u.csv", root)).toMatchObject({ override: 1 });
    expect(find("ann")?.isSuperuser).toBe(true);
  });

  it("leaves users alone that are there, where it only adds", async () => {
    await run("u.csv", "user_id,password\nann,first\n");
    const before = find("ann");
    const csv = "user_id,password\nann,second\nbob,x\nbob,y\n";
    expect(await run("u.csv", csv, { existing: "keep" })).toEqual({
      total: 3,
      success: 1,
      override: 0,
      skipped: 2,
    });
    expect(find("ann")).toEqual(before);
    const bob = find("bob")!;
    expect(bob.passwordHash).toBe(createHash("sha256").update(`${bob.salt}x`).digest("hex"));
  });

  it("stores nothing of a file with a bad row, and tells all the places", async () => {
    const good = Array.from({ length: 3000 }, (_, index) => `user${index},pw`).join("\n");
    const csv = `user_id,password\n${good}\n,pw\nann\nbob,\n`;
    expect(await refusal("u.csv", csv)).toBe(
      [
        "u.csv:3002:1: `user_id` is missing",
        "u.csv:3003:1: the row has 1 field, the first line names 2",
        "u.csv:3004:5: `password` is missing (for a file with other columns: type `hash`)",
      ].join("\n"),
    );
    expect(countUsers()).toBe(0);
  });

  it("tells the first twenty mistakes", async () => {
    const message = await refusal("u.csv", `user_id,password\n${"x\n".repeat(1000)}`);
    expect(message.split("\n")).toHaveLength(21);
    expect(message).toMatch(/u\.csv: and more$/);
  });

  it.each<[string, string, string]>([
    ["no users", "user_id,password\n", "there are no users in it"],
    ["an unknown column", "user_id,password,namespce\na,b,c\n", "is none of `user_id`, `password`"],
    ["an id too long", `user_id,password\n${"x".repeat(1025)},b\n`, "more than 1024 bytes"],
    [
      "a namespace too long",
      `user_id,password,namespace\na,b,${"x".repeat(513)}\n`,
      "more than 512 bytes",
    ],
    [
      "a tenant's superuser",
      "user_id,password,namespace,is_superuser\na,b,t,true\n",
      "cannot be a superuser",
    ],
  ])("refuses %s", async (_, csv, message) => {
    expect(await refusal("u.csv", csv)).toContain(message);
    expect(countUsers()).toBe(0);
  });

  it.each<[string, string]>([
    ['[{"user_id":1,"password":"x"}]', "`user_id` is no text"],
    ['[{"user_id":"","password":"x"}]', "`user_id` is empty"],
    ['[{"user_id":"a","password":["x"]}]', "`password` is no text"],
    ['[{"user_id":"a","password":null}]', "`password` is missing"],
    ["[]", "there are no users in it"],
  ])("refuses %s", async (json, message) => {
    expect(await refusal("u.json", json)).toContain(message);
    expect(countUsers()).toBe(0);
  });

  it("ignores columns in emqx mode that nobody knows", async () => {
    expect(await run("u.csv", "user_id,password,x\na,b,c\n", { strict: false })).toMatchObject({
      success: 1,
    });
  });

  it("tells the kind of a file by its ending", async () => {
    expect(await refusal("u.txt", "user_id,password\na,b\n")).toContain("neither .csv nor .json");
    expect(await refusal("u.CSV", "user_id,password\na,b\n")).toBe("imported");
    const missing = importUsers({
      ...{ store, file: directory.file("gone.csv"), type: "plain", chain: "global", strict: true },
      ...{ algorithm: SHA256, existing: "keep", passwords: nodePasswords, randomBytes },
    });
    await expect(missing).rejects.toThrow("no such file");
  });

  it("refuses passwords that bcrypt would cut, and cuts them in emqx mode", async () => {
    const algorithm: PasswordAlgorithm = { name: "bcrypt", saltRounds: 5, overlong: "refuse" };
    const csv = `user_id,password\na,ok\nb,${"x".repeat(73)}\n`;
    expect(await refusal("u.csv", csv, { algorithm })).toBe(
      "u.csv:3:3: bcrypt takes passwords of at most 72 bytes, without a NUL",
    );
    expect(countUsers()).toBe(0);
    await run("u.csv", csv, { algorithm: { ...algorithm, overlong: "cut" } });
    expect(find("b")).toMatchObject({
      salt: "",
      passwordHash: expect.stringMatching(/^\$2b\$05\$/),
    });
  });

  it("never repeats in a message what stands in the file", async () => {
    const secrets = [
      ["u.csv", 'user_id,password\nann,"top-secret\nbob,top-secret\n'],
      ["u.csv", "user_id,password,top-secret\nann,top-secret,top-secret\n"],
      ["u.csv", "user_id,password\nann,top-secret,top-secret\n"],
      ["u.json", '[{"user_id":"a","password":"top-secret" oops}]'],
      ["u.json", '[{"user_id":"a","top-secret":"top-secret"}]'],
      ["u.json", '{"user_id":"a","password":"top-secret"}'],
    ] as const;
    for (const [name, content] of secrets) {
      const message = await refusal(name, content);
      expect(message).toMatch(/^u\.(csv|json):\d+:\d+: /);
      expect(message).not.toContain("top-secret");
    }
  });

  it("says how far it is", async () => {
    const steps: [string, number][] = [];
    await run("u.csv", `user_id,password\n${"a,b\n".repeat(2500)}`, {
      onProgress: (step, users) => steps.push([step, users]),
    });
    expect(steps).toEqual([
      ["checking", 2500],
      ["storing", 1000],
      ["storing", 2000],
      ["storing", 2500],
    ]);
  });
});
