/**
 * Topics that two rules share: a filter, and one topic as an example. What placeholders have to
 * stand for is found by comparing level with level; the result is checked by putting it in.
 */
import type { TemplatePart } from "../compile/rule/topic-template.ts";
import { intersectFilters } from "../topic/set.ts";
import { bindLevels, isSafeValue } from "./binding.ts";
import { type Level, plainLevels, type SymbolicTopic } from "./levels.ts";

export interface Overlap {
  /** The shared topics; placeholders that may have any value stand as they are. */
  readonly filter: string;
  readonly example: string;
  /** Placeholders that must have one value for it: field → value. */
  readonly values: ReadonlyMap<string, string>;
}

/** Stand for "some value" while filters are compared: private-use characters. */
const TOKEN_BASE = 0xe000;
const EXAMPLE_VALUE = "x";

/**
 * What two topics share for a client whose fields have these values (as keys). Undefined: nothing
 * that could be shown.
 */
export function overlapOf(
  a: SymbolicTopic | undefined,
  b: SymbolicTopic | undefined,
  equals: ReadonlyMap<string, string>,
): Overlap | undefined {
  // Every topic shares with another what that one selects.
  const left = levelsOf(a ?? b, equals);
  const right = levelsOf(b ?? a, equals);
  if (!left || !right) return undefined;
  const values = new Map<string, string>();
  if (!alignLevels(left, right, values)) return undefined;
  const names = placeholdersOf([...left, ...right]).filter((name) => !values.has(name));
  const tokens = new Map(names.map((name, at) => [name, String.fromCharCode(TOKEN_BASE + at)]));
  const render = (levels: readonly Level[]): string | undefined => {
    const texts = renderAll(levels, (name) => values.get(name) ?? tokens.get(name) ?? "");
    return texts?.join("/");
  };
  const one = render(left);
  const other = render(right);
  if (one === undefined || other === undefined) return undefined;
  const shared = intersectFilters(one, other);
  if (shared === undefined || shared === "") return undefined;
  return showOverlap(shared, values, names);
}

function showOverlap(
  shared: string,
  values: ReadonlyMap<string, string>,
  names: readonly string[],
): Overlap {
  const replace = (text: string, value: (name: string) => string): string =>
    text.replace(/[\ue000-\uf8ff]/g, (token) => {
      const name = names[token.charCodeAt(0) - TOKEN_BASE];
      return name === undefined ? token : value(name);
    });
  const example = shared
    .split("/")
    .map((level) => (level === "+" || level === "#" ? EXAMPLE_VALUE : level))
    .join("/");
  return {
    filter: replace(shared, (name) => `\${${name}}`),
    example: replace(example, () => EXAMPLE_VALUE),
    values: new Map(
      [...values].map(([name, value]) => [name, replace(value, () => EXAMPLE_VALUE)]),
    ),
  };
}

function levelsOf(
  topic: SymbolicTopic | undefined,
  equals: ReadonlyMap<string, string>,
): readonly Level[] | undefined {
  if (!topic) return [{ type: "rest" }];
  if (topic.type === "levels") return bindLevels(topic.levels, equals);
  if (topic.type !== "equal" || topic.text === undefined) return undefined;
  // A filter in `eq` selects no topic name.
  return /(^|\/)[+#](\/|$)/.test(topic.text) ? undefined : plainLevels(topic.text);
}

/** Finds values that make the levels equal where both say something; false when there are none. */
function alignLevels(
  left: readonly Level[],
  right: readonly Level[],
  values: Map<string, string>,
): boolean {
  for (let at = 0; ; at++) {
    const a = left[at];
    const b = right[at];
    if (!a || !b || a.type === "rest" || b.type === "rest") return true;
    if (a.type === "plus" || b.type === "plus") continue;
    if (!alignLevel(partsOf(a), partsOf(b), at, values)) return false;
  }
}

function alignLevel(
  a: readonly TemplatePart[],
  b: readonly TemplatePart[],
  at: number,
  values: Map<string, string>,
): boolean {
  const left = substitute(a, values);
  const right = substitute(b, values);
  if (JSON.stringify(left) === JSON.stringify(right)) return true;
  const leftText = textOf(left);
  const rightText = textOf(right);
  if (leftText !== undefined && rightText !== undefined) return leftText === rightText;
  if (leftText !== undefined) return solve(right, leftText, at, values);
  if (rightText !== undefined) return solve(left, rightText, at, values);
  // Two placeholders: some value for one of them, and then the other has to follow.
  const open = left.find((part) => part.type === "variable");
  if (open?.type === "variable") values.set(open.name, EXAMPLE_VALUE);
  return alignLevel(a, b, at, values);
}

/** Values of the placeholders with which the parts spell the text. */
function solve(
  parts: readonly TemplatePart[],
  text: string,
  at: number,
  values: Map<string, string>,
): boolean {
  const names: string[] = [];
  const pattern = parts.map((part) => {
    if (part.type === "text") return part.text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    const known = names.indexOf(part.name);
    if (known >= 0) return `\\${known + 1}(?:)`;
    names.push(part.name);
    return "(.+)";
  });
  const match = new RegExp(`^${pattern.join("")}$`, "s").exec(text);
  if (!match) return false;
  for (const [index, name] of names.entries()) {
    const value = match[index + 1] ?? "";
    const [first] = parts;
    const beginsTopic = at === 0 && first?.type === "variable" && first.name === name;
    if (!isSafeValue(value, beginsTopic)) return false;
    values.set(name, value);
  }
  return true;
}

function substitute(
  parts: readonly TemplatePart[],
  values: ReadonlyMap<string, string>,
): TemplatePart[] {
  const out: TemplatePart[] = [];
  for (const part of parts) {
    const value = part.type === "text" ? part.text : values.get(part.name);
    const last = out.at(-1);
    if (value === undefined) out.push(part);
    else if (last?.type === "text") out[out.length - 1] = { type: "text", text: last.text + value };
    else out.push({ type: "text", text: value });
  }
  return out;
}

function textOf(parts: readonly TemplatePart[]): string | undefined {
  const [only, more] = parts;
  if (!only) return "";
  return only.type === "text" && !more ? only.text : undefined;
}

function partsOf(level: Level): readonly TemplatePart[] {
  if (level.type === "template") return level.parts;
  return level.type === "text" && level.text !== "" ? [{ type: "text", text: level.text }] : [];
}

function placeholdersOf(levels: readonly Level[]): string[] {
  const names = new Set<string>();
  for (const level of levels) {
    if (level.type !== "template") continue;
    for (const part of level.parts) if (part.type === "variable") names.add(part.name);
  }
  return [...names];
}

function renderAll(
  levels: readonly Level[],
  lookUp: (name: string) => string,
): string[] | undefined {
  const texts: string[] = [];
  for (const [at, level] of levels.entries()) {
    if (level.type === "plus") texts.push("+");
    else if (level.type === "rest") texts.push("#");
    else {
      const parts = partsOf(level);
      for (const [index, part] of parts.entries()) {
        if (part.type === "text") continue;
        if (!isSafeValue(lookUp(part.name), at === 0 && index === 0)) return undefined;
      }
      texts.push(
        parts.map((part) => (part.type === "text" ? part.text : lookUp(part.name))).join(""),
      );
    }
  }
  return texts;
}
