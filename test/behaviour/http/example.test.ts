import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPolicy } from "../../../bindings/node/open-policy.ts";
import type { Engine } from "../../../src/engine.ts";
import { brief } from "../../support/engine.ts";

const EXAMPLE = fileURLToPath(new URL("../../../examples/http-authn/", import.meta.url));

describe("the example of a server that is asked", () => {
  let engine: Engine;
  let stop: () => void;

  beforeAll(async () => {
    const env = { ...process.env, PORT: "0" };
    const server = spawn(process.execPath, [`${EXAMPLE}server.mjs`], { env });
    stop = () => server.kill();
    const url = await new Promise<string>((resolve, reject) => {
      server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
      createInterface({ input: server.stdout }).once("line", resolve);
    });
    const policy = await openPolicy(`${EXAMPLE}portcullis.conf`, {
      env: { EMQX_AUTHENTICATION__1__URL: url },
    });
    engine = policy.engine;
  });
  afterAll(() => {
    engine.close();
    stop();
  });

  it("lets in who knows the password, and gives it what the server says", async () => {
    const client = { clientId: "dev-1", username: "alice", password: "wonderland" };
    const decision = await engine.connect(client);
    if (decision.verdict !== "allow") throw new Error(brief(decision));
    const { session } = decision;
    expect(session.clientAttrs).toEqual({ role: "device" });
    expect(session.expireAtMs).toBeGreaterThan(Date.now());
    const publish = { type: "publish", qos: 0, retain: false } as const;
    const verdictOn = async (topic: string) => (await session.authorize(publish, topic)).verdict;
    expect(await verdictOn("devices/alice/up")).toBe("allow");
    expect(await verdictOn("devices/bob/up")).toBe("deny");
    session.close();
  });

  it.each([
    ["alice", "wonderlan", "0x87 backend_denied by password_based:http"],
    ["mallory", "looking-glass", "0x87 backend_denied by password_based:http"],
    ["nobody", "wonderland", "0x87 all_ignored by chain"],
    [undefined, "wonderland", "0x87 all_ignored by chain"],
  ])("refuses %s with %s", async (username, password, expected) => {
    expect(brief(await engine.connect({ clientId: "dev-1", username, password }))).toBe(expected);
  });
});
