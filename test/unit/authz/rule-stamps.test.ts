import { describe, expect, it } from "vitest";
import {
  type RuleReader,
  RuleStamps,
  STAMPS_MAX,
  type Stamp,
} from "../../../src/authz/rule-stamps.ts";
import type { RuleOwner } from "../../../src/ports/rule-database.ts";

const FLOOR: Stamp = { number: 0 };
const NOW: Stamp = { number: 1 };

const owner = (list: RuleOwner["list"], id: string, namespace = ""): RuleOwner => ({
  list,
  id,
  namespace,
});
const ANN: RuleReader = { clientId: "c1", username: "ann", namespace: "", isFallback: false };

/** What a change of these lists is to a reader: `[latest, latestOwn]`, 1 when it is the change. */
function concerns(reader: RuleReader, ...owners: RuleOwner[]): [number, number] {
  const stamps = new RuleStamps(FLOOR);
  stamps.note(owners, NOW);
  return [stamps.latest(reader).number, stamps.latestOwn(reader).number];
}

describe("a change of stored rules", () => {
  it("concerns whom the list belongs to, and everybody when it is for all", () => {
    expect(concerns(ANN, owner("clientid", "c1"))).toEqual([1, 1]);
    expect(concerns(ANN, owner("username", "ann"))).toEqual([1, 1]);
    expect(concerns(ANN, owner("all", ""))).toEqual([1, 0]);
    for (const other of [
      owner("clientid", "ann"),
      owner("username", "c1"),
      owner("clientid", "c"),
      owner("clientid", "c1", "t1"),
      owner("all", "", "t1"),
    ]) {
      expect(concerns(ANN, other)).toEqual([0, 0]);
    }
    const nobody = { ...ANN, clientId: undefined, username: undefined };
    expect(concerns(nobody, owner("clientid", ""), owner("username", "undefined"))).toEqual([0, 0]);
  });

  it("concerns a tenant's client when it is the tenant's", () => {
    const tenant = { ...ANN, namespace: "t1" };
    expect(concerns(tenant, owner("clientid", "c1", "t1"))).toEqual([1, 1]);
    expect(concerns(tenant, owner("all", "", "t1"))).toEqual([1, 0]);
    for (const other of [owner("clientid", "c1"), owner("all", ""), owner("all", "", "t2")]) {
      expect(concerns(tenant, other)).toEqual([0, 0]);
    }
  });

  it("concerns a tenant's client that got the global lists when it is the tenant's or global", () => {
    const tenant = { ...ANN, namespace: "t1", isFallback: true };
    // A first rule for all of the tenant takes the global ones away from it.
    for (const own of [owner("all", "", "t1"), owner("username", "ann", "t1")]) {
      expect(concerns(tenant, own)).toEqual([1, 1]);
    }
    expect(concerns(tenant, owner("clientid", "c1"))).toEqual([1, 1]);
    expect(concerns(tenant, owner("all", ""))).toEqual([1, 0]);
    expect(concerns(tenant, owner("clientid", "c2"), owner("all", "", "t2"))).toEqual([0, 0]);
  });

  it("is the last one of several, whatever their order", () => {
    const stamps = new RuleStamps(FLOOR);
    stamps.note([owner("all", "")], { number: 1 });
    stamps.note([owner("clientid", "c1")], { number: 2 });
    stamps.note([owner("username", "ann")], { number: 3 });
    stamps.note([owner("all", "")], { number: 4 });
    expect([stamps.latest(ANN).number, stamps.latestOwn(ANN).number]).toEqual([4, 3]);
    const bob = { ...ANN, username: "bob" };
    expect([stamps.latest(bob).number, stamps.latestOwn(bob).number]).toEqual([4, 2]);
    stamps.noteAll({ number: 5 });
    expect([stamps.latest(bob).number, stamps.latestOwn(bob).number]).toEqual([5, 5]);
  });

  it("is one of STAMPS_MAX that are told apart, and one more concerns everybody once", () => {
    const many = Array.from({ length: STAMPS_MAX - 1 }, (_, n) => owner("clientid", `d${n}`));
    const stamps = new RuleStamps(FLOOR);
    stamps.note([...many, owner("username", "bob"), owner("username", "bob")], NOW);
    expect(stamps.latest(ANN)).toBe(FLOOR);
    stamps.note([owner("username", "eve")], { number: 2 });
    expect(stamps.latest(ANN).number).toBe(2);
    stamps.note([owner("username", "eve")], { number: 3 });
    expect(stamps.latest(ANN).number).toBe(2);
  });
});
