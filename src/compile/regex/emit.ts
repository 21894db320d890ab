/** Graph → program bytes. The layout is drawn in assembly/abi/regex.ts. */
import {
  REGEX_FLAG_ANCHORED,
  REGEX_FLAG_LITERAL,
  REGEX_HEADER_BYTES,
  REGEX_INSTRUCTION_BYTES,
  REGEX_MAGIC,
  REGEX_OP_ASSERT,
  REGEX_OP_BYTE,
  REGEX_OP_LOOP,
  REGEX_OP_MATCH,
  REGEX_OP_SAVE,
  REGEX_OP_SET,
  REGEX_OP_SPLIT,
  REGEX_SET_BYTES,
  REGEX_SETS_MAX,
  REGEX_WORK_BYTES_MAX,
} from "../../../assembly/abi.ts";
import { ByteWriter } from "../bytes.ts";
import { type Analysis, analyse, type First } from "./analyse.ts";
import { type ByteSet, setKey, singleByte } from "./byte-set.ts";
import type { Graph, State } from "./graph.ts";
import { refuse } from "./refusal.ts";

/** Bytes the parallel engine needs for a program; the verifier in assembly/ uses the same sum. */
function workBytes(instructions: number, groups: number): number {
  return instructions * (28 + 16 * (groups + 1));
}

/**
 * Writes the program. `required`: bytes every match contains. Throws RegexRefusal when a match could
 * need more than the working memory.
 */
export function emitProgram(
  graph: Graph,
  groups: number,
  required: readonly number[],
): Uint8Array<ArrayBuffer> {
  const { states, start } = graph;
  if (workBytes(states.length, groups) > REGEX_WORK_BYTES_MAX) {
    refuse(
      `${groups} groups are too many for a pattern of ${states.length} instructions`,
      0,
      "write (?:…) for groups whose text is not needed",
    );
  }
  const analysis = analyse(graph);
  const sets = new SetTable();
  const code = new ByteWriter(states.length * REGEX_INSTRUCTION_BYTES);
  // Sets are numbered while the instructions are written, but stand before them.
  const words = states.map((state) => encode(state, analysis, sets));
  const first = analysis.first[start.id];
  // The search for a beginning looks at bytes only.
  const firstOffset = first && !first.atEnd ? sets.offsetOf(first.set) : 0;
  const base = REGEX_HEADER_BYTES + sets.list.length * REGEX_SET_BYTES;
  if (sets.list.length > REGEX_SETS_MAX) refuse("the pattern has too many classes", 0);
  const address = (state: State): number => base + state.id * REGEX_INSTRUCTION_BYTES;
  for (const { op, arg, row, next, operand, nextFirst, operandFirst } of words) {
    code.u8(op).u8(arg).u16(row);
    code.u32(next ? address(next) : 0);
    code.u32(typeof operand === "number" ? operand : address(operand));
    code.u16(nextFirst).u16(operandFirst);
  }
  // Looking for the prefix finds what is in it as well.
  const literal = `,${analysis.prefix},`.includes(`,${required},`) ? [] : required;
  const out = new ByteWriter(base + code.length + analysis.prefix.length + literal.length + 8);
  out.u32(0).u32(REGEX_MAGIC).u32(states.length).u32(sets.list.length).u32(groups);
  out.u32(analysis.rowCount).u32(address(start));
  out.u32(
    (analysis.isAnchored ? REGEX_FLAG_ANCHORED : 0) | (analysis.isLiteral ? REGEX_FLAG_LITERAL : 0),
  );
  out.u32(firstOffset).u32(analysis.prefix.length);
  out.u32(Math.min(analysis.shortest, 0x7fffffff)).u32(literal.length);
  for (const set of sets.list) for (const word of set) out.u32(word);
  out.bytes(code.finish()).bytes(Uint8Array.from(analysis.prefix));
  out.bytes(Uint8Array.from(literal)).align(8);
  return out.patchU32(0, out.length).finish();
}

interface Words {
  readonly op: number;
  readonly arg: number;
  readonly row: number;
  readonly next: State | undefined;
  readonly operand: State | number;
  readonly nextFirst: number;
  readonly operandFirst: number;
}

function encode(state: State, { first, rows }: Analysis, sets: SetTable): Words {
  const words: Words = {
    op: REGEX_OP_MATCH,
    arg: 0,
    row: rows[state.id]!,
    next: state.next,
    operand: 0,
    nextFirst: 0,
    operandFirst: 0,
  };
  switch (state.op) {
    case "match":
      return words;
    case "set": {
      const byte = singleByte(state.set!);
      return byte >= 0
        ? { ...words, op: REGEX_OP_BYTE, arg: byte }
        : { ...words, op: REGEX_OP_SET, operand: sets.offsetOf(state.set!) };
    }
    case "loop":
      return {
        ...words,
        op: REGEX_OP_LOOP,
        operand: sets.offsetOf(state.set!),
        nextFirst: sets.firstWord(first[state.next!.id]),
      };
    case "split":
      return {
        ...words,
        op: REGEX_OP_SPLIT,
        operand: state.other!,
        nextFirst: sets.firstWord(first[state.next!.id]),
        operandFirst: sets.firstWord(first[state.other!.id]),
      };
    case "save":
      return { ...words, op: REGEX_OP_SAVE, operand: state.arg };
    case "assert": {
      const shift = state.arg >> 8;
      if (shift !== (shift << 16) >> 16) refuse("look-arounds nest too far", 0);
      return {
        ...words,
        op: REGEX_OP_ASSERT,
        arg: state.arg & 0xff,
        operand: state.set ? sets.offsetOf(state.set) : 0,
        nextFirst: shift & 0xffff,
      };
    }
  }
}

/** The distinct sets of a program. */
class SetTable {
  readonly list: ByteSet[] = [];
  readonly #offsets = new Map<string, number>();
  /** The same by object: counters written out repeat theirs. */
  readonly #known = new Map<ByteSet, number>();

  /** The instruction field for what can come first; 0 for anything. */
  firstWord(first: First | undefined): number {
    return first ? (this.offsetOf(first.set) >> 4) & (first.atEnd ? ~1 : ~0) : 0;
  }

  /** Offset of the set in the program. */
  offsetOf(set: ByteSet): number {
    let offset = this.#known.get(set);
    if (offset !== undefined) return offset;
    offset = this.#place(set);
    this.#known.set(set, offset);
    return offset;
  }

  #place(set: ByteSet): number {
    const key = setKey(set);
    const known = this.#offsets.get(key);
    if (known !== undefined) return known;
    const offset = REGEX_HEADER_BYTES + this.list.length * REGEX_SET_BYTES;
    this.#offsets.set(key, offset);
    this.list.push(set);
    return offset;
  }
}
