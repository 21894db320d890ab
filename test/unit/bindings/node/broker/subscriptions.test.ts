import { describe, expect, it } from "vitest";
import { Subscriptions } from "../../../../../bindings/node/broker/subscriptions.ts";

describe("Subscriptions", () => {
  it("limits a delivery to the best QoS granted for its topic", () => {
    const held = new Subscriptions();
    held.set("a/#", 0, true);
    held.set("a/b", 1, true);
    held.set("c", 2, true);
    expect(held.limitQos("a/x", 2)).toBe(0);
    expect(held.limitQos("a/b", 2)).toBe(1);
    expect(held.limitQos("c", 2)).toBe(2);
    expect(held.limitQos("c", 1)).toBe(1);
    held.delete("a/b");
    expect(held.limitQos("a/b", 2)).toBe(0);
  });

  it("knows whether some subscription has to be checked", () => {
    const held = new Subscriptions();
    held.set("a", 0, false);
    held.set("a", 1, true);
    expect(held.someUncovered).toBe(false);
    held.set("b", 0, false);
    expect(held.someUncovered).toBe(true);
    held.delete("b");
    held.delete("b");
    expect([held.someUncovered, held.size]).toEqual([false, 1]);
  });

  it("asks again what is covered when the policy is another one", () => {
    const held = new Subscriptions();
    const [first, second] = [{}, {}];
    held.follow(first, () => true);
    held.set("a", 1, true);
    held.set("b", 0, true);
    held.follow(first, () => false);
    expect(held.someUncovered).toBe(false);
    held.follow(second, (filter, qos) => filter === "a" && qos === 1);
    expect(held.someUncovered).toBe(true);
    held.delete("b");
    expect(held.someUncovered).toBe(false);
  });

  it("matches as MQTT does", () => {
    const held = new Subscriptions();
    held.set("#", 0, true);
    held.set("$x/+", 0, true);
    expect(held.match("a/b")).toBe(true);
    expect(held.match("$x/y")).toBe(true);
    expect(held.match("$x/y/z")).toBe(false);
  });

  it("selects the filters of a topic, the best QoS first", () => {
    const held = new Subscriptions();
    held.set("a/#", 0, true);
    held.set("a/b", 2, true);
    held.set("+/b", 1, true);
    expect(held.select("a/b").map(([filter]) => filter)).toEqual(["a/b", "+/b", "a/#"]);
    expect(held.select("a/c")).toEqual([["a/#", 0]]);
    expect(held.select("b")).toEqual([]);
  });

  it("knows the QoS of all, while they have the same", () => {
    const held = new Subscriptions();
    expect(held.onlyQos).toBe(undefined);
    held.set("a", 1, true);
    held.set("b", 1, true);
    expect(held.onlyQos).toBe(1);
    held.set("b", 0, true);
    expect(held.onlyQos).toBe(undefined);
    held.delete("a");
    expect(held.onlyQos).toBe(0);
  });
});
