import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { ID_BYTES_MAX, NAMESPACE_BYTES_MAX } from "../../../../../bindings/node/store/keys.ts";
import {
  openLmdb,
  RULES_VERSION_KEY,
  SCHEMA_KEY,
  SCHEMA_VERSION,
} from "../../../../../bindings/node/store/lmdb.ts";
import { RULE_CHANGES_KEPT_MAX } from "../../../../../bindings/node/store/rule-changes.ts";
import { deriveScramKeys } from "../../../../../bindings/node/store/scram-keys.ts";
import { SHARED_LISTS_MAX, SharedLists } from "../../../../../bindings/node/store/shared-lists.ts";
import {
  openStore,
  openStoreIfThere,
  type Store,
} from "../../../../../bindings/node/store/store.ts";
import type { PasswordUser } from "../../../../../src/ports/user-database.ts";
import { TestDirectory } from "../../../../support/cli.ts";

const USER: PasswordUser = { passwordHash: "abc", salt: "NaCl", isSuperuser: false };

let directory: TestDirectory;

beforeEach(() => {
  directory = new TestDirectory();
  return () => directory.remove();
});

async function openHere(): Promise<Store> {
  const store = await openStore(directory.file("data"));
  onTestFinished(() => store.close());
  return store;
}

function place(id: string, namespace = "", group = "global") {
  return { group, namespace, id };
}

function add(store: Store, id: string, user: Partial<PasswordUser> = {}, namespace = "") {
  return store.write((writer) =>
    writer.putPasswordUser(place(id, namespace), { ...USER, ...user }),
  );
}

describe("users with passwords", () => {
  it("are found under the id, chain and namespace they were stored under", async () => {
    const store = await openHere();
    add(store, "ann", { isSuperuser: true });
    expect(store.passwordUser("global", "ann")).toEqual({ ...USER, isSuperuser: true });
    for (const [chain, id] of [
      ["global", "an"],
      ["global", "anna"],
      ["global", ""],
      ["tcp:default", "ann"],
      ["", "ann"],
    ] as const) {
      expect(store.passwordUser(chain, id)).toBeUndefined();
    }
  });

  it("tell an empty salt from none", async () => {
    const store = await openHere();
    add(store, "empty", { salt: "" });
    add(store, "none", { salt: undefined });
    expect(store.passwordUser("global", "empty")?.salt).toBe("");
    expect(store.passwordUser("global", "none")?.salt).toBeUndefined();
  });

  it("are a tenant's where it has any, and never its superusers", async () => {
    const store = await openHere();
    add(store, "ann");
    add(store, "bob", { isSuperuser: true }, "t1");
    expect(store.passwordUser("global", "ann", "t1")).toBeUndefined();
    expect(store.passwordUser("global", "bob", "t1")).toEqual(USER);
    expect(store.passwordUser("global", "bob")).toBeUndefined();
    for (const empty of ["t", "t10", "t2", "\0"]) {
      expect(store.passwordUser("global", "ann", empty)).toEqual(USER);
    }
    store.write((writer) => writer.delete("password_users", place("bob", "t1")));
    expect(store.passwordUser("global", "ann", "t1")).toEqual(USER);
  });

  it("may have any characters in their names, and no two names share a record", async () => {
    const store = await openHere();
    const names = [
      "a\0b",
      "a",
      "é",
      "e\u0301",
      "日本",
      "😀",
      " a",
      "\ufeffa",
      "__proto__",
      "\uffff",
    ];
    for (const [index, name] of names.entries()) add(store, name, { passwordHash: `${index}` });
    for (const [index, name] of names.entries()) {
      expect(store.passwordUser("global", name)?.passwordHash).toBe(`${index}`);
    }
    expect(store.passwordUser("global", "\ud800")).toBeUndefined();
    expect(() => add(store, "\ud800")).toThrow("UTF-8");
    add(store, "\ufffd");
    expect(store.passwordUser("global", "\ud800")).toBeUndefined();
  });

  it("have names of 1,024 bytes and not of one more", async () => {
    const store = await openHere();
    const [longest, longer] = ["x".repeat(ID_BYTES_MAX), "x".repeat(ID_BYTES_MAX + 1)];
    const [tenant, longerTenant] = ["t".repeat(NAMESPACE_BYTES_MAX), "t".repeat(513)];
    add(store, longest, {}, tenant);
    expect(store.passwordUser("global", longest, tenant)).toEqual(USER);
    expect(() => add(store, longer)).toThrow("at most 1024 bytes");
    expect(store.passwordUser("global", longer)).toBeUndefined();
    expect(() => add(store, "ann", {}, longerTenant)).toThrow("512 of a namespace");
    expect(store.passwordUser("global", "ann", longerTenant)).toBeUndefined();
  });

  it("say whether they were there, and are deleted once", async () => {
    const store = await openHere();
    expect(add(store, "ann")).toBe("created");
    expect(add(store, "ann")).toBe("same");
    expect(add(store, "ann", { salt: "" })).toBe("changed");
    const remove = () => store.write((writer) => writer.delete("password_users", place("ann")));
    expect(remove()).toBe(true);
    expect(remove()).toBe(false);
    expect(store.passwordUser("global", "ann")).toBeUndefined();
  });

  it("come in pages, in order", async () => {
    const store = await openHere();
    const ids = Array.from({ length: 2500 }, (_, index) => `user${String(index).padStart(4, "0")}`);
    store.write((writer) => {
      for (const id of ids) writer.putPasswordUser(place(id), USER);
      writer.putPasswordUser(place("other", "t1"), USER);
      writer.putPasswordUser(place("else", "", "tcp:a"), USER);
    });
    const idsOf = (group?: string, namespace?: string) =>
      [...store.records("password_users", { group, namespace })].flat().map((one) => one.place.id);
    expect(idsOf("global", "")).toEqual(ids);
    expect(idsOf("global", "t1")).toEqual(["other"]);
    expect(idsOf("global")).toEqual([...ids, "other"]);
    expect(idsOf("tcp:a")).toEqual(["else"]);
    expect(idsOf()).toHaveLength(2502);
    expect(idsOf("tcp:b")).toEqual([]);
    const page = store.page("password_users", {
      group: "global",
      after: place("user0999"),
      limit: 2,
    });
    expect(page.map((one) => one.place.id)).toEqual(["user1000", "user1001"]);
  });
});

describe("users with SCRAM keys", () => {
  it("have the keys of the specification's transcript", async () => {
    const salt = Buffer.from("0123456789abcdef0123456789abcdef");
    const keys = await deriveScramKeys("sha256", "s3cr&t", salt, 4096);
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
    expect(hex(keys.storedKey)).toBe(
      "3ad7c18d3edf874a530ba69f2d0c837222874914d381de15c27f250d8c600244",
    );
    expect(hex(keys.serverKey)).toBe(
      "e3d29c14197243386438ce2969b9c8986a721afb31106517cda71c8462561951",
    );
  });

  it("are kept with salt and iterations, apart for each algorithm, without fallback", async () => {
    const store = await openHere();
    const keys = await deriveScramKeys("sha512", "pw", Buffer.from("salt"), 7);
    const user = { ...keys, isSuperuser: true };
    store.write((writer) => {
      writer.putScramUser(place("dev", "", "sha512"), user);
      writer.putScramUser(place("dev", "t1", "sha512"), user);
    });
    const found = store.scramUser("sha512", "dev")!;
    expect(found).toMatchObject({ iterations: 7, isSuperuser: true });
    expect(found.storedKey).toEqual(keys.storedKey);
    expect(found.serverKey).toEqual(keys.serverKey);
    expect(Buffer.from(found.salt).toString()).toBe("salt");
    expect(store.scramUser("sha256", "dev")).toBeUndefined();
    expect(store.scramUser("sha512", "dev", "t2")).toBeUndefined();
    expect(store.scramUser("sha512", "dev", "t1")).toMatchObject({ isSuperuser: false });
  });
});

describe("rules", () => {
  const rule = (topic: string) => ({ permission: "allow", action: "all", topic });
  const put = (store: Store, group: string, id: string, topics: string[], namespace = "") =>
    store.write((writer) => writer.putRules(place(id, namespace, group), topics.map(rule)));

  it("come in the order in which they are tried", async () => {
    const store = await openHere();
    put(store, "clientid", "c1", ["b", "a", "c"]);
    put(store, "username", "ann", ["u"]);
    put(store, "username", "c1", ["not this"]);
    put(store, "all", "", ["x"]);
    expect(store.rulesFor("c1", "ann")).toMatchObject({
      ofClientId: [rule("b"), rule("a"), rule("c")],
      ofUsername: [rule("u")],
      ofAll: [rule("x")],
    });
    expect(store.rulesFor("c2", undefined)).toMatchObject({
      ofClientId: [],
      ofUsername: [],
      ofAll: [rule("x")],
    });
  });

  it("are a tenant's, and the global ones only where it has none for the client", async () => {
    const store = await openHere();
    put(store, "clientid", "c1", ["global"]);
    put(store, "username", "ann", ["tenant"], "t1");
    expect(store.rulesFor("c1", "ann", "t1")).toMatchObject({
      ofClientId: [],
      ofUsername: [rule("tenant")],
    });
    expect(store.rulesFor("c1", "bob", "t1")).toMatchObject({ ofClientId: [rule("global")] });
    expect(store.rulesFor("c1", "ann", "t2")).toMatchObject({ ofClientId: [rule("global")] });
  });

  it("are counted by a number that every change changes, and nothing else", async () => {
    const store = await openHere();
    const before = store.rulesVersion();
    put(store, "all", "", ["a"]);
    const added = store.rulesVersion();
    expect(added).not.toBe(before);
    put(store, "all", "", ["a"]);
    add(store, "ann");
    expect(store.rulesVersion()).toBe(added);
    expect(store.rulesFor("c", undefined).version).toBe(added);
    store.write((writer) => writer.delete("rules", place("nobody", "", "clientid")));
    expect(store.rulesVersion()).toBe(added);
    store.write((writer) => writer.delete("rules", place("", "", "all")));
    expect(store.rulesVersion()).not.toBe(added);
  });

  it("tell whose they are that have changed since, in order", async () => {
    const store = await openHere();
    put(store, "all", "", ["a"]);
    const version = store.rulesVersion();
    expect(store.rulesChangedSince(version)).toEqual({ version, owners: [] });
    put(store, "clientid", "c\0é", ["a"]);
    put(store, "clientid", "c\0é", ["a"]);
    put(store, "username", "ann", ["a"], "t1");
    store.write((writer) => writer.delete("rules", place("", "", "all")));
    expect(store.rulesChangedSince(version)).toEqual({
      version: version + 3,
      owners: [
        { list: "clientid", id: "c\0é", namespace: "" },
        { list: "username", id: "ann", namespace: "t1" },
        { list: "all", id: "", namespace: "" },
      ],
    });
    expect(store.rulesChangedSince(version + 2).owners).toHaveLength(1);
  });

  it("say nothing of changes taken back, of the future, or counted by an earlier release", async () => {
    const store = await openHere();
    const change = () =>
      store.write((writer) => {
        writer.putRules(place("c1", "", "clientid"), [rule("a")]);
        throw new Error("no");
      });
    expect(change).toThrow("no");
    expect(store.rulesChangedSince(0)).toEqual({ version: 0, owners: [] });
    put(store, "all", "", ["a"]);
    expect(store.rulesChangedSince(2)).toEqual({ version: 1, owners: undefined });
    await store.close();
    const file = await openLmdb(directory.file("data"));
    file.meta.putSync(RULES_VERSION_KEY, 2);
    await file.close();
    const later = await openHere();
    put(later, "all", "", ["b"]);
    expect(later.rulesChangedSince(0)).toEqual({ version: 3, owners: undefined });
    expect(later.rulesChangedSince(1)).toEqual({ version: 3, owners: undefined });
    expect(later.rulesChangedSince(2).owners).toHaveLength(1);
  });

  it("remember RULE_CHANGES_KEPT_MAX changes and not one more", async () => {
    const store = await openHere();
    const putMany = (count: number, topic: string) =>
      store.write((writer) => {
        for (let n = 0; n < count; n++)
          writer.putRules(place(`c${n}`, "", "clientid"), [rule(topic)]);
      });
    putMany(RULE_CHANGES_KEPT_MAX, "a");
    expect(store.rulesChangedSince(0).owners).toHaveLength(RULE_CHANGES_KEPT_MAX);
    putMany(1, "b");
    expect(store.rulesChangedSince(0).owners).toBeUndefined();
    expect(store.rulesChangedSince(1).owners).toHaveLength(RULE_CHANGES_KEPT_MAX);
    expect(store.rulesChangedSince(RULE_CHANGES_KEPT_MAX).owners).toEqual([
      { list: "clientid", id: "c0", namespace: "" },
    ]);
  });

  it("for all are the same list until they change, whatever else does", async () => {
    const store = await openHere();
    put(store, "all", "", ["a"]);
    put(store, "all", "", ["b"], "t1");
    const read = (namespace?: string) => store.rulesFor("c1", undefined, namespace).ofAll;
    const [global, tenant] = [read(), read("t1")];
    expect([global, tenant]).toEqual([[rule("a")], [rule("b")]]);
    put(store, "clientid", "c1", ["x"]);
    expect([read() === global, read("t1") === tenant]).toEqual([true, true]);
    put(store, "all", "", ["c"]);
    expect(read()).toEqual([rule("c")]);
    expect(read("t1")).toBe(tenant);
    store.write((writer) => writer.delete("rules", place("", "", "all")));
    expect(read()).toEqual([]);
    put(store, "all", "", ["c"]);
    expect(read()).toEqual([rule("c")]);
  });

  it("for all are kept of SHARED_LISTS_MAX namespaces, and read again for one more", () => {
    const lists = new SharedLists();
    let reads = 0;
    const get = (namespace: string) =>
      lists.get(namespace, 1, () => {
        reads++;
        return Buffer.from(JSON.stringify([namespace]));
      });
    for (let n = 0; n < SHARED_LISTS_MAX; n++) get(`t${n}`);
    expect([get("t0"), reads]).toEqual([["t0"], SHARED_LISTS_MAX]);
    get("one more");
    expect([get("t1"), reads]).toEqual([["t1"], SHARED_LISTS_MAX + 1]);
    expect([get("t0"), reads]).toEqual([["t0"], SHARED_LISTS_MAX + 2]);
  });
});

describe("the store", () => {
  it("takes back everything when a change fails", async () => {
    const store = await openHere();
    add(store, "ann");
    const change = () =>
      store.write((writer) => {
        writer.putPasswordUser(place("ann"), { ...USER, passwordHash: "other" });
        writer.putPasswordUser(place("bob"), USER);
        writer.delete("password_users", place("ann"));
        throw new Error("no");
      });
    expect(change).toThrow("no");
    expect(store.passwordUser("global", "ann")).toEqual(USER);
    expect(store.passwordUser("global", "bob")).toBeUndefined();
  });

  it("is for its owner alone", async () => {
    await openHere();
    const data = directory.file("data");
    expect(statSync(data).mode & 0o777).toBe(0o700);
    const files = readdirSync(data);
    expect(files).toHaveLength(2);
    for (const file of files) {
      expect(statSync(directory.file(`data/${file}`)).mode & 0o777).toBe(0o600);
    }
  });

  it("takes away what others were allowed before", async () => {
    const first = await openStore(directory.file("data"));
    await first.close();
    chmodSync(directory.file("data/portcullis.mdb"), 0o644);
    await openHere();
    expect(statSync(directory.file("data/portcullis.mdb")).mode & 0o777).toBe(0o600);
  });

  it("keeps its records when it is closed, and answers nothing then", async () => {
    const first = await openStore(directory.file("data"));
    const second = await openStore(directory.file("data"));
    add(first, "ann");
    await first.close();
    await first.close();
    expect(second.passwordUser("global", "ann")).toEqual(USER);
    expect(() => first.passwordUser("global", "ann")).toThrow("closed");
    expect(() => first.write(() => undefined)).toThrow("closed");
    await second.close();
    const third = await openHere();
    expect(third.passwordUser("global", "ann")).toEqual(USER);
  });

  it("is not made where it is only looked for", async () => {
    expect(await openStoreIfThere(directory.file("data"))).toBeUndefined();
    expect(readdirSync(directory.path)).toEqual([]);
    await openHere();
    const again = await openStoreIfThere(directory.file("data"));
    expect(again).toBeDefined();
    await again?.close();
  });

  it("is refused when a newer version wrote it", async () => {
    const file = await openLmdb(directory.file("data"));
    file.meta.putSync(SCHEMA_KEY, SCHEMA_VERSION + 1);
    await file.close();
    await expect(openStore(directory.file("data"))).rejects.toMatchObject({
      code: "ERR_STORE_VERSION",
      message: expect.stringContaining("newer version"),
    });
    await expect(openStore(directory.file("data"))).rejects.toThrow("upgrade");
  });

  it("says what is wrong with a file that is none, or a directory that cannot be", async () => {
    mkdirSync(directory.file("data"));
    writeFileSync(directory.file("data/portcullis.mdb"), "no database".repeat(5000));
    const failure = { code: "ERR_STORE", message: expect.stringContaining(directory.file("data")) };
    await expect(openStore(directory.file("data"))).rejects.toMatchObject(failure);
    writeFileSync(directory.file("data/portcullis.mdb"), "x");
    await expect(openStore(directory.file("data"))).rejects.toMatchObject(failure);
    writeFileSync(directory.file("file"), "");
    await expect(openStore(directory.file("file/data"))).rejects.toMatchObject({
      code: "ERR_STORE",
    });
  });
});
