import { describe, expect, it } from "vitest";
import { ERR_HANDLE, ERR_INPUT, INPUT_BYTES_MAX, OK } from "../../../assembly/abi.ts";
import { packImage } from "../../../src/compile/image.ts";
import type { Rule } from "../../../src/compile/rule/ast.ts";
import { compileRules } from "../../../src/compile/rule/compile.ts";
import { resolveSwitches } from "../../../src/config/compatibility.ts";
import {
  actionBit,
  closeClient,
  closeSharedRules,
  decide,
  isCovered,
  openClient,
  openSharedRules,
  type StoredSets,
  setSharedRules,
  setStoredRules,
  setTokenRules,
} from "../../../src/core/rules.ts";
import { loadImage } from "../../../src/core/wasm.ts";
import { allow, deny, filter, PUBLISH, SUBSCRIBE } from "../../support/rule-builders.ts";
import { coreWith, newCore } from "../../support/rules-core.ts";

const switches = resolveSwitches("strict");
const blobOf = (rules: readonly Rule[]) => compileRules(rules, { switches }).blob;
const publish = actionBit(PUBLISH);
const subscribe = actionBit(SUBSCRIBE);
const FAILS: Rule = { ...deny("all"), who: { type: "raise" } };
const FRONT = { isBehindImage: false, skipsFailures: false };
const BEHIND = { ...FRONT, isBehindImage: true };

interface Setup {
  readonly image?: readonly Rule[];
  readonly token?: readonly Rule[];
  readonly own?: readonly Rule[];
  readonly shared?: readonly Rule[];
  readonly how?: Pick<StoredSets, "isBehindImage" | "skipsFailures">;
}

function clientWith({ image = [], token, own, shared, how = FRONT }: Setup) {
  const core = coreWith(image, switches, newCore());
  const handle = openClient(core, { clientId: "c1", username: "ann" });
  if (token) setTokenRules(core, handle, blobOf(token));
  const set = shared && openSharedRules(core, blobOf(shared));
  setStoredRules(core, handle, { own: own && blobOf(own), shared: set, ...how });
  const ask = (topic: string) => {
    const { verdict, origin, rule } = decide(core, handle, publish, topic);
    return verdict === "no_match" ? verdict : `${verdict} ${origin} ${rule}`;
  };
  const covers = (wanted: string) => isCovered(core, handle, subscribe, wanted);
  return { core, handle, set, ask, covers };
}

describe("a client's stored rules", () => {
  const image = [allow([filter("i/#"), filter("x")])];
  const token = [allow([filter("t/#")]), deny([filter("x")])];
  const own = [deny([filter("t/a"), filter("i/a")]), allow([filter("own/${clientid}")])];
  const shared = [deny([filter("own/c1"), filter("i/b")]), allow([filter("all/${username}/#")])];

  it("in front are asked behind the token's and before the image's", () => {
    const { ask } = clientWith({ image, token, own, shared });
    expect(ask("t/a")).toBe("allow token 0");
    expect(ask("i/a")).toBe("deny own 0");
    expect(ask("own/c1")).toBe("allow own 1");
    expect(ask("i/b")).toBe("deny shared 0");
    expect(ask("all/ann/x")).toBe("allow shared 1");
    expect(ask("i/c")).toBe("allow image 0");
    expect(ask("all/bob/x")).toBe("no_match");
  });

  it("behind are asked where the image has nothing to say", () => {
    const { ask } = clientWith({ image, token, own, shared, how: BEHIND });
    expect(["t/a", "x", "i/a", "own/c1", "all/ann/x", "all/bob/x"].map(ask)).toEqual([
      "allow token 0",
      "deny token 1",
      "allow image 0",
      "allow own 1",
      "allow shared 1",
      "no_match",
    ]);
  });

  it("take the place of those it had, and can be taken away", () => {
    const { core, handle, ask } = clientWith({ image, own, shared });
    setStoredRules(core, handle, { own: blobOf([deny("all")]), shared: undefined, ...FRONT });
    expect([ask("all/ann/x"), ask("i/c")]).toEqual(["deny own 0", "deny own 0"]);
    setStoredRules(core, handle, { own: undefined, shared: undefined, ...FRONT });
    expect([ask("all/ann/x"), ask("i/b")]).toEqual(["no_match", "allow image 0"]);
  });

  it("stay when the token's are taken away, and the other way round", () => {
    const { core, handle, ask } = clientWith({ image, token, own });
    setTokenRules(core, handle, undefined);
    expect([ask("t/a"), ask("x")]).toEqual(["deny own 0", "allow image 0"]);
    setTokenRules(core, handle, blobOf(token));
    setStoredRules(core, handle, { own: undefined, shared: undefined, ...FRONT });
    expect([ask("t/a"), ask("i/a")]).toEqual(["allow token 0", "allow image 0"]);
  });

  it("that cannot be evaluated fail when they are reached", () => {
    const { ask } = clientWith({ image: [allow("all")], own: [deny([filter("a")]), FAILS] });
    expect([ask("a"), ask("b")]).toEqual(["deny own 0", "failed own 1"]);
    const behind = clientWith({ image: [allow([filter("a")])], own: [FAILS], how: BEHIND });
    expect([behind.ask("a"), behind.ask("b")]).toEqual(["allow image 0", "failed own 0"]);
  });

  it("that cannot be evaluated are passed over as one source, where failures are skipped", () => {
    const how = { ...FRONT, skipsFailures: true };
    const setup = { own: [allow([filter("a")]), FAILS], shared: [deny("all")] };
    const front = clientWith({ image: [allow([filter("b")])], ...setup, how });
    expect(["a", "b", "c"].map(front.ask)).toEqual(["allow own 0", "allow image 0", "no_match"]);
    const behind = clientWith({ image: [FAILS], ...setup, how: { ...how, isBehindImage: true } });
    expect([behind.ask("a"), behind.ask("b")]).toEqual(["allow own 0", "no_match"]);
    const denies = clientWith({ image: [FAILS], ...setup, how: BEHIND });
    expect(denies.ask("a")).toBe("failed image 0");
  });
});

describe("isCovered", () => {
  const wide = [allow([filter("a/#")])];
  const hole = [deny([filter("a/x")])];

  it.each<[string, Setup, boolean]>([
    ["stored rules allow all of it", { own: wide }, true],
    ["shared rules do", { shared: wide }, true],
    ["those behind the image do", { shared: wide, how: BEHIND }, true],
    ["the image does", { image: wide, own: [allow([filter("b")])] }, true],
    ["a deny stands behind what allows it", { image: hole, own: wide }, true],
    ["and so with the image in front", { image: wide, shared: hole, how: BEHIND }, true],
    ["a stored rule denies one topic of it", { image: wide, own: hole }, false],
    ["a shared one does", { image: wide, shared: hole }, false],
    ["the image does, in front", { image: hole, own: wide, how: BEHIND }, false],
    ["the token does", { token: hole, own: wide, how: BEHIND }, false],
    ["the client's own do", { own: hole, shared: wide }, false],
    ["something in front cannot be evaluated", { own: [FAILS], image: wide }, false],
    [
      "that is so also where it is passed over",
      { own: [FAILS], image: wide, how: { ...FRONT, skipsFailures: true } },
      false,
    ],
    ["nobody allows it", { own: [], shared: [] }, false],
  ])("knows when %s", (_, setup, expected) => {
    expect(clientWith(setup).covers("a/+")).toBe(expected);
  });
});

describe("a shared rule set", () => {
  const rules = blobOf([allow([filter("u/${username}/#")], { type: "all" })]);

  it("is of each client alone where it speaks of the client", () => {
    const core = coreWith([], switches, newCore());
    const shared = openSharedRules(core, rules);
    const [ann, bob] = ["ann", "bob"].map((username) => {
      const handle = openClient(core, { clientId: "c", username });
      setStoredRules(core, handle, { own: undefined, shared, ...FRONT });
      return handle;
    }) as [number, number];
    const ask = (handle: number, topic: string) => decide(core, handle, publish, topic).verdict;
    expect([ask(ann, "u/ann/1"), ask(bob, "u/ann/1"), ask(bob, "u/bob/1")]).toEqual([
      "allow",
      "no_match",
      "allow",
    ]);
  });

  it("lives as long as somebody has it, and is given back then", () => {
    const core = coreWith([], switches, newCore());
    const before = core.exports.records_used();
    const shared = openSharedRules(core, rules);
    const handle = openClient(core, { clientId: "c", username: "ann" });
    setStoredRules(core, handle, { own: undefined, shared, ...FRONT });
    closeSharedRules(core, shared);
    expect(decide(core, handle, publish, "u/ann/1").verdict).toBe("allow");
    // Its own hold is counted before the one it had is given up.
    setStoredRules(core, handle, { own: undefined, shared, ...FRONT });
    expect(decide(core, handle, publish, "u/ann/1").verdict).toBe("allow");
    closeClient(core, handle);
    expect(core.exports.records_used()).toBe(before);
    expect(core.exports.rules_close(shared)).toBe(ERR_HANDLE);
  });

  it("is told apart from clients and from what is no handle", () => {
    const core = coreWith([], switches, newCore());
    const shared = openSharedRules(core, rules);
    const handle = openClient(core, { clientId: "c" });
    expect(core.exports.decide(shared, 0, publish)).toBe(ERR_HANDLE);
    expect(core.exports.client_close(shared)).toBe(ERR_HANDLE);
    expect(core.exports.rules_close(handle)).toBe(ERR_HANDLE);
    for (const wrong of [-1, handle, shared + 1, shared ^ 0x1000000]) {
      expect(core.exports.client_stored(handle, 0, wrong, 0)).toBe(ERR_HANDLE);
      expect(core.exports.client_stored(wrong, 0, shared, 0)).toBe(
        wrong === handle ? 0 : ERR_HANDLE,
      );
    }
    expect(core.exports.client_stored(handle, 0, shared, 4)).toBe(ERR_INPUT);
    expect(core.exports.rules_open(INPUT_BYTES_MAX + 1)).toBe(ERR_INPUT);
    expect(core.exports.rules_open(8)).toBeLessThan(0);
  });

  it("takes the place of another, and the client's own rules stay", () => {
    for (const how of [FRONT, BEHIND]) {
      const { core, handle, set, ask } = clientWith({
        image: [allow([filter("i")])],
        own: [allow([filter("own/${clientid}")]), deny([filter("i")])],
        shared: [allow([filter("before")])],
        how,
      });
      const other = openSharedRules(core, blobOf([deny([filter("own/c1")]), allow([filter("x")])]));
      const inFront = how === FRONT;
      setSharedRules(core, handle, other);
      expect(["own/c1", "x", "before", "i"].map(ask)).toEqual([
        "allow own 0",
        "allow shared 1",
        "no_match",
        inFront ? "deny own 1" : "allow image 0",
      ]);
      // The same once more, after whoever opened it has given it back.
      closeSharedRules(core, other);
      expect(core.exports.client_shared(handle, other)).toBe(OK);
      expect(ask("x")).toBe("allow shared 1");
      setSharedRules(core, handle, undefined);
      expect(["own/c1", "x"].map(ask)).toEqual(["allow own 0", "no_match"]);
      expect(core.exports.client_shared(handle, other)).toBe(ERR_HANDLE);
      expect(core.exports.client_shared(handle, handle)).toBe(ERR_HANDLE);
      expect(core.exports.client_shared(set!, 0)).toBe(ERR_HANDLE);
      expect(ask("own/c1")).toBe("allow own 0");
      closeSharedRules(core, set!);
      closeClient(core, handle);
      expect(core.exports.records_used()).toBe(0);
    }
  });

  it("does not outlive its image", () => {
    const core = newCore();
    const shared = openSharedRules(core, rules);
    loadImage(core, packImage([], 0));
    const handle = openClient(core, { clientId: "c" });
    expect(core.exports.client_stored(handle, 0, shared, 0)).toBe(ERR_HANDLE);
  });

  it("that was refused leaves the client without stored rules, and nothing behind", () => {
    const core = coreWith([allow("all")], switches, newCore());
    const shared = openSharedRules(core, rules);
    const handle = openClient(core, { clientId: "c" });
    setStoredRules(core, handle, { own: rules, shared, ...FRONT });
    const damaged = Uint8Array.from(rules);
    damaged[0]! ^= 255;
    const give = () => setStoredRules(core, handle, { own: damaged, shared, ...FRONT });
    expect(give).toThrow(/rules/);
    closeSharedRules(core, shared);
    expect(core.exports.rules_close(shared)).toBe(ERR_HANDLE);
    closeClient(core, handle);
    expect(core.exports.records_used()).toBe(0);
  });

  it("and own rules leave memory where it was after ten thousand clients", () => {
    const core = coreWith([allow([filter("${clientid}")])], switches, newCore());
    const shared = openSharedRules(core, rules);
    const before = core.exports.records_used();
    const own = blobOf([allow([filter("own/${clientid}")])]);
    const handles: number[] = [];
    for (let i = 0; i < 10_000; i++) {
      const handle = openClient(core, { clientId: `c${i}`, username: "ann" });
      setStoredRules(core, handle, { own: i % 2 ? own : undefined, shared, ...BEHIND });
      if (i % 3 === 0) setStoredRules(core, handle, { own, shared, ...FRONT });
      handles.push(handle);
    }
    // The blob for all is there once: a client has room for its variables.
    expect((core.exports.records_used() - before) / handles.length).toBeLessThan(1536);
    for (const handle of handles) closeClient(core, handle);
    expect(core.exports.records_used()).toBe(before);
  });
});
