/**
 * What an opening parenthesis opens: a capture group, a plain group, options, or something that is
 * refused.
 *
 * Source: expressions §4.5, §8.3.
 */
import type { LookAround } from "./look-around.ts";
import type { Options } from "./options.ts";
import { code, isDigit, type PatternReader } from "./reader.ts";
import { type RefusedFeature, refuse, refuseFeature } from "./refusal.ts";

export type GroupStart =
  | { readonly type: "capture"; readonly name?: string }
  /** A non-capturing group and the options inside it. */
  | { readonly type: "plain"; readonly options: Options }
  /** `(?|…)`: groups of every branch have the same numbers. */
  | { readonly type: "branch reset" }
  | { readonly type: "atomic" }
  | ({ readonly type: "look-around" } & LookAround)
  /** `(?i)`: the options hold from here to the end of the enclosing group. */
  | { readonly type: "options"; readonly options: Options };

/** Reads from the parenthesis up to the group's contents. */
export function readGroupStart(reader: PatternReader, options: Options): GroupStart {
  const open = reader.at;
  if (reader.peek(1) === code("*")) {
    const start = starGroup(reader, open);
    if (start) return start;
  }
  reader.at += 1;
  if (!reader.accept("?")) {
    return options.noCapture ? { type: "plain", options } : { type: "capture" };
  }
  const char = String.fromCharCode(Math.max(reader.peek(), 0));
  const next = reader.peek(1);
  switch (char) {
    case "<":
      if (next === code("*")) return refuseFeature("look-behind", open);
      reader.at += 1;
      if (reader.accept("=")) return LOOK_AROUND.plb!;
      if (reader.accept("!")) return LOOK_AROUND.nlb!;
      return { type: "capture", name: reader.groupName(">") };
    case "'":
      reader.at += 1;
      return { type: "capture", name: reader.groupName("'") };
    case "P":
      return pythonGroup(reader, open);
    case "=":
    case "!":
      reader.at += 1;
      return char === "=" ? LOOK_AROUND.pla! : LOOK_AROUND.nla!;
    case "*":
      return refuseFeature("look-ahead", open);
    case ">":
      reader.at += 1;
      return { type: "atomic" };
    case "|":
      reader.at += 1;
      return { type: "branch reset" };
    case "(":
      return refuseFeature("conditional", open);
    case "C":
      return refuseFeature("callout", open);
    case "[":
      return refuseFeature("extended character class", open);
    case "R":
    case "&":
    case "+":
      return refuseFeature("recursion", open);
    default:
      if (isDigit(reader.peek()) || (char === "-" && isDigit(next))) {
        return refuseFeature("recursion", open);
      }
      return optionGroup(reader, options, open);
  }
}

function pythonGroup(reader: PatternReader, open: number): GroupStart {
  if (reader.accept("P<")) return { type: "capture", name: reader.groupName(">") };
  if (reader.startsWith("P=")) return refuseFeature("back-reference", open);
  if (reader.startsWith("P>")) return refuseFeature("recursion", open);
  return refuse("unknown group `(?P`", open, "write (?P<name>…)");
}

const AHEAD: GroupStart = { type: "look-around", isAhead: true, isNegative: false };
const BEHIND: GroupStart = { type: "look-around", isAhead: false, isNegative: false };
const LOOK_AROUND: Readonly<Record<string, GroupStart>> = {
  pla: AHEAD,
  positive_lookahead: AHEAD,
  nla: { ...AHEAD, isNegative: true },
  negative_lookahead: { ...AHEAD, isNegative: true },
  plb: BEHIND,
  positive_lookbehind: BEHIND,
  nlb: { ...BEHIND, isNegative: true },
  negative_lookbehind: { ...BEHIND, isNegative: true },
};

const LETTERS: Readonly<Record<string, keyof Options>> = {
  i: "ignoreCase",
  m: "multiline",
  s: "dotAll",
  n: "noCapture",
  U: "ungreedy",
  J: "duplicateNames",
};

/** `(?flags)`, `(?flags:…)` and `(?^flags:…)`. */
function optionGroup(reader: PatternReader, outer: Options, open: number): GroupStart {
  const options = { ...outer };
  let canUnset = true;
  let value = true;
  if (reader.accept("^")) {
    canUnset = false;
    for (const name of ["ignoreCase", "multiline", "dotAll", "noCapture"] as const) {
      options[name] = false;
    }
    options.extended = options.extendedMore = false;
  }
  // PCRE2 applies everything that is set first, then everything that is unset.
  const unset: (keyof Options)[] = [];
  for (;;) {
    if (reader.isAtEnd) refuse("a group is not closed", open, "add ) or write \\(");
    if (reader.accept(")") || reader.accept(":")) break;
    const at = reader.at;
    const char = String.fromCharCode(reader.peek());
    reader.at += 1;
    const name = LETTERS[char];
    if (name) {
      if (value) options[name] = true;
      else unset.push(name);
    } else if (char === "x") {
      const isMore = reader.accept("x");
      if (value) {
        options.extended = true;
        options.extendedMore = isMore;
      } else {
        unset.push("extended", "extendedMore");
      }
    } else if (char === "-" && canUnset) {
      value = canUnset = false;
    } else if (char === "a") {
      // ASCII restrictions: everything here is ASCII.
      if ("DPSTW".includes(String.fromCharCode(Math.max(reader.peek(), 0)))) reader.at += 1;
    } else if (char !== "r") {
      refuse(`unknown option \`${printable(char)}\` in a group`, at, "known: i m s x n U");
    }
  }
  for (const name of unset) options[name] = false;
  const isGroup = reader.bytes[reader.at - 1] === code(":");
  return { type: isGroup ? "plain" : "options", options };
}

function printable(char: string): string {
  return /[ -~]/.test(char) ? char : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** `(*…`: verbs, start-of-pattern options and the long spellings of groups. */
function starGroup(reader: PatternReader, open: number): GroupStart | undefined {
  const rest = String.fromCharCode(...reader.bytes.subarray(open + 2, open + 40));
  // PCRE2 reads `(*` and `(*)` as a group that starts with a quantifier.
  if (rest === "" || rest.startsWith(")")) return undefined;
  const name = /^(\w+):/.exec(rest)?.[1] ?? "";
  const start = name === "atomic" ? ({ type: "atomic" } as const) : LOOK_AROUND[name];
  if (start) {
    reader.at += `(*${name}:`.length;
    return start;
  }
  const feature = STAR_FORMS.find(([form]) => form.test(rest))?.[1];
  if (feature) refuseFeature(feature, open);
  refuse("unknown verb after `(*`", open, "write \\( for the character");
}

const STAR_FORMS: readonly (readonly [RegExp, RefusedFeature])[] = [
  [/^(napla|non_atomic_positive_lookahead):/, "look-ahead"],
  [/^(naplb|non_atomic_positive_lookbehind):/, "look-behind"],
  [/^(UTF8?|UCP)\)/, "Unicode mode"],
  [/^(ACCEPT|FAIL|F|COMMIT|PRUNE|SKIP|THEN|MARK)?[:)]/, "backtracking verb"],
  [
    /^(CR|LF|CRLF|ANYCRLF|ANY|NUL|BSR_\w+|NO_\w+|NOTEMPTY\w*|LIMIT_\w+=\d+)\)/,
    "start-of-pattern option",
  ],
];
