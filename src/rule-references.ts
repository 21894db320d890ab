/** Where the rules of an image stand in their source (layout: assembly/abi/image.ts). */
import {
  ENTRY_SOURCE_MAP,
  SOURCE_FILE_BYTES,
  SOURCE_MAP_HEADER_BYTES,
  SOURCE_MAP_VERSION,
  SOURCE_RULE_BYTES,
} from "../assembly/abi.ts";
import { readEntry } from "./compile/image.ts";
import { showText } from "./text.ts";
import type { RuleReference } from "./types.ts";

/**
 * Reads the place of one rule at a time. Only explanations need it, so damage costs them their places
 * (an empty file name, line 0) and no decision.
 */
export class RuleReferences {
  readonly #view: DataView;
  #rules = 0;
  #files = 0;
  /** Where the texts start and end; both 0 for a source map that cannot be read. */
  #textsAt = 0;
  #end = 0;

  /** `image`: one that the core has opened, so that its entries lie inside it. */
  constructor(image: Uint8Array) {
    const map = readEntry(image, ENTRY_SOURCE_MAP, 0) ?? new Uint8Array(0);
    this.#view = new DataView(map.buffer, map.byteOffset, map.byteLength);
    if (map.length < SOURCE_MAP_HEADER_BYTES || this.#word(0) !== SOURCE_MAP_VERSION) return;
    const rules = this.#word(4);
    const files = this.#word(8);
    const tables = rules * SOURCE_RULE_BYTES + files * SOURCE_FILE_BYTES;
    const textsAt = SOURCE_MAP_HEADER_BYTES + tables;
    if (textsAt + this.#word(12) !== map.length) return;
    this.#rules = rules;
    this.#files = files;
    this.#textsAt = textsAt;
    this.#end = map.length;
  }

  /** The rule with this number, counted from 0. Cost: its text is decoded. */
  get(rule: number): RuleReference {
    const number = rule + 1;
    if (!(rule >= 0 && rule < this.#rules)) {
      return { number, at: { file: "", line: 0, column: 0 }, text: "" };
    }
    const at = SOURCE_MAP_HEADER_BYTES + rule * SOURCE_RULE_BYTES;
    const file = this.#word(at + 16);
    const place = {
      file: file < this.#files ? this.#fileName(file) : "",
      line: this.#word(at + 8),
      column: this.#word(at + 12),
    };
    return { number, at: place, text: this.#text(at) };
  }

  #fileName(file: number): string {
    const files = SOURCE_MAP_HEADER_BYTES + this.#rules * SOURCE_RULE_BYTES;
    return this.#text(files + file * SOURCE_FILE_BYTES);
  }

  /** The text whose offset and length stand at `at`; empty when it is not inside the source map. */
  #text(at: number): string {
    const from = this.#textsAt + this.#word(at);
    const length = this.#word(at + 4);
    if (from + length > this.#end) return "";
    const { buffer, byteOffset } = this.#view;
    return showText(new Uint8Array(buffer, byteOffset + from, length));
  }

  #word(at: number): number {
    return this.#view.getUint32(at, true);
  }
}
