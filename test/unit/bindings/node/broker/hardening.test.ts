import { describe, expect, it } from "vitest";
import type { AedesClient } from "../../../../../bindings/node/broker/aedes.ts";
import {
  packetWireBytes,
  QOS2_PENDING_MAX,
  Qos2Ledger,
} from "../../../../../bindings/node/broker/hardening.ts";
import { guardParser } from "../../../../../bindings/node/broker/parser-guard.ts";

const clientWith = (id: string, clean: boolean) => ({ id, clean }) as AedesClient;

describe("packetWireBytes", () => {
  it("counts the fixed header and each byte of the length", () => {
    expect([0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152].map(packetWireBytes)).toEqual([
      2, 129, 131, 16_386, 16_388, 2_097_155, 2_097_157,
    ]);
  });
});

describe("Qos2Ledger", () => {
  it("holds so many messages and not one more", () => {
    const ledger = new Qos2Ledger();
    const client = clientWith("c", true);
    for (let id = 1; id <= QOS2_PENDING_MAX; id++) expect(ledger.begin(client, id)).toBe(true);
    expect(ledger.begin(client, QOS2_PENDING_MAX + 1)).toBe(false);
    expect(ledger.begin(client, 1)).toBe(true);
    expect(ledger.end(client, 1)).toBe(true);
    expect(ledger.begin(client, QOS2_PENDING_MAX + 1)).toBe(true);
  });

  it("ties a clean session to its connection and a persistent one to its id", () => {
    const ledger = new Qos2Ledger();
    expect(ledger.isFirst(clientWith("c", true), 1)).toBe(true);
    expect(ledger.isFirst(clientWith("c", true), 1)).toBe(true);
    expect(ledger.isFirst(clientWith("c", false), 1)).toBe(true);
    expect(ledger.isFirst(clientWith("c", false), 1)).toBe(false);
    ledger.forget("c");
    expect(ledger.isFirst(clientWith("c", false), 1)).toBe(true);
  });
});

describe("guardParser", () => {
  it("turns an exception on the way of a packet into an error of its connection", () => {
    const errors: Error[] = [];
    const parser = {
      parse(): number {
        throw new Error("deep inside");
      },
    };
    const client = { _parser: parser, emit: (_: string, error: Error) => errors.push(error) };
    guardParser(client as unknown as AedesClient);
    parser.parse();
    expect(errors.map(({ message }) => message)).toEqual(["packet not handled"]);
  });
});
