import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLog } from "../../../../bindings/node/broker/log.ts";
import { LOOK_EVERY_MS } from "../../../../bindings/node/file-watch.ts";
import { type RunningBroker, startBroker } from "../../../../bindings/node/start.ts";
import { FakeClock } from "../../../support/broker.ts";

const SECRET = "a-secret-that-nobody-may-read-in-a-log";
const CONF = `
  include "more.conf"
  portcullis.allow_anonymous = true
  listeners.tcp.default.bind = "127.0.0.1:0"
  authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }`;

let folder: string;
let clock: FakeClock;
let running: RunningBroker;
let lines: Record<string, unknown>[];

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

async function start(watch: boolean): Promise<void> {
  lines = [];
  const log = createLog({ destination: { write: (line) => lines.push(JSON.parse(line)) } });
  const file = join(folder, "portcullis.conf");
  running = await startBroker({ file, log, watch, clock, env: {} });
}

function events(name: string): Record<string, unknown>[] {
  return lines.filter(({ event }) => event === name);
}

/** Moves the clock past a look, and lets a reload that it began come to its end. */
async function look(): Promise<void> {
  clock.advance(LOOK_EVERY_MS);
  for (let n = 0; n < 20; n++) await new Promise(setImmediate);
}

/** Can an anonymous client subscribe to this? */
async function allows(topic: string): Promise<boolean> {
  const answer = await running.engine.connect({ clientId: "c1" });
  if (answer.verdict === "deny") return false;
  const { verdict } = answer.session.authorize({ type: "subscribe", qos: 0 }, topic);
  answer.session.close();
  return verdict === "allow";
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "portcullis-"));
  clock = new FakeClock();
  write("portcullis.conf", CONF);
  write("acl.conf", '{allow, all, subscribe, ["a"]}.');
});
afterEach(async () => {
  await running.close();
  rmSync(folder, { recursive: true });
});

describe("watching the configuration", () => {
  it("puts changed rules in force once they are written to the end", async () => {
    await start(true);
    write("acl.conf", '{allow, all, subscribe, ["b"');
    await look();
    write("acl.conf", '{allow, all, subscribe, ["b"]}.');
    await look();
    expect(await allows("a")).toBe(true);
    await look();
    expect([await allows("a"), await allows("b")]).toEqual([false, true]);
    expect(events("reload_refused")).toEqual([]);
    expect(events("reloaded")).toHaveLength(1);
    await look();
    await look();
    expect(events("reloaded")).toHaveLength(1);
  });

  it("sees included files that appear, and files that are swapped by renaming", async () => {
    await start(true);
    write("more.conf", "mqtt.max_topic_levels = 7");
    await look();
    await look();
    expect(running.engine.config.mqtt.maxTopicLevels).toBe(7);
    write("acl.conf.new", '{allow, all, subscribe, ["c"]}.');
    renameSync(join(folder, "acl.conf.new"), join(folder, "acl.conf"));
    await look();
    await look();
    expect(await allows("c")).toBe(true);
  });

  it("keeps the old policy when the new one cannot be used, and takes the mended one", async () => {
    await start(true);
    const { config } = running.engine;
    const jwt = `mechanism = jwt, algorithm = "hmac-based", secret = "${SECRET}"`;
    write("portcullis.conf", `${CONF}\nauthentication { ${jwt}, fromm = password, form = 1 }`);
    await look();
    await look();
    expect(running.engine.config).toBe(config);
    const mistakes = events("configuration_issue").filter(({ level }) => level === 50);
    const said = mistakes.map(({ at, msg }) => `${at} ${msg}`);
    for (const key of ["fromm", "form"]) {
      expect(said.some((text) => text.includes(".conf:6:") && text.includes(`\`${key}\``))).toBe(
        true,
      );
    }
    expect(events("reload_refused")).toMatchObject([{ level: 50, code: "ERR_CONFIG" }]);
    expect(JSON.stringify(lines)).not.toContain(SECRET);
    write("portcullis.conf", `${CONF}\nauthentication { ${jwt}, from = password }`);
    await look();
    await look();
    expect(running.engine.config.authentication).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain(SECRET);
  });

  it("survives that the configuration is gone for a while", async () => {
    await start(true);
    renameSync(join(folder, "portcullis.conf"), join(folder, "away"));
    await look();
    await look();
    expect(events("reload_refused")).toMatchObject([{ code: "ERR_CONFIG_FILE" }]);
    expect(await allows("a")).toBe(true);
    write("acl.conf", "{allow, all}.");
    renameSync(join(folder, "away"), join(folder, "portcullis.conf"));
    await look();
    await look();
    expect(await allows("z")).toBe(true);
  });

  it("only happens where it was asked for, and ends with the broker", async () => {
    await start(false);
    write("acl.conf", "{allow, all}.");
    await look();
    await look();
    expect(await allows("z")).toBe(false);
    await running.close();
    await start(true);
    await running.close();
    expect(clock.timers).toBe(0);
    write("acl.conf", "{deny, all}.");
    await look();
    expect(events("reloaded")).toEqual([]);
  });
});

describe("reload", () => {
  it("is there to be called, and says what it found", async () => {
    await start(false);
    write("acl.conf", '{allow, all, subscribe, ["b"]}.');
    const issues = await running.reload();
    expect(issues.every(({ severity }) => severity === "warning")).toBe(true);
    expect(await allows("b")).toBe(true);
    write("acl.conf", "{allow, al");
    await expect(running.reload()).rejects.toMatchObject({ code: "ERR_CONFIG" });
    expect(events("configuration_issue").some(({ level }) => level === 50)).toBe(true);
    expect(await allows("b")).toBe(true);
  });
});
