/** Laws of the rule index that hold for all rules. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ENTRY_RULES, SCRATCH_BYTES, SLOT_COUNT } from "../../assembly/abi.ts";
import { packImage, sealImage } from "../../src/compile/image.ts";
import type { Rule } from "../../src/compile/rule/ast.ts";
import { compileRules } from "../../src/compile/rule/compile.ts";
import { coreSwitches } from "../../src/compile/switches.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { encodeRequest } from "../../src/core/request.ts";
import { actionBit, closeClient, decide, openClient } from "../../src/core/rules.ts";
import { type CoreMemory, inputEnd } from "../../src/core/wasm.ts";
import { validateTopicFilter } from "../../src/topic/validate.ts";
import { referenceDecide } from "../reference/decide.ts";
import { topicMatches } from "../reference/topic.ts";
import {
  aimAt,
  arbitraryClient,
  arbitraryRequests,
  looseRules,
  strictRules,
} from "../support/rule-arbitraries.ts";
import { EVERYONE } from "../support/rule-builders.ts";
import { coreWith, decideOnce, newCore, requestOf } from "../support/rules-core.ts";
import { runs } from "../support/runs.ts";

const strict = resolveSwitches("strict");
const emqx = resolveSwitches("emqx");

describe("the rule index", () => {
  test("does not let a rule behind the deciding one matter", () => {
    fc.assert(
      fc.property(
        strictRules,
        strictRules,
        arbitraryClient,
        arbitraryRequests,
        (rules, others, client, requests) => {
          const [action, anyTopic, aim] = requests[0]!;
          const topic = aimAt(rules, client, anyTopic, aim);
          const ask = (set: Rule[]) =>
            decideOnce(coreWith(set, strict), requestOf(client), action, topic);
          const answer = ask(rules);
          fc.pre(answer.verdict !== "no_match");
          expect(ask([...rules.slice(0, answer.rule + 1), ...others])).toEqual(answer);
        },
      ),
      runs(100),
    );
  });

  test("allows a filter first only where it speaks of the filter's topics too, but for eq", () => {
    const isEqual = ({ topics }: Rule): boolean =>
      topics !== "all" && topics.some(({ type }) => type === "equal");
    const levels = fc.array(fc.constantFrom("a", "b", "", "$x", "u"), { maxLength: 3 });
    fc.assert(
      fc.property(
        strictRules,
        arbitraryClient,
        arbitraryRequests,
        levels,
        (rules, client, requests, rest) => {
          const core = coreWith(rules, strict);
          const handle = openClient(core, requestOf(client));
          for (const [anyAction, anyTopic, aim] of requests) {
            const filter = aimAt(rules, client, anyTopic, aim);
            if (typeof filter !== "string" || validateTopicFilter(filter) !== undefined) continue;
            const action = { type: "subscribe", qos: anyAction.qos } as const;
            const byFilter = decide(core, handle, actionBit(action), filter);
            if (byFilter.verdict !== "allow" || isEqual(rules[byFilter.rule]!)) continue;
            const fixed = filter.replace(/(^|\/)#$/, "");
            const names = [fixed, ...(filter === fixed ? [] : rest)].join("/").split("/");
            const topic = names.map((name) => (name === "+" ? (rest[0] ?? "a") : name)).join("/");
            if (topic === "" || !topicMatches(filter, topic)) continue;
            const byTopic = decide(core, handle, actionBit(action), topic);
            expect(byTopic.verdict).not.toBe("no_match");
            expect(byTopic.rule).toBeLessThanOrEqual(byFilter.rule);
          }
          closeClient(core, handle);
        },
      ),
      runs(400),
    );
  });

  test("keeps its answers when other users' rules crowd every terminal", () => {
    fc.assert(
      fc.property(looseRules, arbitraryClient, arbitraryRequests, (rules, client, requests) => {
        const crowd = rules.flatMap((rule) => [
          rule,
          ...Array.from({ length: 6 }, (_, i): Rule => {
            const field = { name: i % 2 ? "clientid" : "username" } as const;
            return { ...rule, who: { type: "equal", field, value: i < 4 ? `other${i}` : "a" } };
          }),
        ]);
        const core = coreWith(crowd, emqx);
        const handle = openClient(core, requestOf(client));
        for (const [action, anyTopic, aim] of requests) {
          const topic = aimAt(rules, client, anyTopic, aim);
          const { rule } = decide(core, handle, actionBit(action), topic);
          expect(rule).toBe(referenceDecide(crowd, client, action, topic, emqx).rule);
        }
        closeClient(core, handle);
      }),
      runs(250),
    );
  });

  test("decides the same whatever scratch holds and however often it is asked", () => {
    fc.assert(
      fc.property(
        looseRules,
        arbitraryClient,
        arbitraryRequests,
        fc.nat(255),
        (rules, client, requests, filling) => {
          const core = coreWith(rules, emqx);
          const handle = openClient(core, requestOf(client));
          const ask = () =>
            requests.map(([action, topic, aim]) =>
              decide(core, handle, actionBit(action), aimAt(rules, client, topic, aim)),
            );
          const first = ask();
          const scratch = inputEnd(core);
          core.bytes.fill(filling, scratch, scratch + Math.min(65536, SCRATCH_BYTES));
          expect(ask()).toEqual(first);
          closeClient(core, handle);
        },
      ),
      runs(200),
    );
  });

  test("visits each node once, however the filters branch", () => {
    const depth = 10;
    const rules = Array.from({ length: 2 ** depth }, (_, i): Rule => {
      const levels = Array.from({ length: depth }, (_, bit) => ((i >> bit) & 1 ? "+" : "a"));
      const isLast = i === 2 ** depth - 1;
      return {
        permission: "allow",
        who: isLast
          ? EVERYONE
          : { type: "pattern", field: { name: "clientid" }, pattern: `^${i}$` },
        actions: 511,
        topics: [{ type: "filter", text: levels.join("/") }],
      };
    });
    const topic = Array(depth).fill("a").join("/");
    const publish = { type: "publish", qos: 0, retain: false } as const;
    expect(decideOnce(coreWith(rules), { clientId: "c" }, publish, topic).rule).toBe(
      2 ** depth - 1,
    );
  });
});

test("a malformed request record gives a handle or a status, never a trap", () => {
  const core = coreWith([{ permission: "allow", who: EVERYONE, actions: 511, topics: "all" }]);
  const slots = SLOT_COUNT * 4;
  const word = fc.oneof(fc.nat(16), fc.nat(0xffffffff), fc.constantFrom(0xfffffff0, 0x80000000));
  const near = fc.nat(4096).map((offset) => core.inputPtr + offset);
  const words = fc.array(fc.tuple(fc.nat(slots - 1), fc.oneof(word, near)), { maxLength: 12 });
  fc.assert(
    fc.property(words, (places) => {
      const request = {
        clientId: "c",
        clientAttrs: { a: "b" },
        peerHost: Uint8Array.of(1, 2, 3, 4),
      };
      encodeRequest(core, request);
      for (const [place, value] of places) {
        core.view.setUint32(core.inputPtr + place * 4, value, true);
      }
      const handle = core.exports.client_open();
      if (handle >= 0) closeClient(core, handle);
      expect(core.exports.records_used()).toBe(0);
    }),
    runs(1500),
  );
});

describe("hostile rule sets", () => {
  /** Opens and uses an image of this blob: any status will do, a trap or a hang will not. */
  function attempt(core: CoreMemory, image: Uint8Array<ArrayBuffer>): boolean {
    sealImage(image);
    core.bytes.set(image, core.exports.image_alloc(image.length));
    core.inputPtr = core.exports.input_ptr();
    if (core.exports.image_open() !== 0) return false;
    const handle = openClient(core, { clientId: "a", username: "b", clientAttrs: { g: "a/b" } });
    for (const topic of ["a", "a/b", "#", "a/+/b", "", "$x/a"]) {
      for (const bit of [1, 64]) {
        decide(core, handle, bit, topic);
        core.exports.is_covered(handle, topic.length, bit);
      }
    }
    closeClient(core, handle);
    return true;
  }

  const damage = fc.array(
    fc.tuple(
      fc.nat(),
      fc.oneof(
        fc.nat(64),
        fc.constantFrom(0xffffffff, 0x7fffffff, 0x80000000, 0xfffffff8),
        fc.nat(0xffffffff),
      ),
    ),
    { minLength: 1, maxLength: 4 },
  );

  test("are refused or decide something, but never trap", () => {
    const core = newCore();
    let opened = 0;
    fc.assert(
      fc.property(looseRules, damage, (rules, words) => {
        const { blob } = compileRules(rules, { switches: emqx });
        const view = new DataView(blob.buffer);
        for (const [place, word] of words) {
          view.setUint32((place % (blob.length / 4)) * 4, word, true);
        }
        const entry = { kind: ENTRY_RULES, id: 0, blob };
        if (attempt(core, packImage([entry], coreSwitches(emqx)))) opened++;
      }),
      runs(1500),
    );
    expect(opened).toBeGreaterThan(0);
  });

  test("of a client are refused or decide something, and leave nothing behind", () => {
    const core = coreWith([], emqx, newCore());
    let opened = 0;
    fc.assert(
      fc.property(looseRules, damage, fc.nat(3), (rules, words, how) => {
        const { blob } = compileRules(rules, { switches: emqx });
        const view = new DataView(blob.buffer);
        for (const [place, word] of words) {
          view.setUint32((place % (blob.length / 4)) * 4, word, true);
        }
        const { rules_open, rules_close, client_stored, is_covered } = core.exports;
        const handle = openClient(core, { clientId: "a", username: "b" });
        core.bytes.set(blob, core.inputPtr);
        const shared = rules_open(blob.length);
        core.bytes.set(blob, core.inputPtr);
        if (client_stored(handle, blob.length, Math.max(0, shared), how) === 0) opened++;
        for (const topic of ["a", "a/b", "#", "$x/a"]) {
          for (const bit of [1, 64]) {
            decide(core, handle, bit, topic);
            is_covered(handle, topic.length, bit);
          }
        }
        if (shared > 0) rules_close(shared);
        closeClient(core, handle);
        expect(core.exports.records_used()).toBe(0);
      }),
      runs(700),
    );
    expect(opened).toBeGreaterThan(0);
  });

  test("are refused when they are not rule sets at all", () => {
    const core = newCore();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const entry = { kind: ENTRY_RULES, id: 0, blob: bytes };
        expect(attempt(core, packImage([entry], 0))).toBe(false);
      }),
      runs(200),
    );
  });

  test("are refused twice in an image, and cut short", () => {
    const core = newCore();
    const { blob } = compileRules([], { switches: strict });
    const entry = { kind: ENTRY_RULES, id: 0, blob };
    expect(attempt(core, packImage([entry, { ...entry, id: 1 }], 0))).toBe(false);
    expect(attempt(core, packImage([{ ...entry, blob: blob.subarray(0, -8) }], 0))).toBe(false);
    expect(attempt(core, packImage([entry], 0))).toBe(true);
  });
});
