import { describe, expect, it } from "vitest";
import { ENTRY_SOURCE_MAP, SOURCE_MAP_HEADER_BYTES } from "../../assembly/abi.ts";
import { packImage } from "../../src/compile/image.ts";
import type { Rule } from "../../src/compile/rule/ast.ts";
import { compileSourceMap } from "../../src/compile/source-map.ts";
import { RuleReferences } from "../../src/rule-references.ts";

const BARE: Rule = { permission: "allow", who: { type: "all" }, actions: 1, topics: "all" };
const RULES: readonly Rule[] = [
  { ...BARE, at: { file: "acl.conf", line: 1, column: 1 }, text: "{allow, all}" },
  { ...BARE, at: { file: "blåbär.conf", line: 70_000, column: 3 }, text: '{deny, "\u{1f512}"}' },
  { ...BARE, at: { file: "acl.conf", line: 9, column: 2 }, text: "\ufeff{allow}" },
  BARE,
];
const NOWHERE = { at: { file: "", line: 0, column: 0 }, text: "" };

function references(map: Uint8Array): RuleReferences {
  return new RuleReferences(packImage([{ kind: ENTRY_SOURCE_MAP, id: 0, blob: map }], 0));
}

describe("the places of rules", () => {
  it("come back as they were compiled, each with its file", () => {
    const read = references(compileSourceMap(RULES));
    for (const [index, { at, text }] of RULES.slice(0, 3).entries()) {
      expect(read.get(index)).toEqual({ number: index + 1, at, text });
    }
    expect(read.get(3)).toEqual({ number: 4, ...NOWHERE });
  });

  it("are empty for a rule that is not there", () => {
    const read = references(compileSourceMap(RULES));
    expect(read.get(4)).toEqual({ number: 5, ...NOWHERE });
    expect(read.get(-1)).toEqual({ number: 0, ...NOWHERE });
    expect(references(compileSourceMap([])).get(0)).toEqual({ number: 1, ...NOWHERE });
  });

  it("are empty without a source map, and for one of another version or length", () => {
    const map = compileSourceMap(RULES);
    expect(new RuleReferences(packImage([], 0)).get(0)).toEqual({ number: 1, ...NOWHERE });
    const other = map.slice();
    other[0] = 2;
    const longer = new Uint8Array(map.length + 1);
    longer.set(map);
    for (const bytes of [other, longer, map.slice(0, -1), map.slice(0, 15)]) {
      expect(references(bytes).get(0)).toEqual({ number: 1, ...NOWHERE });
    }
  });

  it("lose only the text that lies outside, and only the file that there is none of", () => {
    const map = compileSourceMap(RULES);
    const view = new DataView(map.buffer);
    view.setUint32(SOURCE_MAP_HEADER_BYTES, 0xffffffff, true);
    view.setUint32(SOURCE_MAP_HEADER_BYTES + 20 + 16, 3, true);
    const read = references(map);
    expect(read.get(0)).toEqual({ number: 1, at: RULES[0]!.at, text: "" });
    expect(read.get(1).at).toEqual({ file: "", line: 70_000, column: 3 });
    expect(read.get(1).text).toBe(RULES[1]!.text);
    expect(read.get(2).text).toBe(RULES[2]!.text);
  });
});
