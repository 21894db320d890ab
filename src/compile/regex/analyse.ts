/** Facts about a graph that let the engines skip work. None of them changes an answer. */
import { addSet, type ByteSet, isFullSet, singleByte } from "./byte-set.ts";
import type { Graph, State } from "./graph.ts";
import { REGEX_AT } from "./positions.ts";

/** The bytes a way can go on with; undefined when it can also end here, or with any byte. */
export type First = ByteSet | undefined;

export interface Analysis {
  /** By state id. */
  readonly first: readonly First[];
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

function firstSets({ states }: Graph): First[] {
  const first = new Array<First | null>(states.length).fill(null);
  const compute = (state: State): First => {
    if (state.op === "match") return undefined;
    if (state.op === "set") return isFullSet(state.set!) ? undefined : state.set;
    const next = first[state.next!.id] ?? undefined;
    if (state.op !== "loop" && state.op !== "split") return next;
    const more = state.op === "loop" ? state.set : (first[state.other!.id] ?? undefined);
    if (!next || !more) return undefined;
    const union = next.slice();
    addSet(union, more);
    return isFullSet(union) ? undefined : union;
  };
  // Depth first with an own stack: chains of options are as long as the program.
  for (const root of states) {
    const stack = [root];
    while (stack.length > 0) {
      const state = stack[stack.length - 1]!;
      const waiting = withoutByte(state).filter((next) => first[next.id] === null);
      if (first[state.id] !== null || waiting.length === 0) {
        if (first[state.id] === null) first[state.id] = compute(state);
        stack.pop();
      } else {
        stack.push(...waiting);
      }
    }
  }
  return first.map((set) => set ?? undefined);
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
