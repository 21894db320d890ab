/**
 * Conditions on a client as alternatives of plain facts, so that one can be said to imply others.
 *
 * Exact for equalities, addresses, constants, `and` and `or`. A pattern is a fact of its own: two are
 * the same only when they are spelled the same, and one is never known to hold because of another
 * fact. So every answer errs to "such a client may exist".
 */
import type { Who, WhoField } from "../compile/rule/ast.ts";
import { textKey } from "../compile/rule/words.ts";
import type { Text } from "../types.ts";
import {
  type AddressSet,
  addressSet,
  intersectAddresses,
  subtractAddresses,
} from "./address-space.ts";

/** Facts that hold together. */
export interface Facts {
  /** Field → the bytes it equals, as a key. */
  readonly equals: ReadonlyMap<string, string>;
  /** Patterns found, and other facts that are only known by their name. */
  readonly opaque: ReadonlySet<string>;
  /** Where the peer's address lies; undefined: anywhere, or unknown. */
  readonly addresses: AddressSet | undefined;
}

/** More alternatives than this are not told apart. */
export const ALTERNATIVES_MAX = 64;

export const ANYBODY: Facts = { equals: new Map(), opaque: new Set(), addresses: undefined };

/** A field's name in Facts; the same as the placeholder's that reads it. */
function fieldKey(field: WhoField): string {
  return field.name === "client_attr" ? `client_attrs.${textKey(field.attr)}` : field.name;
}

/**
 * The alternatives under which a condition holds; none when it never does. Undefined when it cannot
 * be said: it may fail when evaluated, or has more than ALTERNATIVES_MAX.
 */
export function alternativesOf(who: Who): readonly Facts[] | undefined {
  switch (who.type) {
    case "all":
      return [ANYBODY];
    case "constant":
      return who.value ? [ANYBODY] : [];
    case "raise":
      return undefined;
    case "equal":
      return [{ ...ANYBODY, equals: new Map([[fieldKey(who.field), textKey(who.value)]]) }];
    case "pattern":
      return [{ ...ANYBODY, opaque: new Set([patternKey(who.field, who.pattern)]) }];
    case "address": {
      const addresses = addressSet(who.ranges);
      return addresses.length === 0 ? [] : [{ ...ANYBODY, addresses }];
    }
    case "or": {
      const all: Facts[] = [];
      for (const one of who.of) {
        const alternatives = alternativesOf(one);
        if (!alternatives) return undefined;
        all.push(...alternatives);
        if (all.length > ALTERNATIVES_MAX) return undefined;
      }
      return all;
    }
    case "and": {
      let all: readonly Facts[] = [ANYBODY];
      for (const one of who.of) {
        const alternatives = alternativesOf(one);
        if (!alternatives || all.length * alternatives.length > ALTERNATIVES_MAX) return undefined;
        all = all.flatMap((left) => alternatives.flatMap((right) => joinFacts(left, right) ?? []));
      }
      return all;
    }
  }
}

/** Both at once; undefined when they contradict each other. */
export function joinFacts(a: Facts, b: Facts): Facts | undefined {
  if (b === ANYBODY) return a;
  if (a === ANYBODY) return b;
  const equals = new Map(a.equals);
  for (const [field, value] of b.equals) {
    const known = equals.get(field);
    if (known !== undefined && known !== value) return undefined;
    equals.set(field, value);
  }
  const addresses =
    a.addresses && b.addresses
      ? intersectAddresses(a.addresses, b.addresses)
      : (a.addresses ?? b.addresses);
  if (addresses?.length === 0) return undefined;
  return { equals, opaque: new Set([...a.opaque, ...b.opaque]), addresses };
}

/**
 * May there be a client with these facts for whom none of the others holds? `false` is certain.
 *
 * Fields have endlessly many values, so a fact that is not given can always be escaped; only
 * addresses can run out, and those are counted.
 */
export function canEscape(facts: Facts, others: readonly Facts[]): boolean {
  let rest = facts.addresses;
  for (const other of others) {
    if (!isGiven(facts, other)) continue;
    if (!other.addresses) return false;
    // Without a known address a client is in no range.
    if (!rest) continue;
    rest = subtractAddresses(rest, other.addresses);
    if (rest.length === 0) return false;
  }
  return true;
}

/** Does everything in `other`, addresses aside, follow from `facts`? */
function isGiven(facts: Facts, other: Facts): boolean {
  for (const [field, value] of other.equals) {
    if (facts.equals.get(field) !== value) return false;
  }
  for (const fact of other.opaque) {
    if (!facts.opaque.has(fact)) return false;
  }
  return true;
}

/** Does `who` hold whenever `inner` does? `true` is certain. */
export function isImplied(inner: Who, who: Who): boolean {
  const alternatives = alternativesOf(inner);
  const wanted = alternativesOf(who);
  if (!alternatives || !wanted) return false;
  return alternatives.every((facts) => !canEscape(facts, wanted));
}

function patternKey(field: WhoField, pattern: Text): string {
  return `${fieldKey(field)} ~ ${textKey(pattern)}`;
}
