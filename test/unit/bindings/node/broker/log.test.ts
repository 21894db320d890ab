import { describe, expect, it } from "vitest";
import {
  ClientLog,
  createLog,
  LINES_PER_SECOND_MAX,
  LOGGED_CHARACTERS_MAX,
  printable,
} from "../../../../../bindings/node/broker/log.ts";
import { FakeClock } from "../../../../support/broker.ts";

function logInto(lines: Record<string, unknown>[]) {
  return createLog({
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
}

const client = { clientId: "c", peer: "127.0.0.1:1", listener: "tcp:default" };
const refusal = { reason: "no_match", by: "default", code: 0x87 };

describe("printable", () => {
  it("escapes what could move a cursor or hide text", () => {
    expect(printable("a\u001b[2J\n\u009b\u202e\u2028\ud800z")).toBe(
      "a\\u{1b}[2J\\u{a}\\u{9b}\\u{202e}\\u{2028}\\u{d800}z",
    );
    expect(printable("plant/héllo/温度")).toBe("plant/héllo/温度");
  });

  it("cuts what is past the limit, and says how long it was", () => {
    const whole = "x".repeat(LOGGED_CHARACTERS_MAX);
    expect(printable(whole)).toBe(whole);
    expect(printable(`${whole}y`)).toBe(`${whole}… (${LOGGED_CHARACTERS_MAX + 1} characters)`);
  });
});

describe("ClientLog", () => {
  it("says what, who and why in one line", () => {
    const lines: Record<string, unknown>[] = [];
    const log = new ClientLog(logInto(lines), new FakeClock());
    const fault = { code: "ERR_JWT_KEY", at: "authentication[0]", message: "no key\u0007" };
    const rule = { number: 3, at: { file: "acl.conf", line: 9, column: 1 } };
    log.refused("publish", client, { ...refusal, topic: "a/b", rule, faults: [fault] });
    expect(lines).toMatchObject([
      {
        event: "publish_refused",
        reason: "no_match",
        by: "default",
        code: "0x87",
        topic: "a/b",
        rule: "acl.conf:9",
        faults: ["ERR_JWT_KEY authentication[0]: no key\\u{7}"],
        clientId: "c",
        peer: "127.0.0.1:1",
        listener: "tcp:default",
      },
    ]);
  });

  it("writes so many lines a second, counts the others, and says how many they were", () => {
    const lines: Record<string, unknown>[] = [];
    const clock = new FakeClock();
    const log = new ClientLog(logInto(lines), clock);
    for (let n = 0; n < LINES_PER_SECOND_MAX + 7; n++) log.refused("connect", client, refusal);
    expect(lines.length).toBe(LINES_PER_SECOND_MAX);
    clock.advance(1_000);
    log.refused("connect", client, refusal);
    expect(lines.length).toBe(LINES_PER_SECOND_MAX + 2);
    expect(lines.at(-2)).toMatchObject({ event: "lines_suppressed", count: 7 });
  });
});

describe("createLog", () => {
  it("redacts secrets even when somebody logs them", () => {
    const lines: Record<string, unknown>[] = [];
    logInto(lines).info({ password: "s3cret", packet: { payload: "s3cret", token: "s3cret" } });
    expect(JSON.stringify(lines)).not.toContain("s3cret");
  });
});
