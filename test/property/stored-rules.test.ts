/** Laws of stored rules that hold for all changes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { STORED_RULES_CHECK_MS } from "../../src/authz/stored-rules.ts";
import type { Session, StoredListName } from "../../src/types.ts";
import { engineOf, START } from "../support/engine.ts";
import { fakeTime } from "../support/fake-timers.ts";
import { FakeRuleDatabase } from "../support/rule-database.ts";
import { runs } from "../support/runs.ts";

const TEXT = `
portcullis.allow_anonymous = true
mqtt.client_attrs_init = [{ expression = "nth(2, tokens(username, '@'))", set_as_attr = tns }]
authorization { no_match = deny, sources = [{ type = built_in_database }] }
`;
/** Of a tenant and of none, so that lists are met by some, by all and by nobody. */
const CLIENTS = [
  { clientId: "c1", username: "ann" },
  { clientId: "c2", username: "ann" },
  { clientId: "c1", username: "ann@t1" },
  { clientId: "c2", username: "bob@t1" },
  { clientId: "c1", username: "ann@t2" },
];
const TOPICS = ["a", "b", "c"];

const rule = fc.record({
  permission: fc.constantFrom("allow", "deny"),
  action: fc.constant("all"),
  topic: fc.constantFrom(...TOPICS, "+", "${clientid}"),
});
const place = fc.oneof(
  fc.tuple(fc.constant<StoredListName>("clientid"), fc.constantFrom("c1", "c2", "c3")),
  fc.tuple(fc.constant<StoredListName>("username"), fc.constantFrom("ann", "ann@t1", "bob@t1")),
  fc.tuple(fc.constant<StoredListName>("all"), fc.constant("")),
);
const step = fc.oneof(
  fc.record({
    type: fc.constant("put" as const),
    place,
    namespace: fc.constantFrom("", "t1"),
    rules: fc.array(rule, { maxLength: 2 }),
  }),
  fc.record({ type: fc.constant("ask" as const), client: fc.nat(CLIENTS.length - 1) }),
  fc.constant({ type: "notice" as const }),
  fc.constant({ type: "forget" as const }),
  fc.constant({ type: "break" as const }),
  fc.constant({ type: "replaceCore" as const }),
);

const answers = (session: Session): unknown[] =>
  [...TOPICS, "c1"].flatMap((topic) => [
    session.authorize({ type: "publish", qos: 0, retain: false }, topic),
    session.isCovered(topic, 0),
  ]);

describe("a live session", () => {
  test("answers as a client that connects now, once changes have been noticed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const database = new FakeRuleDatabase();
        const time = fakeTime(START * 1000);
        const ports = { rules: database, setTimer: time.setTimer };
        const { open, engine } = await engineOf({ text: TEXT, ports });
        const live = await Promise.all(CLIENTS.map(open));
        const known = live.map((session) => ({ revision: session.revision, at: answers(session) }));
        for (const one of steps) {
          if (one.type === "put") {
            const [list, id] = one.place as [StoredListName, string];
            database.put(list, id, one.rules, one.namespace);
          }
          if (one.type === "ask") answers(live[one.client]!);
          if (one.type === "notice") time.advance(STORED_RULES_CHECK_MS);
          if (one.type === "forget") database.isForgetful = !database.isForgetful;
          if (one.type === "break") database.isBroken = !database.isBroken;
          if (one.type === "replaceCore") engine.policy.recover(new Error("a trap"));
        }
        database.isBroken = false;
        time.advance(STORED_RULES_CHECK_MS);
        for (const [index, session] of live.entries()) {
          const now = answers(session);
          const fresh = await open(CLIENTS[index]!);
          expect(now).toEqual(answers(fresh));
          fresh.close();
          // Whoever has another right than before is told so.
          const { revision, at } = known[index]!;
          if (session.revision === revision) expect(now).toEqual(at);
        }
        engine.close();
      }),
      runs(60),
    );
  });
});
