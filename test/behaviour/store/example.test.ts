/** examples/users does what its comments say. */
import { cpSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { createLog } from "../../../bindings/node/broker/log.ts";
import { startBroker } from "../../../bindings/node/start.ts";
import { runCli, TestDirectory } from "../../support/cli.ts";
import { publish, subscribe } from "../../support/engine.ts";

const EXAMPLE = fileURLToPath(new URL("../../../examples/users", import.meta.url));

describe("examples/users", () => {
  it("lets its users in, to what is theirs, and can be changed while it runs", async () => {
    const directory = new TestDirectory();
    cpSync(EXAMPLE, directory.path, { recursive: true, filter: (path) => !path.endsWith("/data") });
    const file = directory.file("portcullis.conf");
    const log = createLog({ level: "silent" });
    const { engine, close } = await startBroker({ file, env: {}, log, port: 0 });
    onTestFinished(async () => {
      await close();
      directory.remove();
    });
    const connect = (username: string, password: string) =>
      engine.connect({ clientId: "c", listener: "tcp:default", username, password });

    const ann = await connect("ann", "change me, ann");
    if (ann.verdict === "deny") throw new Error(ann.reason);
    expect(publish(ann.session, "users/ann/x")).toBe("allow rule");
    expect(publish(ann.session, "users/operator/x")).toBe("deny rule");
    expect(subscribe(ann.session, "news/#")).toBe("allow rule");
    ann.session.close();
    expect(await connect("ann", "change me")).toMatchObject({ reason: "wrong_password" });
    expect(await connect("nobody", "change me")).toMatchObject({ reason: "all_ignored" });

    const text = '{"permission":"deny","action":"publish","topic":"users/ann/#"}';
    await runCli("rules", "add", text, "--username", "ann", "--config", file);
    const before = await connect("ann", "change me, ann");
    if (before.verdict === "deny") throw new Error(before.reason);
    expect(publish(before.session, "users/ann/x")).toBe("deny rule");
    before.session.close();
    await runCli("rules", "delete", "--username", "ann", "--config", file);
    const after = await connect("ann", "change me, ann");
    if (after.verdict === "deny") throw new Error(after.reason);
    expect(publish(after.session, "users/ann/x")).toBe("allow rule");
    after.session.close();

    const root = await connect("operator", "change-me-first");
    if (root.verdict === "deny") throw new Error(root.reason);
    expect(publish(root.session, "users/ann/x")).toBe("allow superuser");
    root.session.close();

    const listed = await runCli("users", "list", "--config", file);
    expect(listed.stdout).toBe(
      "ann (global)\noperator (global) superuser\nthermostat-7 (global)\n",
    );
    await runCli("users", "delete", "ann", "--config", file);
    expect(await connect("ann", "change me, ann")).toMatchObject({ reason: "all_ignored" });
  });
});
