/** Facts about a graph that let the engines skip work. None of them changes an answer. */
import { REGEX_AT_NOT } from "../../../assembly/abi.ts";
import {
  ANY_BYTE,
  addSet,
  type ByteSet,
  byteSet,
  common,
  complement,
  hasByte,
  isFullSet,
  LINE_FEED,
  singleByte,
} from "./byte-set.ts";
import type { Graph, State } from "./graph.ts";
import { REGEX_AT } from "./positions.ts";

/** What can stand where a way begins, if it is to lead to a match; undefined when anything can. */
export interface First {
  /** The next byte. */
  readonly set: ByteSet;
  /** Or nothing: the end of the subject. */
  readonly atEnd: boolean;
}

export interface Analysis {
  /** By state id. */
  readonly first: readonly (First | undefined)[];
  /** By state id: the number of its visited bit from 1, 0 for none. */
  readonly rows: readonly number[];
  readonly rowCount: number;
  /** Literal bytes every match begins with. */
  readonly prefix: readonly number[];
  /** The prefix is the whole pattern and nothing is captured. */
  readonly isLiteral: boolean;
  /** Every match begins at the subject's start. */
  readonly isAnchored: boolean;
  /** Bytes of the shortest match; Infinity when there is none. */
  readonly shortest: number;
}

export function analyse(graph: Graph): Analysis {
  const { rows, rowCount } = numberRows(graph);
  return {
    first: firstSets(graph),
    rows,
    rowCount,
    ...literalPrefix(graph),
    isAnchored: isAnchored(graph),
    shortest: shortestMatch(graph),
  };
}

/**
 * A state needs a visited bit if more than one way leads to it: every other state is then entered
 * at most as often as the one before it, which makes backtracking linear.
 */
function numberRows({ start, states }: Graph): { rows: number[]; rowCount: number } {
  const ways = new Array<number>(states.length).fill(0);
  const count = (state: State | undefined): void => {
    if (state) ways[state.id]! += 1;
  };
  count(start);
  for (const state of states) {
    count(state.next);
    count(state.other);
    if (state.op === "loop") count(state);
  }
  let rowCount = 0;
  const rows = states.map(({ id, op }) => (op !== "match" && ways[id]! > 1 ? ++rowCount : 0));
  return { rows, rowCount };
}

const ANYTHING: First = { set: ANY_BYTE, atEnd: true };
const NOTHING: First = { set: byteSet(), atEnd: false };

function firstSets({ states }: Graph): (First | undefined)[] {
  const first = new Array<First | undefined>(states.length).fill(undefined);
  const compute = (state: State): First => {
    const next = state.next ? (first[state.next.id] ?? NOTHING) : ANYTHING;
    switch (state.op) {
      case "set":
        return { set: state.set!, atEnd: false };
      case "loop":
        return either({ set: state.set!, atEnd: false }, next);
      case "split":
        return either(next, first[state.other!.id] ?? NOTHING);
      case "assert":
        return where(state, next);
      default:
        return next;
    }
  };
  // Depth first with an own stack: chains of options are as long as the program.
  for (const root of states) {
    const stack = [root];
    while (stack.length > 0) {
      const state = stack[stack.length - 1]!;
      const waiting = withoutByte(state).filter((next) => !first[next.id]);
      if (first[state.id] || waiting.length === 0) {
        first[state.id] ??= compute(state);
        stack.pop();
      } else {
        stack.push(...waiting);
      }
    }
  }
  return first.map((item) => (item?.atEnd && isFullSet(item.set) ? undefined : item));
}

function either(a: First, b: First): First {
  const set = a.set.slice();
  addSet(set, b.set);
  return { set, atEnd: a.atEnd || b.atEnd };
}

/** What a position test leaves of what can follow it. */
function where({ arg, set }: State, next: First): First {
  switch (arg) {
    case REGEX_AT.end:
      return { set: NOTHING.set, atEnd: next.atEnd };
    case REGEX_AT.lastLineEnd:
    case REGEX_AT.lineEnd:
      return {
        set: hasByte(next.set, LINE_FEED) ? byteSet(LINE_FEED) : NOTHING.set,
        atEnd: next.atEnd,
      };
    case REGEX_AT.before:
      return { set: common(next.set, set!), atEnd: false };
    case REGEX_AT.before + REGEX_AT_NOT:
      return { set: common(next.set, complement(set!)), atEnd: next.atEnd };
    default:
      return next;
  }
}

/** The successors that no byte stands between. */
function withoutByte({ op, next, other }: State): State[] {
  if (op === "match" || op === "set") return [];
  return other ? [next!, other] : [next!];
}

function literalPrefix({ start }: Graph): { prefix: number[]; isLiteral: boolean } {
  const prefix: number[] = [];
  let isLiteral = true;
  let state = start;
  for (;;) {
    if (state.op === "save") {
      isLiteral = false;
    } else if (state.op === "set" && singleByte(state.set!) >= 0) {
      prefix.push(singleByte(state.set!));
    } else {
      return { prefix, isLiteral: isLiteral && state.op === "match" && prefix.length > 0 };
    }
    state = state.next!;
  }
}

function isAnchored({ start }: Graph): boolean {
  const seen = new Set<State>();
  const stack = [start];
  for (let state = stack.pop(); state; state = stack.pop()) {
    if (seen.has(state)) continue;
    seen.add(state);
    if (state.op === "assert" && state.arg === REGEX_AT.start) continue;
    if (state.op === "match" || state.op === "set" || state.op === "loop") return false;
    stack.push(...withoutByte(state));
  }
  return true;
}

function shortestMatch({ start, states }: Graph): number {
  const distance = new Array<number>(states.length).fill(Number.POSITIVE_INFINITY);
  distance[start.id] = 0;
  let here = [start];
  for (let bytes = 0; here.length > 0; bytes++) {
    const later: State[] = [];
    for (let state = here.pop(); state; state = here.pop()) {
      if (state.op === "match") return bytes;
      const isByte = state.op === "set";
      for (const next of isByte ? [state.next!] : withoutByte(state)) {
        const length = isByte ? bytes + 1 : bytes;
        if (length >= distance[next.id]!) continue;
        distance[next.id] = length;
        (isByte ? later : here).push(next);
      }
    }
    here = later;
  }
  return Number.POSITIVE_INFINITY;
}
