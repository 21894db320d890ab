/**
 * Syntax tree → graph of states, in leftmost-first order: the first successor of a split is the one
 * a backtracking engine would try first.
 *
 * PCRE2 ends a loop after an iteration that matched the empty string. For that to hold in a graph
 * without counters, a state inside a loop whose body can be empty exists once per *level*: how many
 * of the enclosing such loops, from the outside, have consumed something in their current
 * iteration. (An outer iteration began before an inner one, so progress of an inner loop is
 * progress of all outer ones, and levels are enough.) Consequences that the engines rely on:
 *
 * INVARIANT: no cycle of states without a byte consumed. A state that failed at a position fails
 * there whatever way it is reached.
 */
import { REGEX_PROGRAM_MAX } from "../../../assembly/abi.ts";
import type { RegexNode, RepeatNode } from "./ast.ts";
import type { ByteSet } from "./byte-set.ts";
import { refuse } from "./refusal.ts";

/** A state; successors are other states. `match` has none, only `split` has two. */
export interface State {
  readonly id: number;
  readonly op: "match" | "set" | "loop" | "split" | "save" | "assert";
  /** set: after the byte. loop: after as many bytes of the set as there are, or fewer. */
  next: State | undefined;
  /** split: the second choice. */
  other: State | undefined;
  /** set, loop, and an assert of REGEX_AT_BEFORE. */
  readonly set: ByteSet | undefined;
  /** save: the slot. assert: see positionTest. */
  readonly arg: number;
}

export interface Graph {
  readonly start: State;
  /** By id. */
  readonly states: readonly State[];
}

/** One place of the tree after counted repetitions are written out. */
interface Place {
  readonly node: RegexNode;
  readonly parent: Place | undefined;
  /** Position among the parent's children. */
  readonly index: number;
  /** Enclosing loops whose body can be empty. */
  readonly depth: number;
  children: Place[];
  /** How a repetition is written out: its last child loops, or its children are optional in turn. */
  kind: "plain" | "star" | "plus" | "optional";
  lazy: boolean;
  isNullableLoop: boolean;
  /** States by role and level, made on first use. */
  readonly states: Map<string, State>;
}

/** Places per pattern; empty groups inside counters make places without states. */
const PLACES_MAX = 4 * REGEX_PROGRAM_MAX;

/** Builds the graph. Throws RegexRefusal past REGEX_PROGRAM_MAX states. */
export function buildGraph(root: RegexNode): Graph {
  const builder = new GraphBuilder();
  const start = builder.build(root);
  return { start, states: builder.states };
}

class GraphBuilder {
  readonly states: State[] = [];
  readonly #pending: (() => void)[] = [];
  readonly #match: State;
  #places = 0;

  constructor() {
    this.#match = this.#state("match", undefined, 0);
  }

  build(root: RegexNode): State {
    const start = this.#enter(this.#place(root, undefined, 0, 0), 0);
    // Successors are found one at a time: a long pattern must not become a deep recursion.
    for (let work = this.#pending.pop(); work; work = this.#pending.pop()) work();
    return start;
  }

  #state(op: State["op"], set: ByteSet | undefined, arg: number): State {
    if (this.states.length >= REGEX_PROGRAM_MAX) refuseSize();
    const state: State = {
      id: this.states.length,
      op,
      next: undefined,
      other: undefined,
      set,
      arg,
    };
    this.states.push(state);
    return state;
  }

  #place(node: RegexNode, parent: Place | undefined, index: number, depth: number): Place {
    this.#places += 1;
    if (this.#places > PLACES_MAX) refuseSize();
    const place: Place = {
      node,
      parent,
      index,
      depth,
      children: [],
      kind: "plain",
      lazy: false,
      isNullableLoop: false,
      states: new Map(),
    };
    switch (node.type) {
      case "sequence":
        place.children = node.items.map((item, i) => this.#place(item, place, i, depth));
        break;
      case "alternation":
        place.children = node.branches.map((branch, i) => this.#place(branch, place, i, depth));
        break;
      case "capture":
        place.children = [this.#place(node.body, place, 0, depth)];
        break;
      case "repeat":
        this.#placeRepeat(place, node);
        break;
    }
    return place;
  }

  /**
   * `x{n,m}` is n times x, then m - n nested options; `x{n,}` is n - 1 times x, then `x+`; both as
   * PCRE2 does it, which decides what an empty iteration ends.
   */
  #placeRepeat(place: Place, { body, min, max, lazy }: RepeatNode): void {
    const { depth } = place;
    place.lazy = lazy;
    if (max !== Number.POSITIVE_INFINITY) {
      if (min > 0) {
        // The fixed part and the optional rest, as a sequence of their own.
        const fixed = Array.from({ length: min }, (_, i) => this.#place(body, place, i, depth));
        place.children = fixed;
        if (max > min) {
          const rest: RepeatNode = { type: "repeat", body, min: 0, max: max - min, lazy };
          place.children.push(this.#place(rest, place, min, depth));
        }
        return;
      }
      place.kind = "optional";
      place.children = Array.from({ length: max }, (_, i) => this.#place(body, place, i, depth));
      return;
    }
    if (min > 1) {
      place.children = Array.from({ length: min - 1 }, (_, i) =>
        this.#place(body, place, i, depth),
      );
      const rest: RepeatNode = { type: "repeat", body, min: 1, max, lazy };
      place.children.push(this.#place(rest, place, min - 1, depth));
      return;
    }
    place.kind = min === 0 ? "star" : "plus";
    place.isNullableLoop = isNullable(body);
    place.children = [this.#place(body, place, 0, place.isNullableLoop ? depth + 1 : depth)];
  }

  /** The state in which matching of this place begins. */
  #enter(place: Place, level: number): State {
    const { node, kind } = place;
    switch (node.type) {
      case "empty":
        return this.#leave(place, level);
      case "set":
        return this.#shared(place, "", place.depth, "set", node.set, 0, (state) => {
          state.next = this.#leave(place, place.depth);
        });
      case "assert":
        return this.#shared(place, "", level, "assert", node.set, node.at, (state) => {
          state.next = this.#leave(place, level);
        });
      case "capture":
        return this.#shared(place, "", level, "save", undefined, node.group * 2, (state) => {
          state.next = this.#enter(place.children[0]!, level);
        });
      case "alternation":
        return this.#branchesFrom(place, 0, level);
      default:
        if (kind === "optional") return this.#optionsFrom(place, 0, level);
        if (kind === "star") return this.#star(place, level);
        return place.children.length > 0
          ? this.#enter(place.children[0]!, level)
          : this.#leave(place, level);
    }
  }

  /** The state that follows this place. */
  #leave(place: Place, level: number): State {
    let here = place;
    for (;;) {
      const parent = here.parent;
      if (!parent) return this.#match;
      const { node, kind } = parent;
      if (node.type === "capture") return this.#close(parent, node.group, level);
      if (node.type !== "alternation") {
        const next = here.index + 1;
        if (kind === "star" || kind === "plus") {
          // An iteration that consumed nothing ends its loop.
          const isDone = parent.isNullableLoop && level <= parent.depth;
          if (!isDone) return this.#again(parent);
        } else if (next < parent.children.length) {
          return kind === "optional"
            ? this.#optionsFrom(parent, next, level)
            : this.#enter(parent.children[next]!, level);
        }
      }
      here = parent;
    }
  }

  #close(place: Place, group: number, level: number): State {
    return this.#shared(place, "close", level, "save", undefined, group * 2 + 1, (state) => {
      state.next = this.#leave(place, level);
    });
  }

  /** Branch `index` of an alternation, or a later one. */
  #branchesFrom(place: Place, index: number, level: number): State {
    const branch = place.children[index]!;
    if (index === place.children.length - 1) return this.#enter(branch, level);
    return this.#shared(place, `branch ${index}`, level, "split", undefined, 0, (state) => {
      state.next = this.#enter(branch, level);
      state.other = this.#branchesFrom(place, index + 1, level);
    });
  }

  /** Option `index` of `x{0,n}` and those after it, or none of them. */
  #optionsFrom(place: Place, index: number, level: number): State {
    return this.#shared(place, `option ${index}`, level, "split", undefined, 0, (state) => {
      const more = this.#enter(place.children[index]!, level);
      const done = this.#leave(place, level);
      state.next = place.lazy ? done : more;
      state.other = place.lazy ? more : done;
    });
  }

  #star(place: Place, level: number): State {
    const body = place.children[0]!;
    const set = body.node.type === "set" ? body.node.set : undefined;
    if (set && !place.lazy && level === place.depth) return this.#byteLoop(place, set);
    return this.#choice(place, level);
  }

  /** After an iteration that consumed something: another one, or on. */
  #again(place: Place): State {
    const body = place.children[0]!;
    const set = body.node.type === "set" ? body.node.set : undefined;
    return set && !place.lazy ? this.#byteLoop(place, set) : this.#choice(place, place.depth);
  }

  #byteLoop(place: Place, set: ByteSet): State {
    return this.#shared(place, "loop", place.depth, "loop", set, 0, (state) => {
      state.next = this.#leave(place, place.depth);
    });
  }

  #choice(place: Place, level: number): State {
    return this.#shared(place, "again", level, "split", undefined, 0, (state) => {
      const more = this.#enter(place.children[0]!, level);
      const done = this.#leave(place, level);
      state.next = place.lazy ? done : more;
      state.other = place.lazy ? more : done;
    });
  }

  /** The state of a place in a role at a level; `fill` runs later, once. */
  #shared(
    place: Place,
    role: string,
    level: number,
    op: State["op"],
    set: ByteSet | undefined,
    arg: number,
    fill: (state: State) => void,
  ): State {
    const key = `${role} ${level}`;
    const known = place.states.get(key);
    if (known) return known;
    const state = this.#state(op, set, arg);
    place.states.set(key, state);
    this.#pending.push(() => fill(state));
    return state;
  }
}

function refuseSize(): never {
  return refuse(
    `the pattern needs more than ${REGEX_PROGRAM_MAX} instructions`,
    0,
    "use smaller counters in {n,m}",
  );
}

/** Can the node match without consuming a byte? */
function isNullable(node: RegexNode): boolean {
  switch (node.type) {
    case "set":
      return false;
    case "empty":
    case "assert":
      return true;
    case "sequence":
      return node.items.every(isNullable);
    case "alternation":
      return node.branches.some(isNullable);
    case "capture":
      return isNullable(node.body);
    case "repeat":
      return node.min === 0 || isNullable(node.body);
  }
}
