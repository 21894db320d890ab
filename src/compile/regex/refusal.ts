/**
 * Why a pattern is refused: what is wrong, where, and what to write instead. PCRE2 accepts some of
 * these; they cannot run in linear time (or are never what was meant, on bytes), see expressions §8.3.
 */

/** Thrown inside this folder only; `compileRegex` turns it into its result. */
export class RegexRefusal extends Error {
  /** Byte offset in the pattern. */
  readonly offset: number;
  readonly feature: string | undefined;
  readonly hint: string | undefined;

  constructor(message: string, offset: number, feature?: string, hint?: string) {
    super(message);
    this.offset = offset;
    this.feature = feature;
    this.hint = hint;
  }
}

/** A feature that PCRE2 has and we do not, with the usual way around it. */
const HINTS = {
  "back-reference": "capture both parts with regex_extract and compare them with str_eq",
  "look-ahead":
    "one of a fixed length is fine; else test separately and combine: `^(?!.*admin)` is not(regex_match(x, 'admin')), `a(?=.*b)` is regex_match(x, 'a.*b')",
  "look-behind":
    "one of a fixed length is fine; else put what must stand before into the pattern and capture the rest: `(?<=id=.*)\\d+` is regex_extract(x, 'id=.*(\\d+)')",
  "atomic group": "write (?:…); matching takes linear time without it",
  "possessive quantifier": "drop the final +; matching takes linear time without it",
  recursion: "nesting cannot be matched; write the levels out",
  conditional: "write both cases as alternatives: (…|…)",
  "backtracking verb": "remove it; nothing backtracks here",
  callout: "remove it",
  "Unicode property": "patterns match bytes: list the bytes or ranges, such as [A-Za-z]",
  "Unicode mode": "patterns match bytes; write the UTF-8 bytes or use (?:…|…)",
  "start-of-pattern option": "remove it",
  "extended character class": "write the resulting set as an ordinary class",
  "\\C": "use (?s:.)",
  "\\K": "capture the part to keep with regex_extract, or put it back with \\1 in regex_replace",
  "\\G": "use \\A",
} as const;

export type RefusedFeature = keyof typeof HINTS;

export function refuseFeature(feature: RefusedFeature, offset: number): never {
  const name = feature.startsWith("\\") ? `\`${feature}\`` : feature;
  throw new RegexRefusal(`not supported: ${name}`, offset, feature, HINTS[feature]);
}

export function refuse(message: string, offset: number, hint?: string): never {
  throw new RegexRefusal(message, offset, undefined, hint);
}
