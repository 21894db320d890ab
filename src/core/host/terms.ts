/**
 * The functions of the qualified modules `lists` and `maps`, over values of any type, with the
 * reference's order of terms. Source: expressions §4.11.
 */
import {
  ERR_EXPR_LIST_LENGTH,
  ERR_EXPR_NESTING,
  JSON_VALUE_DEPTH_MAX,
  LIST_LENGTH_MAX,
} from "../../../assembly/abi.ts";
import type { Value } from "../core.ts";
import { shortestFloat } from "./numbers.ts";
import { type HostFunction, integerArgument, integerOf, listArgument, refuse } from "./types.ts";

type MapValue = Extract<Value, { type: "map" }>;

function listOf(items: readonly Value[]): Value {
  return { type: "list", items };
}

function boolOf(value: boolean): Value {
  return { type: "boolean", value };
}

/** Place of a type in the order of terms: number < atom < tuple < map < list < bytes. */
function rankOf(value: Value): number {
  switch (value.type) {
    case "integer":
    case "float":
      return 0;
    case "boolean":
    case "null":
    case "undefined":
    case "atom":
      return 1;
    case "tuple":
      return 2;
    case "map":
      return 3;
    case "list":
      return 4;
    case "bytes":
      return 5;
  }
}

function nameOf(value: Value): string {
  if (value.type === "atom") return value.name;
  return value.type === "boolean" ? String(value.value) : value.type;
}

/** Negative, 0 or positive, as the order of terms has it: 1 and 1.0 are equal here. */
function compareTerms(a: Value, b: Value, depth = 0): number {
  if (depth > JSON_VALUE_DEPTH_MAX) refuse(ERR_EXPR_NESTING);
  const rank = rankOf(a) - rankOf(b);
  if (rank !== 0) return rank;
  switch (a.type) {
    case "integer":
    case "float": {
      const other = (b as typeof a).value;
      return a.value < other ? -1 : a.value > other ? 1 : 0;
    }
    case "tuple": {
      const [x, y] = [itemsOf(a), itemsOf(b as typeof a)];
      return x.length - y.length || compareItems(x, y, depth);
    }
    case "map": {
      const [x, y] = [sortedEntries(a), sortedEntries(b as typeof a)];
      if (x.length !== y.length) return x.length - y.length;
      const keys = compareItems(
        x.map(([key]) => key),
        y.map(([key]) => key),
        depth,
      );
      return (
        keys ||
        compareItems(
          x.map(([, value]) => value),
          y.map(([, value]) => value),
          depth,
        )
      );
    }
    case "list": {
      const other = (b as typeof a).items;
      return compareItems(a.items, other, depth) || a.items.length - other.length;
    }
    case "bytes":
      return compareBytes(a.value, (b as typeof a).value);
    default: {
      const [x, y] = [nameOf(a), nameOf(b)];
      return x < y ? -1 : x > y ? 1 : 0;
    }
  }
}

function itemsOf(tuple: Extract<Value, { type: "tuple" }>): readonly Value[] {
  return tuple.items ?? Array.from(tuple.bytes ?? [], (byte) => integerOf(byte));
}

function compareItems(a: readonly Value[], b: readonly Value[], depth: number): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareTerms(a[i]!, b[i]!, depth + 1);
    if (order !== 0) return order;
  }
  return 0;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

/** Equal in value and type: 1 is not 1.0, 0.0 is not -0.0. */
function isSame(a: Value, b: Value): boolean {
  if (a.type !== b.type) return false;
  if (a.type === "float") return Object.is(a.value, (b as typeof a).value);
  if (a.type === "list" || a.type === "tuple") {
    const x = a.type === "list" ? a.items : itemsOf(a);
    const y = b.type === "list" ? b.items : itemsOf(b as Extract<Value, { type: "tuple" }>);
    return x.length === y.length && x.every((item, i) => isSame(item, y[i]!));
  }
  if (a.type === "map") {
    const [x, y] = [sortedEntries(a), sortedEntries(b as MapValue)];
    return (
      x.length === y.length &&
      x.every(([key, value], i) => isSame(key, y[i]![0]) && isSame(value, y[i]![1]))
    );
  }
  return compareTerms(a, b) === 0;
}

/** An integer as an array index or length; refuses negatives, and what no list reaches is past its end. */
function countOf(value: Value | undefined): number {
  const count = integerArgument(value);
  if (count < 0n) refuse();
  return Number(count > BigInt(LIST_LENGTH_MAX) ? BigInt(LIST_LENGTH_MAX + 1) : count);
}

function flattenInto(items: readonly Value[], out: Value[]): Value[] {
  for (const item of items) {
    if (item.type === "list") flattenInto(item.items, out);
    else out.push(item);
  }
  return out;
}

/** Removes the first element that is the same as `value`. */
function without(items: readonly Value[], value: Value): readonly Value[] {
  const at = items.findIndex((item) => isSame(item, value));
  return at < 0 ? items : items.filter((_, i) => i !== at);
}

function sorted(items: readonly Value[]): readonly Value[] {
  return [...items].sort((a, b) => compareTerms(a, b));
}

function sum(items: readonly Value[]): Value {
  let total: bigint | number = 0n;
  for (const item of items) {
    if (item.type !== "integer" && item.type !== "float") return refuse();
    if (typeof total === "bigint" && item.type === "integer") total += item.value;
    else total = Number(total) + Number(item.value);
  }
  if (typeof total === "bigint") return integerOf(total);
  return Number.isFinite(total) ? { type: "float", value: total } : refuse();
}

function sublist([list, first, second]: readonly Value[]): Value {
  const items = listArgument(list);
  if (second === undefined) return listOf(items.slice(0, countOf(first)));
  const start = countOf(first);
  if (start < 1) refuse();
  return listOf(items.slice(start - 1, start - 1 + countOf(second)));
}

function seq([from, to, by]: readonly Value[]): Value | number {
  const first = integerArgument(from);
  const last = integerArgument(to);
  const step = by === undefined ? 1n : integerArgument(by);
  if (step === 0n) return first === last ? listOf([from!]) : refuse();
  // One short of the start gives the empty list, further is an error.
  const count = (last - first + step) / step;
  if (step > 0n ? first - step > last : first - step < last) refuse();
  if (count > BigInt(LIST_LENGTH_MAX)) return ERR_EXPR_LIST_LENGTH;
  return listOf(
    Array.from({ length: Number(count) }, (_, i) => integerOf(first + BigInt(i) * step)),
  );
}

function keyfind([key, position, list]: readonly Value[]): Value {
  const at = integerArgument(position);
  if (at < 1n) refuse();
  const found = listArgument(list).find(
    (item) =>
      item.type === "tuple" &&
      at <= BigInt(itemsOf(item).length) &&
      compareTerms(itemsOf(item)[Number(at) - 1]!, key!) === 0,
  );
  return found ?? boolOf(false);
}

/** By function name in the module `lists`. */
export const LISTS: Readonly<Record<string, HostFunction>> = {
  nth: ([position, list]) => {
    const items = listArgument(list);
    const at = integerArgument(position);
    return at < 1n || at > BigInt(items.length) ? refuse() : items[Number(at) - 1]!;
  },
  last: ([list]) => listArgument(list).at(-1) ?? refuse(),
  reverse: ([list, tail]) => {
    const reversed = [...listArgument(list)].reverse();
    return listOf(tail === undefined ? reversed : [...reversed, ...listArgument(tail)]);
  },
  member: ([value, list]) => boolOf(listArgument(list).some((item) => isSame(item, value!))),
  append: ([a, b]) => {
    if (b === undefined) return listOf(listArgument(a).flatMap((item) => listArgument(item)));
    const items = listArgument(a);
    return items.length === 0 ? b : listOf([...items, ...listArgument(b)]);
  },
  join: ([separator, list]) =>
    listOf(listArgument(list).flatMap((item, i) => (i === 0 ? [item] : [separator!, item]))),
  flatten: ([list, tail]) => {
    const flat = flattenInto(listArgument(list), []);
    return listOf(tail === undefined ? flat : [...flat, ...listArgument(tail)]);
  },
  sort: ([list]) => listOf(sorted(listArgument(list))),
  usort: ([list]) =>
    listOf(
      sorted(listArgument(list)).filter(
        (item, i, all) => i === 0 || compareTerms(all[i - 1]!, item) !== 0,
      ),
    ),
  sublist,
  subtract: ([a, b]) => {
    let items = listArgument(a);
    const removed = listArgument(b);
    if (items.length * removed.length > PAIRS_MAX ** 2) return ERR_EXPR_LIST_LENGTH;
    for (const item of removed) items = without(items, item);
    return listOf(items);
  },
  sum: ([list]) => sum(listArgument(list)),
  max: ([list]) => {
    const items = listArgument(list);
    if (items.length === 0) return refuse();
    return items.reduce((best, item) => (compareTerms(item, best) > 0 ? item : best));
  },
  min: ([list]) => {
    const items = listArgument(list);
    if (items.length === 0) return refuse();
    return items.reduce((best, item) => (compareTerms(item, best) < 0 ? item : best));
  },
  keyfind,
  nthtail: ([count, list]) => {
    const items = listArgument(list);
    const skipped = countOf(count);
    return skipped > items.length ? refuse() : listOf(items.slice(skipped));
  },
  droplast: ([list]) => {
    const items = listArgument(list);
    return items.length === 0 ? refuse() : listOf(items.slice(0, -1));
  },
  prefix: ([a, b]) => {
    const [items, all] = [listArgument(a), listArgument(b)];
    return boolOf(items.length <= all.length && items.every((item, i) => isSame(item, all[i]!)));
  },
  suffix: ([a, b]) => {
    const [items, all] = [listArgument(a), listArgument(b)];
    const start = all.length - items.length;
    return boolOf(start >= 0 && items.every((item, i) => isSame(item, all[start + i]!)));
  },
  delete: ([value, list]) => listOf(without(listArgument(list), value!)),
  zip: ([a, b]) => {
    const [x, y] = [listArgument(a), listArgument(b)];
    if (x.length !== y.length) return refuse();
    return listOf(x.map((item, i): Value => ({ type: "tuple", items: [item, y[i]!] })));
  },
  duplicate: ([count, value]) => {
    const length = countOf(count);
    return length > LIST_LENGTH_MAX
      ? ERR_EXPR_LIST_LENGTH
      : listOf(Array.from({ length }, () => value!));
  },
  seq,
  flatlength: ([list]) => integerOf(flattenInto(listArgument(list), []).length),
  uniq: ([list]) => {
    const items = listArgument(list);
    if (items.length > PAIRS_MAX) return ERR_EXPR_LIST_LENGTH;
    return listOf(items.filter((item, i) => items.findIndex((one) => isSame(one, item)) === i));
  },
  split: ([count, list]) => {
    const items = listArgument(list);
    const first = countOf(count);
    if (first > items.length) return refuse();
    return { type: "tuple", items: [listOf(items.slice(0, first)), listOf(items.slice(first))] };
  },
  unzip: ([list]) => {
    const pairs = listArgument(list).map(pairOf);
    const sides = [
      listOf(pairs.map(([first]) => first)),
      listOf(pairs.map(([, second]) => second)),
    ];
    return { type: "tuple", items: sides };
  },
  concat: ([list]) => listOf(listArgument(list).flatMap(charactersOf)),
};

/** LIMIT: elements of which every pair may be compared. */
const PAIRS_MAX = 300;

function pairOf(value: Value): readonly [Value, Value] {
  const items = value.type === "tuple" ? itemsOf(value) : [];
  return items.length === 2 ? [items[0]!, items[1]!] : refuse();
}

/** What `lists:concat` makes of an element: characters of a number or atom, lists as they are. */
function charactersOf(value: Value): readonly Value[] {
  if (value.type === "list") return value.items;
  if (value.type === "bytes" || value.type === "map" || value.type === "tuple") return refuse();
  const text =
    value.type === "integer"
      ? String(value.value)
      : value.type === "float"
        ? shortestFloat(value.value)
        : nameOf(value);
  return Array.from(text, (character) => integerOf(character.codePointAt(0)!));
}

function mapArgument(value: Value | undefined): MapValue {
  return value?.type === "map" ? value : refuse();
}

/** Entries in the order of their keys, the last of equal keys only. */
export function sortedEntries(map: MapValue): readonly (readonly [Value, Value])[] {
  const entries: (readonly [Value, Value])[] = [];
  for (const entry of [...map.entries].sort(([a], [b]) => compareTerms(a, b))) {
    if (entries.length > 0 && isSame(entries.at(-1)![0], entry[0])) entries.pop();
    entries.push(entry);
  }
  return entries;
}

function lookUp(map: MapValue, key: Value): Value | undefined {
  return map.entries.findLast(([name]) => isSame(name, key))?.[1];
}

/** By function name in the module `maps`. */
export const MAPS: Readonly<Record<string, HostFunction>> = {
  get: ([key, map, otherwise]) => lookUp(mapArgument(map), key!) ?? otherwise ?? refuse(),
  keys: ([map]) => listOf(sortedEntries(mapArgument(map)).map(([key]) => key)),
  values: ([map]) => listOf(sortedEntries(mapArgument(map)).map(([, value]) => value)),
  size: ([map]) => integerOf(sortedEntries(mapArgument(map)).length),
  is_key: ([key, map]) => boolOf(lookUp(mapArgument(map), key!) !== undefined),
  merge: ([a, b]) => {
    const entries = [...mapArgument(a).entries, ...mapArgument(b).entries];
    return { type: "map", entries: sortedEntries({ type: "map", entries }) };
  },
  remove: ([key, map]) => ({
    type: "map",
    entries: mapArgument(map).entries.filter(([name]) => !isSame(name, key!)),
  }),
  put: ([key, value, map]) => ({
    type: "map",
    entries: sortedEntries({ type: "map", entries: [...mapArgument(map).entries, [key!, value!]] }),
  }),
  new: () => ({ type: "map", entries: [] }),
  to_list: ([map]) =>
    listOf(
      sortedEntries(mapArgument(map)).map((entry): Value => ({ type: "tuple", items: entry })),
    ),
  find: ([key, map]) => {
    const found = lookUp(mapArgument(map), key!);
    if (found === undefined) return { type: "atom", name: "error" };
    return { type: "tuple", items: [{ type: "atom", name: "ok" }, found] };
  },
  with: ([keys, map]) => pick(keys, map, true),
  without: ([keys, map]) => pick(keys, map, false),
  take: ([key, map]) => {
    const found = lookUp(mapArgument(map), key!);
    if (found === undefined) return { type: "atom", name: "error" };
    const entries = mapArgument(map).entries.filter(([name]) => !isSame(name, key!));
    return { type: "tuple", items: [found, { type: "map", entries }] };
  },
  update: ([key, value, map]) => {
    const { entries } = mapArgument(map);
    if (lookUp(mapArgument(map), key!) === undefined) return refuse();
    return {
      type: "map",
      entries: sortedEntries({ type: "map", entries: [...entries, [key!, value!]] }),
    };
  },
  from_list: ([list]) => {
    const entries = listArgument(list).map(pairOf);
    return { type: "map", entries: sortedEntries({ type: "map", entries }) };
  },
  from_keys: ([keys, value]) => {
    const entries = listArgument(keys).map((key) => [key, value!] as const);
    return { type: "map", entries: sortedEntries({ type: "map", entries }) };
  },
};

/** The entries whose keys are in the list, or those whose are not. */
function pick(keys: Value | undefined, map: Value | undefined, isKept: boolean): Value | number {
  const names = listArgument(keys);
  const { entries } = mapArgument(map);
  if (names.length * entries.length > PAIRS_MAX ** 2) return ERR_EXPR_LIST_LENGTH;
  return {
    type: "map",
    entries: entries.filter(([key]) => names.some((name) => isSame(name, key)) === isKept),
  };
}
