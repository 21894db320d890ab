/**
 * Clients that are gone before they are accepted. What they sent can still be read, but nobody knows
 * any more where it came from.
 */
import { spawnSync } from "node:child_process";
import mqtt, { type Packet } from "mqtt-packet";
import { afterEach, describe, expect, it, vi } from "vitest";
import { connectPacket, startBroker, type TestBroker } from "../../support/broker.ts";
import { engineFrom } from "../../support/policy.ts";

let test: TestBroker;
afterEach(() => test.close());

const CONF = `portcullis.allow_anonymous = true
authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`;
const ACL = `{allow, {username, "watcher"}, all, all}.
{deny, {ipaddr, "127.0.0.0/8"}, all, all}.
{allow, all}.
`;

/** Connects, sends, resets: from another process, while this one does nothing else. */
function hitAndRun(port: number, packets: readonly Packet[]): void {
  const bytes = Buffer.concat(packets.map((packet) => mqtt.generate(packet, PROTOCOL)));
  const script = `
    const socket = require("node:net").connect(${port}, "127.0.0.1", () => {
      socket.write(Buffer.from("${bytes.toString("hex")}", "hex"), () => socket.resetAndDestroy());
    });`;
  const { status } = spawnSync(process.execPath, ["-e", script]);
  expect(status).toBe(0);
}

const PROTOCOL = { protocolVersion: 5 };

describe("a client that reset its connection before it was accepted", () => {
  it("is not listened to, so that it gets around no rule about addresses", async () => {
    const engine = await engineFrom({ conf: CONF, acl: ACL });
    const connect = vi.spyOn(engine, "connect");
    test = await startBroker(engine);
    const watcher = await test.join({ clientId: "watcher", username: "watcher" });
    await watcher.subscribe(["#"]);
    const will = { topic: "will", payload: Buffer.from(""), qos: 0, retain: false } as const;
    hitAndRun(test.port, [
      connectPacket({ clientId: "gone", will }),
      { cmd: "publish", topic: "message", payload: "", qos: 0, retain: false, dup: false },
    ]);
    const why = "the connection is gone";
    expect(await test.logged("connection_refused")).toMatchObject({ why });
    expect(connect).toHaveBeenCalledTimes(1);
    await watcher.publish("marker");
    expect((await watcher.next("publish")).topic).toBe("marker");
  });

  it("is another matter than one that resets it later, which is known by its address", async () => {
    test = await startBroker(await engineFrom({ conf: CONF, acl: ACL }));
    const watcher = await test.join({ clientId: "watcher", username: "watcher" });
    await watcher.subscribe(["#"]);
    const known = await test.join({ clientId: "known" });
    expect(await known.publish("message", { qos: 1 })).toBe(0x87);
    known.socket.resetAndDestroy();
    await watcher.publish("marker");
    expect((await watcher.next("publish")).topic).toBe("marker");
  });
});
