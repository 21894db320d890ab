/**
 * Text functions for texts beyond ASCII: case, grapheme clusters, search by code point. The core
 * serves ASCII itself and comes here for the rest. Source: expressions §4.2–4.3, §4.12.
 */
import { ERR_EXPR_OUTPUT, EXPR_OUTPUT_BYTES_MAX } from "../../../assembly/abi.ts";
import { encodeUtf8, joinBytes, latin1 } from "../../text.ts";
import type { Value } from "../core.ts";
import {
  bytesOf,
  decodeStrict,
  type HostContext,
  type HostFunction,
  integerArgument,
  integerOf,
  latin1Bytes,
  refuse,
  textBytes,
  textOf,
} from "./types.ts";

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** LIMIT: the platform's segmenter takes time quadratic in its text, so it is given short pieces. */
const PIECE_UNITS = 256;

/** The grapheme clusters of a text. Cost: linear, also for texts that clients choose. */
export function clustersOf(text: string): readonly string[] {
  const clusters: string[] = [];
  let units = PIECE_UNITS;
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + units, text.length);
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
    const found = Array.from(segmenter.segment(text.slice(at, end)), ({ segment }) => segment);
    if (end < text.length) {
      // The last one may go on behind the piece; whether one ends never depends on those before it.
      const last = found.pop()!;
      if (found.length === 0) {
        units *= 2;
        continue;
      }
      end -= last.length;
    }
    for (const cluster of found) clusters.push(cluster);
    at = end;
    units = PIECE_UNITS;
  }
  return clusters;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** Full case mapping, code point by code point: no final sigma, no language. */
export const lower: HostFunction = ([text]) => {
  let out = "";
  for (const character of textOf(text)) out += character.toLowerCase();
  return bytesOf(out);
};

export const upper: HostFunction = ([text]) => {
  let out = "";
  for (const character of textOf(text)) out += character.toUpperCase();
  return bytesOf(out);
};

export const strlen: HostFunction = ([text]) => integerOf(clustersOf(textOf(text)).length);

/** Bytes further behind than the next character need not be UTF-8. */
export const substr: HostFunction = ([text, from, count]) => {
  const bytes = textBytes(text);
  const start = integerArgument(from);
  const wanted = count === undefined ? undefined : integerArgument(count);
  if (start < 0n || (wanted !== undefined && wanted < 0n)) refuse();
  const { prefix, isWhole } = validPrefix(bytes);
  const clusters = clustersOf(prefix);
  const end = wanted === undefined ? start : start + wanted;
  const length = BigInt(clusters.length);
  if (!isWhole && (start > length || (wanted !== undefined && end >= length))) refuse();
  const first = Number(start < length ? start : length);
  const last = Number(end < length ? end : length);
  const at = encodeUtf8(clusters.slice(0, first).join("")).length;
  if (wanted === undefined) return { type: "bytes", value: bytes.subarray(at) };
  return bytesOf(clusters.slice(first, last).join(""));
};

/** Without keepsUtf8 every code point leaves as one byte, as the reference does. */
export const reverse: HostFunction = ([text], { keepsUtf8 }) => {
  const reversed = [...clustersOf(textOf(text))].reverse().join("");
  return keepsUtf8 ? bytesOf(reversed) : { type: "bytes", value: latin1Bytes(reversed) };
};

export const pad: HostFunction = ([text, length, direction, padding], context) => {
  const bytes = textBytes(text);
  const missing = Number(integerArgument(length)) - clustersOf(decodeStrict(bytes)).length;
  const filler = padding === undefined ? encodeUtf8(" ") : fillerOf(padding, context);
  if (missing <= 0 || filler.length === 0) return { type: "bytes", value: bytes };
  if (missing * filler.length + bytes.length > EXPR_OUTPUT_BYTES_MAX) return ERR_EXPR_OUTPUT;
  const word = direction === undefined ? "trailing" : textOf(direction);
  const before = word === "both" ? Math.floor(missing / 2) : word === "leading" ? missing : 0;
  return {
    type: "bytes",
    value: joinBytes([repeat(filler, before), bytes, repeat(filler, missing - before)]),
  };
};

function fillerOf(padding: Value, { keepsUtf8 }: HostContext): Uint8Array {
  const text = textOf(padding);
  return keepsUtf8 ? encodeUtf8(text) : latin1Bytes(text);
}

function repeat(bytes: Uint8Array, count: number): Uint8Array {
  const out = new Uint8Array(bytes.length * count);
  for (let i = 0; i < count; i++) out.set(bytes, i * bytes.length);
  return out;
}

/** The longest prefix that is UTF-8. */
function validPrefix(bytes: Uint8Array): { prefix: string; isWhole: boolean } {
  const end = validLength(bytes);
  return { prefix: decodeStrict(bytes.subarray(0, end)), isWhole: end === bytes.length };
}

/** Bytes from `from` on that are UTF-8, counted up to the first sequence that is not. */
function validLength(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const size = sequenceLength(bytes, at);
    if (size === 0) return at;
    at += size;
  }
  return at;
}

/** Bytes of the sequence at `at`, or 0 when there is no valid one (RFC 3629). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (size === 0 || at + size > bytes.length) return 0;
  const second = bytes[at + 1]!;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < size; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  return size;
}

// --- trim -------------------------------------------------------------------------------------

const BLANKS: ReadonlySet<string> = new Set([
  "\r\n",
  ..."\t\n\v\f\r \u0085\u200e\u200f\u2028\u2029",
]);

export const trim: HostFunction = (args) => trimEnds(args, true, true);
export const rtrim: HostFunction = (args) => trimEnds(args, false, true);

/** Of a list of texts, the reference trims the first ones. */
export const ltrim: HostFunction = (args) => {
  const [subject, set] = args;
  if (subject?.type !== "list") return trimEnds(args, true, false);
  const members = membersOf(set);
  if (members.size === 0) return subject;
  const isTrimmed = (item: Value): boolean => firstOf(item, members).length === 0;
  const kept = subject.items.findIndex((item) => !isTrimmed(item));
  const [first, ...rest] = kept < 0 ? [] : subject.items.slice(kept);
  if (first === undefined) return { type: "list", items: [] };
  const cut: Value =
    first.type === "bytes" ? { type: "bytes", value: firstOf(first, members) } : first;
  return { type: "list", items: [cut, ...rest] };
};

/** What is left of an element of a list; a code point counts as its text. */
function firstOf(item: Value, members: ReadonlySet<string>): Uint8Array {
  if (item.type !== "bytes" && item.type !== "integer") refuse();
  const bytes = item.type === "bytes" ? item.value : encodeUtf8(characters([item]));
  return bytes.subarray(skipMembers(bytes, 0, members));
}

function trimEnds([text, set]: readonly Value[], leading: boolean, trailing: boolean): Value {
  let bytes = textBytes(text);
  const members = membersOf(set);
  if (members.size === 0) return { type: "bytes", value: bytes };
  if (leading) bytes = bytes.subarray(skipMembers(bytes, 0, members));
  if (trailing) bytes = bytes.subarray(0, trailingStart(bytes, members));
  return { type: "bytes", value: bytes };
}

/** The characters of the second argument: a text, or a list of texts and code points. */
function membersOf(set: Value | undefined): ReadonlySet<string> {
  if (set === undefined) return BLANKS;
  return new Set(set.type === "list" ? characters(set.items) : textOf(set));
}

/** The text that a list of texts, code points and such lists stands for. */
function characters(items: readonly Value[]): string {
  let text = "";
  for (const item of items) {
    if (item.type === "list") text += characters(item.items);
    else if (item.type === "integer") {
      const isCharacter = item.value >= 0n && item.value <= 0x10ffffn && item.value >> 11n !== 27n;
      text += isCharacter ? String.fromCodePoint(Number(item.value)) : refuse();
    } else text += item.type === "bytes" ? textOf(item) : refuse();
  }
  return text;
}

/** Behind all members from `at` on. What comes there must be UTF-8. */
function skipMembers(bytes: Uint8Array, at: number, members: ReadonlySet<string>): number {
  while (at < bytes.length) {
    const cluster = clusterAt(bytes, at);
    if (!members.has(cluster)) return at;
    at += encodeUtf8(cluster).length;
  }
  return at;
}

/** Where the run of members begins that the text ends in; its length when there is none. */
function trailingStart(bytes: Uint8Array, members: ReadonlySet<string>): number {
  const firsts = new Set(Array.from(members, (member) => [...member][0]!));
  let at = 0;
  while (at < bytes.length) {
    const size = sequenceLength(bytes, at);
    if (size === 0 || !firsts.has(decodeStrict(bytes.subarray(at, at + size)))) {
      at += Math.max(size, 1);
      continue;
    }
    const cluster = clusterAt(bytes, at);
    if (!members.has(cluster)) {
      at += encodeUtf8(cluster).length;
      continue;
    }
    const behind = skipMembers(bytes, at, members);
    if (behind === bytes.length) return at;
    at = behind;
  }
  return bytes.length;
}

/** The grapheme cluster that starts at `at`; refuses bytes that are not UTF-8 there. */
function clusterAt(bytes: Uint8Array, at: number): string {
  // Clusters are short: the window only grows while the cluster fills it.
  for (let window = 16; ; window *= 8) {
    const { prefix } = validPrefix(bytes.subarray(at, at + window));
    if (prefix === "") refuse();
    const cluster = segmenter.segment(prefix).containing(0)!.segment;
    if (cluster.length < prefix.length || at + window >= bytes.length) return cluster;
  }
}

// --- search -----------------------------------------------------------------------------------

interface Needle {
  readonly bytes: Uint8Array;
  readonly text: string;
  /** Its last code point. */
  readonly last: string;
  /** For long ones. */
  readonly table?: Uint32Array;
}

/** Bytes up to which the engine's search is good enough. */
const SHORT_NEEDLE = 32;

/** A text to search for; it must be UTF-8. Undefined when it is empty. */
function needleOf(value: Value | undefined): Needle | undefined {
  if (value?.type !== "bytes") return refuse();
  const last = [...decodeStrict(value.value)].at(-1);
  if (last === undefined) return undefined;
  const needle = { bytes: value.value, text: latin1(value.value), last };
  return needle.bytes.length > SHORT_NEEDLE
    ? { ...needle, table: prefixTable(needle.bytes) }
    : needle;
}

/**
 * First match from `from` on, or -1: its last code point must be a grapheme cluster by itself. Both
 * as texts of one character a byte, which the engine searches faster than we could.
 */
function indexOf(haystack: Haystack, needle: Needle, from: number): number {
  for (let at = from; ; at++) {
    at = needle.table ? indexByTable(haystack, needle, at) : haystack.text.indexOf(needle.text, at);
    if (at < 0 || isAlone(haystack, needle, at + needle.bytes.length)) return at;
  }
}

/**
 * The same by the algorithm of Knuth, Morris and Pratt, for long needles: the engine's own search is
 * not linear in the worst case.
 */
function indexByTable({ bytes }: Haystack, needle: Needle, from: number): number {
  const wanted = needle.bytes;
  const table = needle.table!;
  let matched = 0;
  for (let at = from; at < bytes.length; at++) {
    while (matched > 0 && wanted[matched] !== bytes[at]) matched = table[matched - 1]!;
    if (wanted[matched] === bytes[at]) matched += 1;
    if (matched === wanted.length) return at + 1 - matched;
  }
  return -1;
}

/** For every prefix, the length of its longest proper prefix that it also ends in. */
function prefixTable(wanted: Uint8Array): Uint32Array {
  const table = new Uint32Array(wanted.length);
  let matched = 0;
  for (let i = 1; i < wanted.length; i++) {
    while (matched > 0 && wanted[matched] !== wanted[i]) matched = table[matched - 1]!;
    if (wanted[matched] === wanted[i]) matched += 1;
    table[i] = matched;
  }
  return table;
}

/** Does the needle's last code point end its cluster when the text goes on at `behind`? */
function isAlone({ bytes, verdicts }: Haystack, { last }: Needle, behind: number): boolean {
  const size = behind < bytes.length ? sequenceLength(bytes, behind) : 0;
  if (size === 0) return true;
  const pair = last + decodeStrict(bytes.subarray(behind, behind + size));
  let verdict = verdicts.get(pair);
  if (verdict === undefined) {
    verdict = segmenter.segment(pair).containing(0)!.segment === last;
    verdicts.set(pair, verdict);
  }
  return verdict;
}

interface Haystack {
  readonly bytes: Uint8Array;
  readonly text: string;
  /** Answers of isAlone so far, by code points. */
  readonly verdicts: Map<string, boolean>;
}

function haystackOf(bytes: Uint8Array): Haystack {
  return { bytes, text: latin1(bytes), verdicts: new Map() };
}

/** All matches that do not overlap, the first only, or the one that starts last. */
function matches(bytes: Uint8Array, needle: Needle, which: string): readonly number[] {
  const found: number[] = [];
  const haystack = haystackOf(bytes);
  let at = indexOf(haystack, needle, 0);
  while (at >= 0) {
    if (which === "trailing") found.length = 0;
    found.push(at);
    if (which === "leading") break;
    at = indexOf(haystack, needle, which === "trailing" ? at + 1 : at + needle.bytes.length);
  }
  return found;
}

export const find: HostFunction = ([text, wanted, direction]) => {
  const bytes = textBytes(text);
  const needle = needleOf(wanted);
  if (needle === undefined) return { type: "bytes", value: bytes };
  const which = direction === undefined ? "leading" : textOf(direction);
  const at = matches(bytes, needle, which)[0];
  return { type: "bytes", value: at === undefined ? new Uint8Array() : bytes.subarray(at) };
};

export const replace: HostFunction = ([text, wanted, by, option]) => {
  const bytes = textBytes(text);
  const needle = needleOf(wanted);
  if (by?.type !== "bytes") return refuse();
  if (needle === undefined) return { type: "bytes", value: bytes };
  const found = matches(bytes, needle, option === undefined ? "all" : textOf(option));
  const total = bytes.length + found.length * (by.value.length - needle.bytes.length);
  if (total > EXPR_OUTPUT_BYTES_MAX) return ERR_EXPR_OUTPUT;
  const parts: Uint8Array[] = [];
  let rest = 0;
  for (const at of found) {
    parts.push(bytes.subarray(rest, at), by.value);
    rest = at + needle.bytes.length;
  }
  parts.push(bytes.subarray(rest));
  return { type: "bytes", value: joinBytes(parts) };
};

export const split: HostFunction = ([text, separator, option]) => {
  const bytes = textBytes(text);
  const needle = needleOf(separator);
  const word = option === undefined ? "all" : textOf(option);
  const which = word === "notrim" ? "all" : word.replace(/_notrim$/, "");
  const keepsEmpty = word.endsWith("notrim");
  const found = needle === undefined ? [] : matches(bytes, needle, which);
  const pieces: Uint8Array[] = [];
  let rest = 0;
  for (const at of found) {
    pieces.push(bytes.subarray(rest, at));
    rest = at + needle!.bytes.length;
  }
  pieces.push(bytes.subarray(rest));
  const kept = keepsEmpty ? pieces : pieces.filter((piece) => piece.length > 0);
  return { type: "list", items: kept.map((value) => ({ type: "bytes", value })) };
};

/**
 * What the reference's concatenation gives for pieces that are not UTF-8 together: an error tuple of
 * the part that is, and the rest.
 */
export const notUtf8: HostFunction = (pieces) => {
  const bytes = pieces.map(textBytes);
  const joined = joinBytes(bytes);
  const valid = validLength(joined);
  const rest: Value[] = [];
  let at = 0;
  for (const piece of bytes) {
    const skipped = Math.min(Math.max(valid - at, 0), piece.length);
    if (skipped < piece.length) rest.push({ type: "bytes", value: piece.subarray(skipped) });
    at += piece.length;
  }
  const prefix = joined.slice(0, valid);
  const reason = isCutShort(joined, valid) ? "incomplete" : "error";
  return {
    type: "tuple",
    items: [
      { type: "atom", name: reason },
      { type: "bytes", value: prefix },
      { type: "list", items: rest },
    ],
  };
};

/** Do the bytes end within a sequence that was valid so far? */
function isCutShort(bytes: Uint8Array, at: number): boolean {
  const padded = new Uint8Array(4).fill(0x80);
  padded.set(bytes.subarray(at, at + 4));
  const lead = padded[0]!;
  // The second byte's bounds depend on the first; try both halves of its range.
  const left = bytes.length - at;
  if (left >= 4 || left < 1) return false;
  if (left === 1) return lead >= 0xc2 && lead < 0xf5;
  return sequenceLength(padded, 0) > left;
}
