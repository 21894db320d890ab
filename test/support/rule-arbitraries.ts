/** Arbitrary rules, clients and requests, biased to the places where rules touch. */
import fc from "fast-check";
import type { AddressRange, Rule, TopicEntry, Who, WhoField } from "../../src/compile/rule/ast.ts";
import type { Action, Text } from "../../src/types.ts";
import type { ReferenceClient } from "../reference/client.ts";

const VALUES = [
  "a",
  "b",
  "ab",
  "",
  "$x",
  "+",
  "#",
  "a/b",
  "a/#",
  "undefined",
  "é",
  "a\n",
  "\u0085",
];
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("a", "b", "ab") },
  { weight: 2, arbitrary: fc.constantFrom(...VALUES) },
  { weight: 1, arbitrary: fc.constantFrom(Uint8Array.of(0xff), Uint8Array.of(0xc3)) },
);
const maybe = fc.option(value, { nil: undefined });

export const arbitraryClient: fc.Arbitrary<ReferenceClient> = fc
  .record({
    clientId: value,
    username: fc.option(maybe, { nil: null }),
    zone: fc.constantFrom("a", "default", undefined),
    listener: fc.constantFrom("tcp:default", undefined),
    certCommonName: fc.option(maybe, { nil: null }),
    peerHost: fc.constantFrom("10.0.0.1", "10.1.0.1", "::1", "::ffff:10.0.0.1", null, undefined),
    attributes: fc.record({ g: value, "h-i": value }, { requiredKeys: [] }),
  })
  .map(({ attributes, ...client }) => {
    const present = Object.entries(client).filter(([, field]) => field !== undefined);
    const clientAttrs = Object.entries(attributes).filter(([, field]) => field !== undefined);
    return {
      ...Object.fromEntries(present),
      clientAttrs: Object.fromEntries(clientAttrs),
    } as ReferenceClient;
  });

const placeholder = fc.constantFrom(
  "${clientid}",
  "${username}",
  "${zone}",
  "${cert_common_name}",
  "${client_attrs.g}",
  "${client_attrs.none}",
);
const plain = fc.constantFrom("a", "b", "ab", "", "+", "#", "$x", "a+", "+", "#", "${$}");
const level = fc.oneof(
  { weight: 4, arbitrary: plain },
  { weight: 2, arbitrary: placeholder },
  { weight: 1, arbitrary: fc.tuple(plain, placeholder).map((both) => both.join("")) },
  { weight: 1, arbitrary: fc.tuple(placeholder, plain).map((both) => both.join("")) },
  { weight: 1, arbitrary: fc.tuple(placeholder, placeholder).map((both) => both.join("")) },
);
const joined = (one: fc.Arbitrary<string>) =>
  fc.array(one, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));

/** Names that strict mode refuses and `emqx` mode reads literally. */
export const looseFilter: fc.Arbitrary<string> = joined(
  fc.oneof(
    { weight: 4, arbitrary: level },
    {
      weight: 1,
      arbitrary: fc.constantFrom("${peerhost}", "${.foo}", "${$}{clientid}", "${", "${.username}"),
    },
  ),
);

export const arbitraryTopic: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  { weight: 9, arbitrary: joined(fc.constantFrom("a", "b", "ab", "", "+", "#", "$x", "aa", "a+")) },
  { weight: 1, arbitrary: looseFilter },
  { weight: 1, arbitrary: fc.constantFrom(Uint8Array.of(0xff), Uint8Array.of(0x61, 0x2f, 0xc3)) },
);

const field: fc.Arbitrary<WhoField> = fc.constantFrom<WhoField>(
  { name: "username" },
  { name: "clientid" },
  { name: "zone" },
  { name: "listener" },
  { name: "client_attr", attr: "g" },
  { name: "client_attr", attr: "h-i" },
);
const RANGES: readonly AddressRange[] = [
  { network: Uint8Array.of(10, 0, 0, 0), prefixLength: 8 },
  { network: Uint8Array.of(10, 0, 0, 0), prefixLength: 15 },
  { network: Uint8Array.of(10, 0, 0, 1), prefixLength: 32 },
  { network: new Uint8Array(16), prefixLength: 0 },
  { network: new Uint8Array(16), prefixLength: 127 },
];
const leaf: fc.Arbitrary<Who> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Who>({ type: "all" }) },
  fc.boolean().map((constant): Who => ({ type: "constant", value: constant })),
  fc.record({ type: fc.constant("equal" as const), field, value }),
  fc.record({
    type: fc.constant("pattern" as const),
    field,
    pattern: fc.constantFrom("a", "^b$", "", "[^a]", "(?i)AB", "."),
  }),
  fc
    .subarray([...RANGES], { minLength: 0, maxLength: 2 })
    .map((ranges): Who => ({ type: "address", ranges })),
);

/** `raise` included on request: only `emqx` mode loads it. */
export function arbitraryWho(withRaise: boolean): fc.Arbitrary<Who> {
  const leaves = withRaise
    ? fc.oneof(
        { weight: 12, arbitrary: leaf },
        { weight: 1, arbitrary: fc.constant<Who>({ type: "raise" }) },
      )
    : leaf;
  const list = (of: fc.Arbitrary<Who>): fc.Arbitrary<Who> =>
    fc.record({ type: fc.constantFrom("and", "or"), of: fc.array(of, { maxLength: 3 }) });
  return fc.oneof({ weight: 4, arbitrary: leaves }, { weight: 1, arbitrary: list(list(leaves)) });
}

export function arbitraryRules(filter: fc.Arbitrary<string>, withRaise: boolean) {
  const entry: fc.Arbitrary<TopicEntry> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant("filter" as const), text: filter }) },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant("equal" as const), text: arbitraryTopic }),
    },
  );
  const rule: fc.Arbitrary<Rule> = fc.record({
    permission: fc.constantFrom("allow", "deny"),
    who: arbitraryWho(withRaise),
    actions: fc.constantFrom(511, 511, 63, 448, 64, 1, 0),
    topics: fc.oneof(
      { weight: 8, arbitrary: fc.array(entry, { maxLength: 3 }) },
      { weight: 1, arbitrary: fc.constant("all" as const) },
    ),
  });
  return fc.array(rule, { minLength: 1, maxLength: 12 });
}

export const strictRules: fc.Arbitrary<Rule[]> = arbitraryRules(joined(level), false);
export const looseRules: fc.Arbitrary<Rule[]> = arbitraryRules(looseFilter, true);

export const arbitraryAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    type: fc.constant("publish" as const),
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
  }),
  fc.record({ type: fc.constant("subscribe" as const), qos: fc.constantFrom(0, 1, 2) }),
);

/** Numbers from which `aimAt` makes a topic near one of the rules; none for a topic of its own. */
const aim = fc.array(fc.nat(30), { maxLength: 6 });

export const arbitraryRequests = fc.array(fc.tuple(arbitraryAction, arbitraryTopic, aim), {
  minLength: 1,
  maxLength: 8,
});

const STAND_INS: Readonly<Record<string, readonly string[]>> = {
  "+": ["a", "+", "", "#", "$x"],
  "#": ["#", "a", "a/b", "+", "", "+/#", "$x/a"],
};

/** A topic or filter that one of the rules is about, or nearly: a random topic seldom is. */
export function aimAt(
  rules: readonly Rule[],
  client: ReferenceClient,
  topic: Text,
  [which, ...choices]: readonly number[],
): Text {
  const entries = rules.flatMap(({ topics }) => (topics === "all" ? [] : topics));
  const text = which === undefined ? undefined : entries[which % entries.length]?.text;
  if (typeof text !== "string") return topic;
  const values: Readonly<Record<string, Text | null | undefined>> = {
    clientid: client.clientId,
    username: client.username,
    zone: client.zone,
    cert_common_name: client.certCommonName,
    "client_attrs.g": client.clientAttrs?.g,
  };
  const rendered = text.replace(/\$\{\.?([a-z_.]*)\}/g, (written, name: string) => {
    const found = Object.hasOwn(values, name) ? values[name] : written;
    return typeof found === "string" ? found : "undefined";
  });
  const levels = rendered.split("/");
  return levels
    .map((one, at) => {
      const choice = choices[at % Math.max(1, choices.length)] ?? 0;
      const standIns = STAND_INS[one];
      if (standIns) return standIns[choice % standIns.length];
      return choice % 9 === 8 ? "+" : one;
    })
    .join("/");
}
