import { existsSync } from "node:fs";
import { Readable } from "node:stream";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { openStore } from "../../../bindings/node/store/store.ts";
import { runCli, TestDirectory } from "../../support/cli.ts";
import { startCli } from "../../support/cli-process.ts";

const CONFIG = `
authentication = [{ mechanism = password_based, backend = built_in_database }]
listeners.tcp.own {
  bind = "127.0.0.1:0"
  authentication = [{
    mechanism = password_based, backend = built_in_database
    password_hash_algorithm { name = bcrypt, salt_rounds = 5 }
  }]
}
`;

let directory: TestDirectory;
let config: string;

beforeEach(() => {
  directory = new TestDirectory({ "p.conf": CONFIG });
  config = directory.file("p.conf");
  return () => directory.remove();
});

/** With this on stdin. */
async function users(input: string, ...args: string[]) {
  const stdin = Readable.from([Buffer.from(input)]) as unknown as typeof process.stdin;
  const spy = vi.spyOn(process, "stdin", "get").mockReturnValue(stdin);
  try {
    return await runCli("users", ...args, "-c", config);
  } finally {
    spy.mockRestore();
  }
}

async function add(userId: string, password: string, ...args: string[]) {
  return users(`${password}\n`, "add", userId, "--password-stdin", ...args);
}

const explain = (...args: string[]) =>
  runCli("explain", "connect", "-c", config, "-i", "c1", ...args);

describe("portcullis users", () => {
  it("is a process that reads the password from stdin and ends", async () => {
    const args = ["users", "add", "ann", "--password-stdin", "-c", config];
    const run = startCli(args, { input: "pw\n" });
    expect(await run.ended).toBe(0);
    expect(run.stdout()).toBe("added ann (global)\n");
    expect((await explain("-u", "ann", "-P", "pw")).code).toBe(0);
  });

  it("adds a user who then gets in, changes the password, and deletes the user", async () => {
    expect(await add("ann", "first")).toMatchObject({ code: 0, stdout: "added ann (global)\n" });
    const ann = (password: string) => explain("-u", "ann", "-P", password);
    expect((await ann("first")).code).toBe(0);
    expect((await ann("first\n")).code).toBe(1);
    expect((await add("ann", "other")).code).toBe(1);
    expect((await ann("first")).code).toBe(0);
    expect(await users("second\r\n", "passwd", "ann", "--password-stdin")).toMatchObject({
      code: 0,
      stdout: "changed ann (global)\n",
    });
    expect((await ann("first")).code).toBe(1);
    expect((await ann("second")).code).toBe(0);
    expect(await users("", "delete", "ann")).toMatchObject({ code: 0 });
    expect((await ann("second")).code).toBe(1);
    expect(await users("", "delete", "ann")).toMatchObject({
      code: 1,
      stderr: "portcullis: there is no user ann (global)\n",
    });
    expect((await users("x", "passwd", "ann", "--password-stdin")).code).toBe(1);
  });

  it("stores passwords as the authenticator of the chain says", async () => {
    expect((await add("ann", "pw", "--chain", "tcp:own")).code).toBe(0);
    const store = await openStore(directory.file("data"));
    expect(store.passwordUser("tcp:own", "ann")?.passwordHash).toMatch(/^\$2b\$05\$/);
    expect(store.passwordUser("global", "ann")).toBeUndefined();
    await store.close();
    const refused = await add("ann", "pw", "--chain", "tcp:other");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--chain can be `global`, `tcp:own`");
    const long = await add("eve", "x".repeat(73), "--chain", "tcp:own");
    expect(long).toMatchObject({ code: 1, stderr: expect.stringContaining("at most 72 bytes") });
  });

  it("keeps superusers when their password changes, and has none in a namespace", async () => {
    await add("root", "pw", "--superuser");
    await users("new", "passwd", "root", "--password-stdin");
    const { stdout } = await users("", "list", "--json");
    expect(JSON.parse(stdout)).toEqual({
      user_id: "root",
      chain: "global",
      is_superuser: true,
    });
    const refused = await add("root", "pw", "--superuser", "--namespace", "t1");
    expect(refused.code).toBe(2);
  });

  it("derives SCRAM keys with their own iterations", async () => {
    const done = await add("dev", "s3cr&t", "--scram", "sha256", "--iterations", "10");
    expect(done).toMatchObject({ code: 0, stdout: "added dev (sha256)\n" });
    const store = await openStore(directory.file("data"));
    const user = store.scramUser("sha256", "dev")!;
    expect(user).toMatchObject({ iterations: 10 });
    expect(Buffer.from(user.salt).toString()).toMatch(/^[0-9a-f]{32}$/);
    expect(store.scramUser("sha512", "dev")).toBeUndefined();
    await store.close();
    expect((await users("", "list", "--scram", "sha256")).stdout).toBe("dev (sha256)\n");
    expect((await users("", "delete", "dev", "--scram", "sha256")).code).toBe(0);
  });

  it("lists users in order, in parts, and never their hashes", async () => {
    const rows = ["b", "a", "c"].map((id) => `${id},hash-of-${id},salt-of-${id}`);
    const csv = directory.write("u.csv", ["user_id,password_hash,salt", ...rows].join("\n"));
    expect(await users("", "import", csv)).toMatchObject({
      code: 0,
      stdout: "3 users: 3 added, 0 changed, 0 left as they were\n",
    });
    const { stdout } = await users("", "list");
    expect(stdout).toBe("a (global)\nb (global)\nc (global)\n");
    const json = await users("", "list", "--json");
    expect(json.stdout + stdout).not.toMatch(/hash-of|salt-of/);
    const part = await users("", "list", "--chain", "global", "--after", "a", "--limit", "1");
    expect(part.stdout).toBe("b (global)\n");
    expect((await users("", "list", "--after", "a")).code).toBe(2);
  });

  it("shows names so that they cannot pass for others, or for commands to the terminal", async () => {
    await add("a\u001b[2J", "pw");
    await add("b\u202ec d", "pw");
    const { stdout } = await users("", "list");
    expect(stdout).toBe('"a\\u001b[2J" (global)\n"b\\u202ec d" (global)\n');
  });

  it("imports nothing of a file with mistakes, and says where they are", async () => {
    const csv = directory.write("u.csv", "user_id,password\nann,top-secret\nbob,top,secret\n");
    const result = await users("", "import", csv, "--type", "plain");
    expect(result.code).toBe(1);
    expect(directory.without(result.stderr)).toBe(
      "portcullis: u.csv:3:1: the row has 3 fields, the first line names 2\n",
    );
    expect((await users("", "list")).stdout).toBe("");
    const json = directory.write("u.json", '[{"user_id":"ann","password":"pw"}]');
    const done = await users("", "import", json, "--type", "plain", "--json");
    expect(JSON.parse(done.stdout)).toEqual({
      ...{ total: 1, success: 1, override: 0, skipped: 0, failed: 0 },
    });
    expect((await explain("-u", "ann", "-P", "pw")).code).toBe(0);
  });

  it("takes no password from the command line, and asks only on a terminal", async () => {
    const refused = await users("", "add", "ann", "--password", "pw");
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown option") });
    const silent = await users("pw", "add", "ann");
    expect(silent).toMatchObject({ code: 2, stderr: expect.stringContaining("--password-stdin") });
    expect((await users("\n", "add", "ann", "--password-stdin")).code).toBe(2);
    expect((await users("pw", "add", "", "--password-stdin")).code).toBe(2);
  });

  it("makes no store where it is only asked, and tells what is wrong with the configuration", async () => {
    const listed = await users("", "list");
    expect(listed).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no built-in database"),
    });
    expect(existsSync(directory.file("data"))).toBe(false);
    expect((await add("ann", "pw", "--data-dir", directory.file("elsewhere"))).code).toBe(0);
    expect(existsSync(directory.file("elsewhere/portcullis.mdb"))).toBe(true);
    config = directory.write("bad.conf", "authentication = [{ mechanism = jwtt }]");
    expect((await add("ann", "pw")).code).toBe(2);
  });

  it("stores in portcullis.data_dir, as seen from the configuration", async () => {
    directory.write("sub/p.conf", `${CONFIG}\nportcullis.data_dir = "../users"`);
    config = directory.file("sub/p.conf");
    await add("ann", "pw");
    expect(existsSync(directory.file("users/portcullis.mdb"))).toBe(true);
  });
});
