/**
 * Test files in YAML 1.2, read into the nodes that the HOCON reader gives, each with its place.
 *
 * The `yaml` package finds out what the text says; what it leaves to its users is bounded here. Its
 * parser is fed token by token, because what builds the document recurses, and a deep text has to be
 * refused before that. Aliases share the node they name, and are counted as if they were written out.
 */
import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  Parser,
  type Scalar,
} from "yaml";
import { Cursor } from "../../../src/config/hocon/cursor.ts";
import type { HoconMember, HoconNode, HoconObject } from "../../../src/config/hocon/index.ts";
import type { IssueList } from "../../../src/config/issues.ts";
import type { SourcePosition } from "../../../src/types.ts";

/** LIMIT: UTF-16 units and tokens of a file. */
export const YAML_UNITS_MAX = 1024 * 1024;
export const YAML_TOKENS_MAX = 200_000;
/** LIMIT: collections inside each other, and values, with aliases written out. */
export const YAML_NESTING_MAX = 64;
export const YAML_VALUES_MAX = 100_000;

const CODE = "ERR_CONFIG_YAML";

/** An indicator, and the collection it opens, are levels of their own to the parser. */
const PARSER_STACK_MAX = 2 * YAML_NESTING_MAX;

/**
 * Reads one document. Never throws for what stands in the text: `issues` gets every mistake, and
 * with an error among them the result is only what could be read.
 */
export function readYaml(source: string, file: string, issues: IssueList): HoconObject {
  const text = source.replace(/^\ufeff/, "");
  const at: SourcePosition = { file, line: 1, column: 1 };
  const empty: HoconObject = { kind: "object", at, members: new Map() };
  const documents = compose(text, file, issues);
  const [first, second] = documents;
  if (second) {
    const from = placeOf(second.range?.[0] ?? 0, text, file);
    issues.error(CODE, from, "a test file is one document, and here a second one begins", {
      hint: "put it into a file of its own",
    });
  }
  if (issues.hasErrors || !first?.contents) return empty;
  const reader = new NodeReader(text, file, issues);
  const root = reader.read(first.contents, 1)?.node;
  if (root?.kind === "object") return root;
  if (root && root.kind !== "null" && !issues.hasErrors) {
    issues.error(CODE, root.at, "a test file is a mapping: begin with `tests:`");
  }
  return empty;
}

function placeOf(offset: number, text: string, file: string): SourcePosition {
  const cursor = new Cursor(text, file);
  cursor.moveTo(Math.min(offset, text.length));
  return cursor.position();
}

/** The first two documents; what is wrong with the syntax becomes issues. */
function compose(text: string, file: string, issues: IssueList): Document.Parsed[] {
  const refuse = (offset: number, message: string): [] => {
    const hint = "no real test file needs this; split it";
    issues.error("ERR_CONFIG_LIMIT", placeOf(offset, text, file), message, { hint });
    return [];
  };
  if (text.length > YAML_UNITS_MAX) {
    return refuse(0, `the file has more than ${YAML_UNITS_MAX} characters`);
  }
  const parser = new Parser();
  const tokens = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > PARSER_STACK_MAX) {
      return refuse(parser.offset, `more than ${YAML_NESTING_MAX} values are inside each other`);
    }
    if (++count > YAML_TOKENS_MAX) {
      return refuse(parser.offset, `the file has more than ${YAML_TOKENS_MAX} words and signs`);
    }
  }
  tokens.push(...parser.end());
  const documents: Document.Parsed[] = [];
  // Keys that stand twice are found by the reader, which knows where the first one is.
  const composer = new Composer({
    uniqueKeys: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  for (const document of composer.compose(tokens, true, text.length)) {
    documents.push(document);
    // Warnings are about tags and directives that mean nothing here.
    for (const { pos, message } of [...document.errors, ...document.warnings]) {
      if (issues.isFull) break;
      issues.error(CODE, placeOf(pos[0], text, file), inOurWords(message));
    }
    if (document.directives.yaml.version !== "1.2") {
      issues.error(CODE, { file, line: 1, column: 1 }, "only YAML 1.2 is read", {
        hint: "leave the %YAML line out",
      });
    }
    if (documents.length > 1 || issues.hasErrors) break;
  }
  return documents;
}

/** Lower case, and without the text that was met: it may be a secret. */
function inOurWords(message: string): string {
  const words = message
    .replace(/['"]quote/, "quote")
    .replace(/(?:(?<=\w):\s|:?\s*["!%]).*$/s, "")
    .replace(/\.$/, "");
  return `not YAML: ${words.charAt(0).toLowerCase()}${words.slice(1)}`;
}

/** A node with its size once aliases are written out. */
interface Read {
  readonly node: HoconNode;
  readonly values: number;
  /** Levels of collections, none for a scalar. */
  readonly depth: number;
}

/** Reads nodes in the order of the text, so that places cost one pass over it. */
class NodeReader {
  readonly #cursor: Cursor;
  readonly #issues: IssueList;
  readonly #anchors = new Map<string, Read>();
  #values = 0;

  constructor(text: string, file: string, issues: IssueList) {
    this.#cursor = new Cursor(text, file);
    this.#issues = issues;
  }

  /** Undefined when it cannot be read, and then there is an issue. `level`: of this node, from 1. */
  read(node: Node, level: number): Read | undefined {
    const at = this.#placeOf(node);
    const tag = "tag" in node ? node.tag : undefined;
    if (tag !== undefined && !tag.startsWith("tag:yaml.org,2002:")) {
      return this.#refuse(at, "tags are not read", "write the value without a tag");
    }
    if (isAlias(node)) return this.#readAlias(node.source, at, level);
    if (++this.#values > YAML_VALUES_MAX) return this.#refuseSize(at);
    let read: Read | undefined;
    if (isMap(node)) read = this.#readMap(node.items, at, level);
    else if (isSeq(node)) read = this.#readList(node.items, at, level);
    else read = this.#readScalar(node as Scalar, at);
    if (read && node.anchor !== undefined) this.#anchors.set(node.anchor, read);
    return read;
  }

  /** An anchor is known once its node has been read, so none can hold itself. */
  #readAlias(name: string, at: SourcePosition, level: number): Read | undefined {
    const read = this.#anchors.get(name);
    if (!read) {
      return this.#refuse(at, `there is no anchor \`&${name}\` before this`, "aliases look back");
    }
    this.#values += read.values;
    if (this.#values > YAML_VALUES_MAX) return this.#refuseSize(at);
    if (level + read.depth - 1 > YAML_NESTING_MAX) return this.#refuseDepth(at);
    return read;
  }

  #readMap(
    pairs: readonly { readonly key: unknown; readonly value: unknown }[],
    at: SourcePosition,
    level: number,
  ): Read | undefined {
    if (level > YAML_NESTING_MAX) return this.#refuseDepth(at);
    const members = new Map<string, HoconMember>();
    let values = 1;
    let depth = 1;
    for (const { key, value } of pairs) {
      if (this.#issues.isFull) return undefined;
      const keyAt = this.#placeOf(key);
      const name = this.#nameOf(key, keyAt);
      const read = value ? this.read(value as Node, level + 1) : nothingAt(keyAt);
      if (name === undefined || !read) continue;
      const first = members.get(name);
      if (first) {
        const { line } = first.keyAt;
        this.#refuse(keyAt, `the key \`${name}\` stands on line ${line} already`, "keep one");
        continue;
      }
      members.set(name, { keyAt, value: read.node });
      values += read.values;
      depth = Math.max(depth, read.depth + 1);
    }
    return { node: { kind: "object", members, at }, values, depth };
  }

  /** Numbers and words such as `null` are keys as they are written. */
  #nameOf(key: unknown, at: SourcePosition): string | undefined {
    const isPlain = isScalar(key) && key.tag === undefined && key.anchor === undefined;
    const name = isPlain ? (typeof key.value === "string" ? key.value : key.source) : undefined;
    if (name === undefined || name === "") {
      this.#refuse(at, "a key is a word", "write `name: value`, with quotes around odd names");
      return undefined;
    }
    if (name !== "<<") return name;
    this.#refuse(at, "`<<` merges are not read", "write the keys out, or name a client");
    return undefined;
  }

  #readList(items: readonly unknown[], at: SourcePosition, level: number): Read | undefined {
    if (level > YAML_NESTING_MAX) return this.#refuseDepth(at);
    const nodes: HoconNode[] = [];
    let values = 1;
    let depth = 1;
    for (const item of items) {
      if (this.#issues.isFull) return undefined;
      const read = this.read(item as Node, level + 1);
      if (!read) continue;
      nodes.push(read.node);
      values += read.values;
      depth = Math.max(depth, read.depth + 1);
    }
    return { node: { kind: "array", items: nodes, at }, values, depth };
  }

  #readScalar({ value, source, type }: Scalar, at: SourcePosition): Read | undefined {
    const isQuoted = type === "QUOTE_DOUBLE" || type === "QUOTE_SINGLE";
    const contentAt = isQuoted ? { ...at, column: at.column + 1 } : at;
    if (typeof value === "string") return one({ kind: "text", value, at, contentAt });
    if (typeof value === "boolean") return one({ kind: "boolean", value, at });
    if (value === null || value === undefined) return one({ kind: "null", at });
    if (typeof value === "number" && Number.isFinite(value)) {
      return one({ kind: "number", value, text: source ?? String(value), at });
    }
    return this.#refuse(at, "this number cannot be used", "put quotes around it if it is a text");
  }

  #placeOf(node: unknown): SourcePosition {
    const { range } = (node ?? {}) as { range?: readonly number[] | null };
    if (range?.[0] !== undefined) this.#cursor.moveTo(range[0]);
    return this.#cursor.position();
  }

  #refuse(at: SourcePosition, message: string, hint: string): undefined {
    this.#issues.error(CODE, at, message, { hint });
    return undefined;
  }

  #refuseSize(at: SourcePosition): undefined {
    const message = `the file has more than ${YAML_VALUES_MAX} values, aliases written out`;
    if (!this.#issues.hasErrors) this.#issues.error("ERR_CONFIG_LIMIT", at, message);
    return undefined;
  }

  #refuseDepth(at: SourcePosition): undefined {
    const message = `more than ${YAML_NESTING_MAX} values are inside each other`;
    this.#issues.error("ERR_CONFIG_LIMIT", at, message);
    return undefined;
  }
}

function one(node: HoconNode): Read {
  return { node, values: 1, depth: 0 };
}

function nothingAt(at: SourcePosition): Read {
  return one({ kind: "null", at });
}
