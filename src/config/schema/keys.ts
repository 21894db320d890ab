/** Objects with a fixed set of keys: the tables, and how they are read. */
import type { HoconMember, HoconNode, HoconObject } from "../hocon/index.ts";
import { spellingHint } from "../nearest.ts";
import { joinPath, type LoadContext, type Place, type Spec, wrong } from "./spec.ts";

/** One row of a table of keys. */
export interface Key<V> {
  readonly spec: Spec<V>;
  /** What it is for, in an operator's words. */
  readonly about: string;
  readonly isRequired?: boolean;
  /** When it is not written, or `null`. */
  readonly fallback?: (load: LoadContext) => V;
  /** Other names of the key. */
  readonly aliases?: readonly string[];
  /** Written without effect: accepted with a warning that says `about`. */
  readonly hasNoEffect?: boolean;
  /** Its value must not be repeated in a message. */
  readonly isSecret?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds keys of any value type
export type Keys = Readonly<Record<string, Key<any>>>;

export type Values<K extends Keys> = {
  readonly [N in keyof K]: K[N] extends Key<infer V> ? V : never;
};

/** A key with a default. */
export function key<V>(
  spec: Spec<V>,
  fallback: V | ((load: LoadContext) => V),
  about: string,
  more: Partial<Key<V>> = {},
): Key<V> {
  const asked = typeof fallback === "function" ? (fallback as (load: LoadContext) => V) : undefined;
  return { spec, about, fallback: asked ?? (() => fallback as V), ...more };
}

/** A key that must be written. */
export function required<V>(spec: Spec<V>, about: string, more: Partial<Key<V>> = {}): Key<V> {
  return { spec, about, isRequired: true, ...more };
}

/** A key that may be left out. */
export function optional<V>(
  spec: Spec<V>,
  about: string,
  more: Partial<Key<V | undefined>> = {},
): Key<V | undefined> {
  return { spec: spec as Spec<V | undefined>, about, ...more };
}

/** A key that EMQX knows and that changes nothing here. */
export function withoutEffect(about: string): Key<HoconNode | undefined> {
  return { spec: ANYTHING, about, hasNoEffect: true };
}

/** A key that EMQX knows, of which only the value that switches it off is accepted. */
export function onlyAs<const V extends string | boolean>(value: V, about: string): Key<V> {
  const expects = `\`${value}\``;
  const spec: Spec<V> = {
    expects,
    read(node, place) {
      const isOff =
        (node.kind === "text" || node.kind === "boolean") && String(node.value) === String(value);
      return isOff ? value : wrong(node, place, `${expects} (${about})`);
    },
  };
  return { spec, about, fallback: () => value };
}

const ANYTHING: Spec<HoconNode | undefined> = {
  expects: "anything",
  below: () => ANYTHING,
  read: (node) => node,
};

export interface ObjectOptions {
  /** Keys that are right elsewhere, with where. */
  readonly elsewhere?: Readonly<Record<string, string>>;
}

/** An object with the keys of `table`. */
export function object<K extends Keys>(table: K, expects = "an object"): Spec<Values<K>> {
  return {
    expects,
    keys: Object.keys(table),
    below: (name) => keyNamed(table, name)?.spec,
    read: (node, place) =>
      node.kind === "object" ? readKeys(node, table, place) : wrong(node, place, expects),
  };
}

function keyNamed(table: Keys, name: string): Key<unknown> | undefined {
  if (Object.hasOwn(table, name)) return table[name];
  return Object.values(table).find((one) => one.aliases?.includes(name));
}

/**
 * Reads an object by its table. Undefined when a key is unknown, missing or has a wrong value
 * without a default to go on with; everything wrong has been reported by then.
 */
export function readKeys<K extends Keys>(
  node: HoconObject,
  table: K,
  place: Place,
  options: ObjectOptions = {},
): Values<K> | undefined {
  const { load, path } = place;
  let isGood = true;
  for (const [name, member] of node.members) {
    if (keyNamed(table, name)) continue;
    isGood = false;
    reportUnknown(name, member, table, place, options);
  }
  const out: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(table)) {
    const member = findMember(node, name, row, place);
    out[name] = row.fallback?.(load);
    if (member === undefined) {
      if (!row.isRequired) continue;
      isGood = false;
      load.issues.error("ERR_CONFIG_REQUIRED", node.at, `\`${name}\` is missing`, {
        path,
        hint: `${row.about}: ${row.spec.expects}`,
      });
      continue;
    }
    if (row.hasNoEffect) {
      load.issues.warning(
        "WARN_CONFIG_NO_EFFECT",
        member.keyAt,
        `has no effect here: ${row.about}`,
        {
          path: joinPath(path, name),
        },
      );
      continue;
    }
    const below = { load, path: joinPath(path, name), isSecret: row.isSecret === true };
    const value = row.spec.read(member.value, below);
    if (value !== undefined) out[name] = value;
    else isGood = false;
  }
  return isGood ? (out as Values<K>) : undefined;
}

/** The member under a name or its alias; `null` counts as not written. */
function findMember(
  node: HoconObject,
  name: string,
  row: Key<unknown>,
  place: Place,
): HoconMember | undefined {
  const found: HoconMember[] = [];
  for (const one of [name, ...(row.aliases ?? [])]) {
    const member = node.members.get(one);
    if (member && member.value.kind !== "null") found.push(member);
  }
  if (found.length > 1) {
    place.load.issues.error(
      "ERR_CONFIG_DUPLICATE",
      found[1]?.keyAt,
      `\`${name}\` is written twice, under two names`,
      { path: place.path, hint: `write only \`${name}\`` },
    );
  }
  return found[0];
}

function reportUnknown(
  name: string,
  member: HoconMember,
  table: Keys,
  place: Place,
  options: ObjectOptions,
): void {
  const elsewhere = options.elsewhere;
  const hint =
    elsewhere && Object.hasOwn(elsewhere, name)
      ? elsewhere[name]
      : spellingHint(name, Object.keys(table));
  place.load.issues.error(
    "ERR_CONFIG_UNKNOWN_KEY",
    member.keyAt,
    `there is no key \`${name.slice(0, 60)}\` here`,
    { path: place.path, hint },
  );
}
