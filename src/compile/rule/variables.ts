/** The client variables that a rule set uses, each once. */
import {
  VARIABLE_ATTR,
  VARIABLE_CERT_COMMON_NAME,
  VARIABLE_CLIENTID,
  VARIABLE_LISTENER,
  VARIABLE_NONE,
  VARIABLE_USERNAME,
  VARIABLE_ZONE,
} from "../../../assembly/abi.ts";
import type { Text } from "../../types.ts";
import type { WhoField } from "./ast.ts";
import { attributeName } from "./topic-template.ts";
import { type TextPool, textKey, WordList } from "./words.ts";

const KINDS: Readonly<Record<string, number>> = {
  clientid: VARIABLE_CLIENTID,
  username: VARIABLE_USERNAME,
  cert_common_name: VARIABLE_CERT_COMMON_NAME,
  zone: VARIABLE_ZONE,
  listener: VARIABLE_LISTENER,
};

export class VariableTable {
  readonly #texts: TextPool;
  readonly #isStrict: boolean;
  readonly #indexes = new Map<string, number>();
  /** Indexes of variables without a name of their own, by kind. */
  readonly #ofKind: (number | undefined)[] = [];
  readonly words: WordList = new WordList();

  constructor(texts: TextPool, isStrict: boolean) {
    this.#texts = texts;
    this.#isStrict = isStrict;
  }

  get count(): number {
    return this.#indexes.size;
  }

  ofField(field: WhoField): number {
    if (field.name === "client_attr") return this.#attribute(field.attr);
    return this.#kind(KINDS[field.name]!);
  }

  /** In `emqx` mode a dot in an attribute's name is a path into a map, and attributes hold none. */
  ofPlaceholder(name: string): number {
    const attribute = attributeName(name);
    if (attribute !== undefined && (this.#isStrict || !attribute.includes("."))) {
      return this.#attribute(attribute);
    }
    return this.#kind(Object.hasOwn(KINDS, name) ? KINDS[name]! : VARIABLE_NONE);
  }

  #kind(kind: number): number {
    this.#ofKind[kind] ??= this.#index(kind, "");
    return this.#ofKind[kind];
  }

  #attribute(name: Text): number {
    return this.#index(VARIABLE_ATTR, name);
  }

  #index(kind: number, name: Text): number {
    const key = `${kind}:${textKey(name)}`;
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = this.#indexes.size;
    this.#indexes.set(key, index);
    const span = this.#texts.share(name);
    this.words.push(kind, span.offset, span.length, 0);
    return index;
  }
}
