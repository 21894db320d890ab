/** Reads an object of a test file key by key, and says where something is wrong. */
import type { HoconNode, HoconObject } from "../../../src/config/hocon/index.ts";
import { toJson } from "../../../src/config/hocon/index.ts";
import type { IssueList } from "../../../src/config/issues.ts";
import { spellingHint } from "../../../src/config/nearest.ts";
import type { SourcePosition } from "../../../src/types.ts";

const CODE = "ERR_CONFIG_TEST";

export class Fields {
  readonly #object: HoconObject;
  readonly #issues: IssueList;
  readonly #known: string[] = [];

  constructor(object: HoconObject, issues: IssueList) {
    this.#object = object;
    this.#issues = issues;
  }

  get at(): SourcePosition {
    return this.#object.at;
  }

  error(message: string, at: SourcePosition = this.at): void {
    this.#issues.error(CODE, at, message);
  }

  node(key: string): HoconNode | undefined {
    this.#known.push(key);
    const node = this.#object.members.get(key)?.value;
    return node?.kind === "null" ? undefined : node;
  }

  /** Where the key stands; the object's place without it. */
  placeOf(key: string): SourcePosition {
    return this.#object.members.get(key)?.keyAt ?? this.at;
  }

  /** Numbers count as the text they were written as. */
  text(key: string): string | undefined {
    const node = this.node(key);
    if (!node) return undefined;
    const text = textOf(node);
    if (text === undefined) this.error(`\`${key}\` is a text`, node.at);
    return text;
  }

  integer(key: string, from: number, to: number): number | undefined {
    const node = this.node(key);
    if (!node) return undefined;
    const value = node.kind === "number" ? node.value : Number.NaN;
    if (Number.isInteger(value) && value >= from && value <= to) return value;
    this.error(`\`${key}\` is a whole number from ${from} to ${to}`, node.at);
    return undefined;
  }

  flag(key: string): boolean | undefined {
    const node = this.node(key);
    if (!node) return undefined;
    if (node.kind === "boolean") return node.value;
    this.error(`\`${key}\` is true or false`, node.at);
    return undefined;
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const found = choices.find((one) => one === text);
    if (!found) this.error(`\`${key}\` is ${choices.join(" or ")}`, this.placeOf(key));
    return found;
  }

  /** One text, or a list of them. */
  texts(key: string): string[] | undefined {
    const node = this.node(key);
    if (!node) return undefined;
    const items = node.kind === "array" ? node.items : [node];
    const texts = items.map(textOf);
    if (texts.every((text) => text !== undefined) && texts.length > 0) return texts as string[];
    this.error(`\`${key}\` is a text or a list of texts`, node.at);
    return undefined;
  }

  object(key: string): Fields | undefined {
    const node = this.node(key);
    if (!node) return undefined;
    if (node.kind === "object") return new Fields(node, this.#issues);
    this.error(`\`${key}\` is an object`, node.at);
    return undefined;
  }

  /** The objects of a list. */
  objects(key: string): Fields[] {
    const node = this.node(key);
    if (!node) return [];
    const items = node.kind === "array" ? node.items : [node];
    return items.flatMap((item) => {
      if (item.kind === "object") return [new Fields(item, this.#issues)];
      this.error(`\`${key}\` is a list of objects`, item.at);
      return [];
    });
  }

  /** Texts by name. */
  record(key: string): Record<string, string> | undefined {
    const node = this.node(key);
    if (!node) return undefined;
    const record: Record<string, string> = Object.create(null);
    if (node.kind !== "object") {
      this.error(`\`${key}\` is an object`, node.at);
      return undefined;
    }
    for (const [name, { value }] of node.members) {
      const text = textOf(value);
      if (text === undefined) this.error(`\`${key}.${name}\` is a text`, value.at);
      else record[name] = text;
    }
    return record;
  }

  /** Any value, as plain data. */
  json(key: string): unknown {
    const node = this.node(key);
    return node && toJson(node);
  }

  /** Every member as an object of its own. */
  named(): Map<string, Fields> {
    const found = new Map<string, Fields>();
    for (const [name, { value }] of this.#object.members) {
      if (value.kind === "object") found.set(name, new Fields(value, this.#issues));
      else this.error(`\`${name}\` is an object`, value.at);
    }
    return found;
  }

  /** Reports every key that was not asked for. */
  finish(what: string): void {
    for (const [key, { keyAt }] of this.#object.members) {
      if (this.#known.includes(key)) continue;
      const hint = spellingHint(key, [...new Set(this.#known)]);
      this.#issues.error(CODE, keyAt, `there is no key \`${key}\` in ${what}`, { hint });
    }
  }
}

function textOf(node: HoconNode): string | undefined {
  if (node.kind === "text") return node.value;
  return node.kind === "number" ? node.text : undefined;
}
