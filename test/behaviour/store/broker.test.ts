/** A broker with accounts of its own: bootstrap files, reloads, and changes while it runs. */
import { existsSync } from "node:fs";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createLog } from "../../../bindings/node/broker/log.ts";
import { type RunningBroker, startBroker } from "../../../bindings/node/start.ts";
import { openStore } from "../../../bindings/node/store/store.ts";
import { createEngine } from "../../../src/engine.ts";
import { ConfigError } from "../../../src/errors.ts";
import { createJoseCrypto } from "../../../src/index.ts";
import { runCli, TestDirectory } from "../../support/cli.ts";
import { imageOf } from "../../support/engine.ts";

const LISTENER = 'listeners.tcp.default.bind = "127.0.0.1:0"';
const DATABASE = `authentication = [{
  mechanism = password_based, backend = built_in_database
  bootstrap_file = "users.csv"
}]`;
const NOBODY = `authentication = [{
  mechanism = cinfo, checks = [{ is_match = "true", result = deny }]
}]`;

let directory: TestDirectory;
let said: string;

beforeEach(() => {
  said = "";
  directory = new TestDirectory({
    "p.conf": `${DATABASE}\n${LISTENER}`,
    "users.csv": "user_id,password\nann,first-secret\n",
  });
  return () => directory.remove();
});

async function start(): Promise<RunningBroker> {
  const destination = {
    write: (line: string): void => {
      said += line;
    },
  };
  const log = createLog({ level: "trace", destination });
  const running = await startBroker({ file: directory.file("p.conf"), env: {}, log });
  onTestFinished(() => running.close());
  return running;
}

async function login(
  { engine }: RunningBroker,
  username: string,
  password: string,
): Promise<string> {
  const decision = await engine.connect({
    clientId: "c",
    listener: "tcp:default",
    username,
    password,
  });
  if (decision.verdict === "allow") decision.session.close();
  return decision.verdict === "allow" ? "allow" : decision.reason;
}

describe("a broker with a built-in database", () => {
  it("adds the users of its bootstrap file, at start and reload, and changes none", async () => {
    const broker = await start();
    expect(await login(broker, "ann", "first-secret")).toBe("allow");
    expect(await login(broker, "ann", "wrong-secret")).toBe("wrong_password");
    expect(await login(broker, "bob", "first-secret")).toBe("all_ignored");
    directory.write("users.csv", "user_id,password\nann,second-secret\nbob,third-secret\n");
    await broker.reload();
    expect(await login(broker, "ann", "first-secret")).toBe("allow");
    expect(await login(broker, "ann", "second-secret")).toBe("wrong_password");
    expect(await login(broker, "bob", "third-secret")).toBe("allow");
    expect(said).not.toContain("secret");
  });

  it("sees at the next connect what another opening of the store changes", async () => {
    const broker = await start();
    const store = await openStore(directory.file("data"));
    const place = { group: "global", namespace: "", id: "ann" };
    store.write((writer) => writer.delete("password_users", place));
    expect(await login(broker, "ann", "first-secret")).toBe("all_ignored");
    await store.close();
    expect(await login(broker, "ann", "first-secret")).toBe("all_ignored");
  });

  it("refuses to load with a bad bootstrap file, and keeps the old policy at a reload", async () => {
    const broker = await start();
    directory.write("users.csv", "user_id,password\nbob,top-secret,top-secret\n");
    const refused = await broker.reload().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConfigError);
    const { issues } = refused as ConfigError;
    expect(issues.at(-1)).toMatchObject({
      path: "authentication[1].bootstrap_file",
      message: expect.stringContaining("users.csv:2:1: the row has 3 fields"),
    });
    expect(await login(broker, "ann", "first-secret")).toBe("allow");
    await broker.close();
    await expect(start()).rejects.toBeInstanceOf(ConfigError);
    expect(said + JSON.stringify(issues)).not.toContain("top-secret");
  });

  it("goes on in emqx mode without the users of a bad bootstrap file", async () => {
    directory.write("users.csv", "user_id\nbob\n");
    directory.write("p.conf", `portcullis.compatibility = emqx\n${DATABASE}\n${LISTENER}`);
    const broker = await start();
    expect(broker.issues.map(({ code }) => code)).toContain("WARN_CONFIG_FILE");
    expect(await login(broker, "bob", "")).toBe("all_ignored");
  });

  it("opens the store at a reload that needs one, and keeps it where it is", async () => {
    directory.write("p.conf", `${NOBODY}\n${LISTENER}`);
    const broker = await start();
    expect(existsSync(directory.file("data"))).toBe(false);
    directory.write("p.conf", `${DATABASE}\n${LISTENER}`);
    await broker.reload();
    expect(await login(broker, "ann", "first-secret")).toBe("allow");
    directory.write("p.conf", `${DATABASE}\n${LISTENER}\nportcullis.data_dir = "elsewhere"`);
    const issues = await broker.reload();
    expect(issues.map(({ code }) => code)).toContain("WARN_CONFIG_RESTART");
    expect(existsSync(directory.file("elsewhere"))).toBe(false);
    expect(await login(broker, "ann", "first-secret")).toBe("allow");
  });

  it("needs no bootstrap file where none is written", async () => {
    directory.write("p.conf", `${DATABASE.replace(/bootstrap_file.*/, "")}\n${LISTENER}`);
    const broker = await start();
    expect(await login(broker, "ann", "first-secret")).toBe("all_ignored");
  });
});

describe("portcullis check", () => {
  it("reads bootstrap files and makes no store", async () => {
    expect((await runCli("check", directory.file("p.conf"))).code).toBe(0);
    directory.write("users.csv", "user_id,password\nann\n");
    const refused = await runCli("check", directory.file("p.conf"));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("users.csv:2:1");
    directory.write("users.csv", `user_id,password\nann,${"x".repeat(73)}\n`);
    const bcrypt = "bootstrap_type = plain, password_hash_algorithm { name = bcrypt }";
    directory.write("p.conf", DATABASE.replace("bootstrap_file", `${bcrypt}\nbootstrap_file`));
    const overlong = await runCli("check", directory.file("p.conf"));
    expect(overlong.stderr).toContain("users.csv:2:5: bcrypt takes passwords of at most 72 bytes");
    directory.write("p.conf", DATABASE.replace("users.csv", "gone.csv"));
    expect((await runCli("check", directory.file("p.conf"))).stderr).toContain("no such file");
    expect(existsSync(directory.file("data"))).toBe(false);
  });
});

describe("portcullis explain", () => {
  it("says which database was asked and what it knew, and shows no hash", async () => {
    const broker = await start();
    const user = broker.database.passwordUser("global", "ann")!;
    const explain = async (username: string) =>
      (
        await runCli(
          ...["explain", "connect", "-c", directory.file("p.conf"), "-i", "c"],
          ...["-u", username, "-P", "wrong-secret"],
        )
      ).stdout;
    const [known, unknown] = [await explain("ann"), await explain("bob")];
    expect(known).toContain("account found in the built-in database, chain `global`");
    expect(unknown).toContain("no such account in the built-in database, chain `global`");
    for (const secret of [user.passwordHash, user.salt!, "wrong-secret"]) {
      expect(known + unknown).not.toContain(secret);
    }
  });
});

describe("an engine on a host without a store", () => {
  it("does not load, and names the authenticator", async () => {
    const text = "authentication = [{ mechanism = password_based, backend = built_in_database }]";
    const image = imageOf({ text });
    const crypto = createJoseCrypto();
    await expect(createEngine({ image, crypto })).rejects.toThrow(
      "`password_based:built_in_database` cannot be used: this host has no built-in database",
    );
  });
});
