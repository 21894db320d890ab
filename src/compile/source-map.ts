/** Rules → where they stand in their source (layout: assembly/abi/image.ts). */
import {
  SOURCE_FILE_BYTES,
  SOURCE_MAP_HEADER_BYTES,
  SOURCE_MAP_VERSION,
  SOURCE_RULE_BYTES,
} from "../../assembly/abi.ts";
import type { Rule } from "./rule/ast.ts";
import { TextPool, WordList } from "./rule/words.ts";

/** A source map of rules, in their order. A rule without a place gets line and column 0. */
export function compileSourceMap(rules: readonly Rule[]): Uint8Array<ArrayBuffer> {
  const texts = new TextPool(textBytes(rules));
  const table = new WordList((rules.length * SOURCE_RULE_BYTES) / 4);
  const files = new WordList();
  const fileNumbers = new Map<string, number>();
  const numberOf = (file: string): number => {
    const known = fileNumbers.get(file);
    if (known !== undefined) return known;
    const { offset, length } = texts.add(file);
    const number = files.push(offset, length) / 2;
    fileNumbers.set(file, number);
    return number;
  };
  for (const { at, text } of rules) {
    const { offset, length } = texts.add(text ?? "");
    table.push(offset, length, at?.line ?? 0, at?.column ?? 0, numberOf(at?.file ?? ""));
  }
  const tables = rules.length * SOURCE_RULE_BYTES + fileNumbers.size * SOURCE_FILE_BYTES;
  const map = new Uint8Array(SOURCE_MAP_HEADER_BYTES + tables + texts.length);
  const header = new DataView(map.buffer);
  const words = [SOURCE_MAP_VERSION, rules.length, fileNumbers.size, texts.length];
  for (const [index, word] of words.entries()) header.setUint32(index * 4, word, true);
  map.set(table.toBytes(), SOURCE_MAP_HEADER_BYTES);
  map.set(files.toBytes(), SOURCE_MAP_HEADER_BYTES + rules.length * SOURCE_RULE_BYTES);
  map.set(texts.bytes.subarray(0, texts.length), SOURCE_MAP_HEADER_BYTES + tables);
  return map;
}

/** What the rules' texts come to where they are ASCII; the pool grows where they are not. */
function textBytes(rules: readonly Rule[]): number {
  let bytes = 4096;
  for (const { text } of rules) bytes += text?.length ?? 0;
  return bytes;
}
