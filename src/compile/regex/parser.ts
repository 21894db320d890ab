/**
 * Pattern bytes → syntax tree. The dialect is PCRE2 in byte mode, minus what cannot run in linear
 * time; what PCRE2 refuses is refused here.
 *
 * Source: expressions §4.5 (dialect), §8.3 (what is accepted and what is not).
 */
import { EMPTY, type RegexNode, sequence } from "./ast.ts";
import { atomic, possessive } from "./atomic.ts";
import {
  ANY_BYTE,
  addOtherCase,
  type ByteSet,
  byteSet,
  complement,
  LINE_FEED,
  NOT_LINE_FEED,
} from "./byte-set.ts";
import { readClass } from "./class-parser.ts";
import { readEscape } from "./escape.ts";
import { type GroupStart, readGroupStart } from "./group.ts";
import { lookAround, notBefore } from "./look-around.ts";
import { NO_OPTIONS } from "./options.ts";
import { REGEX_AT } from "./positions.ts";
import { BACKSLASH, code, PatternReader } from "./reader.ts";
import { refuse, refuseFeature } from "./refusal.ts";

/** PCRE2's own limit on open parentheses. */
const NESTING_MAX = 250;

export interface ParsedRegex {
  readonly root: RegexNode;
  /** Number of capture groups. */
  readonly groups: number;
  /** Named groups in the order of their numbers. */
  readonly names: readonly { readonly name: string; readonly group: number }[];
  /** Offsets of doubled backslashes directly before a class letter. */
  readonly doubled: readonly number[];
}

/** Parses a pattern. Throws RegexRefusal. */
export function parseRegex(pattern: Uint8Array, isDoubledClass: boolean): ParsedRegex {
  const parser = new Parser(new PatternReader(pattern, isDoubledClass));
  const root = parser.parse();
  return {
    root,
    groups: parser.reader.groups,
    names: parser.names,
    doubled: parser.reader.doubled,
  };
}

class Parser {
  readonly reader: PatternReader;
  readonly names: { name: string; group: number }[] = [];
  #options = NO_OPTIONS;
  #depth = 0;

  constructor(reader: PatternReader) {
    this.reader = reader;
  }

  parse(): RegexNode {
    const { reader } = this;
    const root = this.#alternation();
    if (!reader.isAtEnd) refuse("`)` closes no group", reader.at, "write \\) for the character");
    return root;
  }

  /**
   * Branches up to a closing parenthesis or the end. Options set in one last into the next; with
   * `resets`, group numbers begin anew in each.
   */
  #alternation(resets = false): RegexNode {
    const { reader } = this;
    const before = reader.groups;
    const branches = [this.#branch()];
    let most = reader.groups;
    while (!reader.isQuoting && reader.accept("|")) {
      if (resets) reader.groups = before;
      branches.push(this.#branch());
      most = Math.max(most, reader.groups);
    }
    reader.groups = most;
    return branches.length === 1 ? branches[0]! : { type: "alternation", branches };
  }

  #branch(): RegexNode {
    const { reader } = this;
    const items: RegexNode[] = [];
    /** May a quantifier follow? Not at the start, nor after another one or a position test. */
    let isRepeatable = false;
    for (;;) {
      this.#skipIgnored();
      if (reader.isAtEnd) break;
      const start = reader.at;
      const byte = reader.peek();
      if (reader.isQuoting) {
        items.push(this.#literal(byte));
        reader.at += 1;
        isRepeatable = true;
        continue;
      }
      if (byte === code("|") || byte === code(")")) break;
      const bounds = this.#quantifier();
      if (bounds) {
        if (!isRepeatable) {
          refuse("a quantifier has nothing to repeat", start, "write a backslash before it");
        }
        items.push(this.#repeat(items.pop()!, bounds, start));
        isRepeatable = false;
        continue;
      }
      const item = this.#item(byte);
      if (!item) continue;
      if (item === "options") {
        isRepeatable = false;
        continue;
      }
      items.push(item);
      isRepeatable = byte === code("(") || item.type !== "assert";
    }
    return sequence(items);
  }

  /** Comments, empty quotations and, in extended mode, blanks. Ends a quotation at \E. */
  #skipIgnored(): void {
    const { reader } = this;
    for (;;) {
      if (reader.isQuoting) {
        if (!reader.accept("\\E")) return;
        reader.isQuoting = false;
      } else if (reader.accept("\\Q")) {
        reader.isQuoting = true;
      } else if (reader.startsWith("(?#")) {
        const end = reader.bytes.indexOf(code(")"), reader.at);
        if (end < 0) refuse("a comment is not closed", reader.at, "add )");
        reader.at = end + 1;
      } else if (this.#options.extended && isExtendedBlank(reader.peek())) {
        reader.at += 1;
      } else if (this.#options.extended && reader.peek() === code("#")) {
        const end = reader.bytes.indexOf(LINE_FEED, reader.at);
        reader.at = end < 0 ? reader.bytes.length : end + 1;
      } else if (!reader.accept("\\E")) {
        return;
      }
    }
  }

  /** A quantifier's bounds, without its ? or + suffix; undefined when none stands here. */
  #quantifier(): { readonly min: number; readonly max: number } | undefined {
    const { reader } = this;
    if (reader.accept("*")) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (reader.accept("+")) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (reader.accept("?")) return { min: 0, max: 1 };
    return reader.peek() === code("{") ? reader.counter() : undefined;
  }

  #repeat(
    body: RegexNode,
    bounds: { readonly min: number; readonly max: number },
    start: number,
  ): RegexNode {
    this.#skipIgnored();
    const { reader } = this;
    if (!reader.isQuoting && reader.accept("+")) {
      return possessive(body, bounds) ?? refuseFeature("possessive quantifier", start);
    }
    const isSwitched = !reader.isQuoting && reader.accept("?");
    if (bounds.max === 0 || body.type === "empty") return EMPTY;
    return { type: "repeat", body, ...bounds, lazy: isSwitched !== this.#options.ungreedy };
  }

  /** One item; undefined when it adds nothing, `options` for `(?i)` and its like. */
  #item(byte: number): RegexNode | "options" | undefined {
    const { reader } = this;
    const { dotAll, multiline, ignoreCase, extendedMore } = this.#options;
    switch (byte) {
      case BACKSLASH:
        return this.#escape();
      case code("["): {
        const word = this.#wordEdge();
        if (word) return word;
        const set = readClass(reader, { ignoreCase, isExtendedMore: extendedMore });
        return { type: "set", set };
      }
      case code("("):
        return this.#group();
      case code("."):
        reader.at += 1;
        return { type: "set", set: dotAll ? ANY_BYTE : NOT_LINE_FEED };
      case code("^"):
        reader.at += 1;
        return { type: "assert", at: multiline ? REGEX_AT.lineStart : REGEX_AT.start };
      case code("$"):
        reader.at += 1;
        return { type: "assert", at: multiline ? REGEX_AT.lineEnd : REGEX_AT.lastLineEnd };
      default:
        reader.at += 1;
        return this.#literal(byte);
    }
  }

  #literal(byte: number): RegexNode {
    const set = byteSet(byte);
    if (this.#options.ignoreCase) addOtherCase(set);
    return { type: "set", set };
  }

  #escape(): RegexNode | undefined {
    const read = readEscape(this.reader, false);
    switch (read.type) {
      case "byte":
        return this.#literal(read.byte);
      case "set":
      case "assert":
        return read;
      case "line break":
        return LINE_BREAK;
      case "grapheme":
        return GRAPHEME;
      case "quote":
        return undefined;
    }
  }

  /** `[[:<:]]` and `[[:>:]]`. */
  #wordEdge(): RegexNode | undefined {
    if (this.reader.accept("[[:<:]]")) return { type: "assert", at: REGEX_AT.wordStart };
    if (this.reader.accept("[[:>:]]")) return { type: "assert", at: REGEX_AT.wordEnd };
    return undefined;
  }

  #group(): RegexNode | "options" {
    const { reader } = this;
    const open = reader.at;
    const start = readGroupStart(reader, this.#options);
    if (start.type === "options") {
      this.#options = start.options;
      return "options";
    }
    let group = 0;
    if (start.type === "capture") {
      group = reader.groups += 1;
      if (start.name !== undefined) this.#name(start.name, group, open);
    }
    this.#depth += 1;
    if (this.#depth > NESTING_MAX) refuse(`groups nest deeper than ${NESTING_MAX}`, open);
    const outer = this.#options;
    if (start.type === "plain") this.#options = start.options;
    const body = this.#alternation(start.type === "branch reset");
    if (reader.isQuoting || !reader.accept(")")) {
      refuse("a group is not closed", open, "add ) or write \\(");
    }
    this.#options = outer;
    this.#depth -= 1;
    return group > 0 ? { type: "capture", group, body } : closed(start, body, open);
  }

  /** In a branch reset, groups of one number have one name. */
  #name(name: string, group: number, open: number): void {
    const isKnown = this.names.some((other) => other.name === name && other.group === group);
    if (isKnown) return;
    if (this.names.some((other) => other.group === group)) {
      refuse("groups of the same number have different names", open);
    }
    if (!this.#options.duplicateNames && this.names.some((other) => other.name === name)) {
      refuse(`two groups are called \`${name}\``, open, "give each group its own name");
    }
    this.names.push({ name, group });
  }
}

/** What a group that does not capture makes of its contents. */
function closed(start: GroupStart, body: RegexNode, open: number): RegexNode {
  if (start.type === "atomic") return atomic(body) ?? refuseFeature("atomic group", open);
  if (start.type !== "look-around") return body;
  const node = lookAround(body, start);
  return node ?? refuseFeature(start.isAhead ? "look-ahead" : "look-behind", open);
}

/** CR LF is taken whole where it stands: a lone CR counts only if no LF follows. */
function lineBreakOr(set: ByteSet): RegexNode {
  const cr: RegexNode = { type: "set", set: byteSet(13) };
  const lf: RegexNode = { type: "set", set: byteSet(LINE_FEED) };
  return {
    type: "alternation",
    branches: [sequence([cr, lf]), sequence([cr, notBefore(lf)!]), { type: "set", set }],
  };
}

const LINE_BREAK = lineBreakOr(byteSet([10, 12], 133));
const GRAPHEME = lineBreakOr(complement(byteSet(13)));

/** White space of extended mode: the ASCII blanks and NEL, which PCRE2 skips in byte mode too. */
function isExtendedBlank(byte: number): boolean {
  return (byte >= 9 && byte <= 13) || byte === 32 || byte === 133;
}
