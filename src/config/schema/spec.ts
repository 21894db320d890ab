/**
 * The building blocks of the schema: what a value may be. Tables of keys made of these (authn.ts,
 * authz.ts, mqtt.ts, listeners.ts, portcullis.ts) describe the configuration.
 *
 * Source: authentication §7.4.
 */
import type { SourcePosition } from "../../types.ts";
import type { Preset, Switches } from "../compatibility.ts";
import type { Located, SecurityProfile } from "../config.ts";
import type { HoconNode, HoconObject, ReadText } from "../hocon/index.ts";
import { isSecretKey } from "../hocon/secret-key.ts";
import type { IssueList } from "../issues.ts";
import { nearest } from "../nearest.ts";
import { parseDuration, parseSize } from "./quantity.ts";

/** What reading a configuration needs to know. */
export interface LoadContext {
  readonly issues: IssueList;
  readonly preset: Preset;
  readonly switches: Switches;
  readonly securityProfile: SecurityProfile;
  readonly env: Readonly<Record<string, string>>;
  /** The configuration file itself; paths are relative to it. */
  readonly file: string;
  readonly readFile: ReadText;
}

/** Where a value stands in the configuration. */
export interface Place {
  /** `authentication[1].from`. */
  readonly path: string;
  readonly load: LoadContext;
  /** The value must not be repeated in a message. */
  readonly isSecret?: boolean;
}

export interface Spec<V> {
  /** For messages: `expected …`. */
  readonly expects: string;
  /** The value; undefined when it is not valid, and then that has been reported. */
  read(node: HoconNode, place: Place): V | undefined;
  /** What may stand under a key of it, for paths in environment variables. */
  below?(key: string): Spec<unknown> | undefined;
  /** The keys, where they are a fixed set. */
  readonly keys?: readonly string[];
  /** Elements are numbered, and a single object stands for a list of one. */
  readonly isList?: boolean;
}

/** Reports that a value is not what was expected. */
export function wrong(
  node: HoconNode,
  place: Place,
  expects: string,
  hint?: string | undefined,
): undefined {
  place.load.issues.error(
    node.kind === "object" || node.kind === "array" ? "ERR_CONFIG_TYPE" : "ERR_CONFIG_VALUE",
    node.at,
    `expected ${expects}, found ${describeNode(node, place)}`,
    { path: place.path, hint },
  );
}

function describeNode(node: HoconNode, place: Place): string {
  switch (node.kind) {
    case "object":
      return "an object";
    case "array":
      return "a list";
    case "null":
      return "`null`";
    case "boolean":
      return `\`${node.value}\``;
    default: {
      const text = node.kind === "number" ? node.text : node.value;
      // A forgotten `=` joins `secret` and what follows it to the text before.
      if (place.isSecret || isSecretKey(text) || holdsCredentials(text))
        return node.kind === "text" ? "a text" : "a number";
      if (text === "") return "an empty text";
      return `\`${text.length > 60 ? `${text.slice(0, 60)}…` : text}\``;
    }
  }
}

/** A URL with something before an `@`, which may be a password. */
function holdsCredentials(text: string): boolean {
  const authority = text.indexOf("://");
  return authority >= 0 && text.includes("@", authority);
}

/** The text of a scalar: numbers and booleans count as their text. */
export function scalarText(node: HoconNode): string | undefined {
  switch (node.kind) {
    case "text":
      return node.value;
    case "number":
      return node.text;
    case "boolean":
      return String(node.value);
    default:
      return undefined;
  }
}

/** First character of a value. */
export function contentAt(node: HoconNode): SourcePosition {
  return node.kind === "text" ? node.contentAt : node.at;
}

export function boolean(): Spec<boolean> {
  const expects = "`true` or `false`";
  return {
    expects,
    read(node, place) {
      const text = scalarText(node);
      if (text === "true") return true;
      if (text === "false") return false;
      return wrong(node, place, expects);
    },
  };
}

export function integer(min: number, max: number): Spec<number> {
  const expects = `a whole number from ${min} to ${max}`;
  return {
    expects,
    read(node, place) {
      const text = node.kind === "text" || node.kind === "number" ? scalarText(node) : undefined;
      const value = text !== undefined && /^[+-]?[0-9]+$/.test(text) ? Number(text) : Number.NaN;
      if (value >= min && value <= max) return value;
      return wrong(node, place, expects);
    },
  };
}

export interface TextOptions {
  readonly pattern?: RegExp;
  /** Instead of "a text". */
  readonly expects?: string;
}

export function text(options: TextOptions = {}): Spec<string> {
  const expects = options.expects ?? "a text";
  return {
    expects,
    read(node, place) {
      const value = scalarText(node);
      if (value === undefined || options.pattern?.test(value) === false) {
        return wrong(node, place, expects);
      }
      return value;
    },
  };
}

/** A text that others will parse, with the place of its first character. */
export function located(expects: string, options: { mayBeEmpty?: boolean } = {}): Spec<Located> {
  return {
    expects,
    read(node, place) {
      const value = scalarText(node);
      if (value === undefined) return wrong(node, place, expects);
      if (value === "" && options.mayBeEmpty !== true) {
        return wrong(node, place, `${expects} that is not empty`);
      }
      const layout = node.kind === "text" ? node.layout : undefined;
      return { value, at: contentAt(node), ...(layout && { layout }) };
    },
  };
}

/** One of some lower-case words. */
export function oneOf<const W extends string>(words: readonly W[]): Spec<W> {
  const expects = `${words.length > 1 ? "one of " : ""}${words.map((word) => `\`${word}\``).join(", ")}`;
  return {
    expects,
    read(node, place) {
      const value = scalarText(node);
      if (value !== undefined && (words as readonly string[]).includes(value)) return value as W;
      const guess = value === undefined ? undefined : nearest(value, words);
      return wrong(node, place, expects, guess && `did you mean \`${guess}\`?`);
    },
  };
}

/** EMQX's largest timer. */
export const DURATION_MS_MAX = 2 ** 32 - 1;

/** Milliseconds; fractions are rounded. A bare number is milliseconds. */
export function durationMs(): Spec<number> {
  return duration(
    "a duration such as `15s` or `1h30m`",
    (value) => Math.round(value),
    (value) => value,
  );
}

/** Seconds; fractions are rounded up. A bare number is seconds. */
export function durationSeconds(): Spec<number> {
  return duration(
    "a duration such as `5m` or `1h30m`",
    (value) => Math.ceil(value / 1000),
    (value) => value * 1000,
  );
}

function duration(
  expects: string,
  round: (ms: number) => number,
  fromBare: (value: number) => number,
): Spec<number> {
  return {
    expects,
    read(node, place) {
      const value = scalarText(node);
      if (value === undefined || node.kind === "boolean") return wrong(node, place, expects);
      const ms = /^[0-9]+$/.test(value) ? fromBare(Number(value)) : parseDuration(value);
      if (ms === undefined) {
        return wrong(node, place, expects, "units are `f w d h m s ms`, put `1.5s` in quotes");
      }
      if (ms > DURATION_MS_MAX) return wrong(node, place, "at most 2^32-1 milliseconds");
      return round(ms);
    },
  };
}

/** Bytes. */
export function size(min: number, max: number): Spec<number> {
  const expects = "a size such as `1MB`";
  return {
    expects,
    read(node, place) {
      const value = node.kind === "boolean" ? undefined : scalarText(node);
      if (value === undefined) return wrong(node, place, expects);
      const bytes = /^[0-9]+$/.test(value) ? Number(value) : parseSize(value);
      if (bytes === undefined) {
        return wrong(node, place, expects, "units are `B KB MB GB`, without a fraction");
      }
      if (bytes < min || bytes > max) {
        return wrong(node, place, `a size from ${min} to ${max} bytes`);
      }
      return bytes;
    },
  };
}

/** `spec`, or one of some words that stand for a value. */
export function orWord<V>(spec: Spec<V>, words: Readonly<Record<string, V>>): Spec<V> {
  const names = Object.keys(words);
  const expects = `${spec.expects} or ${names.map((word) => `\`${word}\``).join(", ")}`;
  return {
    expects,
    read(node, place) {
      const value = scalarText(node);
      if (value !== undefined && Object.hasOwn(words, value)) return words[value];
      return spec.read(node, place);
    },
  };
}

/**
 * A list. An object whose keys are exactly 1 … n is one too, and with `orSingle` any other object
 * or scalar stands for a list of one.
 */
export function list<V>(
  of: Spec<V>,
  options: { orSingle?: boolean; notEmpty?: boolean } = {},
): Spec<readonly V[]> {
  const expects = `a list of ${of.expects}`;
  return {
    expects,
    isList: true,
    below: (key) => (/^[0-9]+$/.test(key) ? of : options.orSingle ? of.below?.(key) : undefined),
    read(node, place) {
      const items = elementsOf(node) ?? (options.orSingle ? [node] : undefined);
      if (items === undefined || (options.notEmpty && items.length === 0)) {
        return wrong(node, place, options.notEmpty ? `${expects}, at least one` : expects);
      }
      const isSingle = node.kind !== "array" && elementsOf(node) === undefined;
      const out: V[] = [];
      let isGood = true;
      items.forEach((item, index) => {
        const path = isSingle ? place.path : `${place.path}[${index + 1}]`;
        const value = of.read(item, { ...place, path });
        if (value === undefined) isGood = false;
        else out.push(value);
      });
      return isGood ? out : undefined;
    },
  };
}

/** The elements of a list, or of an object with the keys 1 … n. */
export function elementsOf(node: HoconNode): readonly HoconNode[] | undefined {
  if (node.kind === "array") return node.items;
  if (node.kind !== "object" || node.members.size === 0) return undefined;
  const items: HoconNode[] = [];
  for (let number = 1; number <= node.members.size; number += 1) {
    const member = node.members.get(String(number));
    if (member === undefined) return undefined;
    items.push(member.value);
  }
  return items;
}

/** An object whose keys are names. `null` members are left out. */
export function mapOf<V>(
  of: Spec<V>,
  names: TextOptions & { expects: string },
): Spec<ReadonlyMap<string, V>> {
  const expects = "an object";
  return {
    expects,
    below: () => of,
    read(node, place) {
      if (node.kind !== "object") return wrong(node, place, expects);
      const out = new Map<string, V>();
      let isGood = true;
      for (const [name, member] of node.members) {
        if (member.value.kind === "null") continue;
        if (names.pattern?.test(name) === false) {
          place.load.issues.error(
            "ERR_CONFIG_VALUE",
            member.keyAt,
            `expected ${names.expects} as the key, found \`${name.slice(0, 60)}\``,
            { path: place.path },
          );
          isGood = false;
          continue;
        }
        const value = of.read(member.value, { ...place, path: joinPath(place.path, name) });
        if (value === undefined) isGood = false;
        else out.set(name, value);
      }
      return isGood ? out : undefined;
    },
  };
}

/** `path.key`, with keys that are no plain words in quotes. */
export function joinPath(path: string, key: string): string {
  const shown = /^[A-Za-z0-9_-]{1,60}$/.test(key) ? key : `"${key.slice(0, 60)}"`;
  return path === "" ? shown : `${path}.${shown}`;
}

/** Anything at all. */
export function anything(): Spec<HoconNode> {
  const spec: Spec<HoconNode> = { expects: "anything", below: () => spec, read: (node) => node };
  return spec;
}

export function isObject(node: HoconNode): node is HoconObject {
  return node.kind === "object";
}
