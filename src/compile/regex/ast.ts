/** Regular expressions as data: what the parser produces and the compiler consumes. */
import type { ByteSet } from "./byte-set.ts";

/** A position test: see positionTest. */
export type Assertion = number;

export type RegexNode =
  | { readonly type: "empty" }
  /** Consumes one byte of the set. An empty set never matches. */
  | { readonly type: "set"; readonly set: ByteSet }
  | {
      readonly type: "assert";
      readonly at: Assertion;
      /** For REGEX_AT_BEFORE. */
      readonly set?: ByteSet;
    }
  | { readonly type: "sequence"; readonly items: readonly RegexNode[] }
  /** Earlier branches are preferred. */
  | { readonly type: "alternation"; readonly branches: readonly RegexNode[] }
  /** A capture group; groups count from 1 in the order of their opening parentheses. */
  | { readonly type: "capture"; readonly group: number; readonly body: RegexNode }
  | RepeatNode;

export interface RepeatNode {
  readonly type: "repeat";
  readonly body: RegexNode;
  readonly min: number;
  /** Infinity: no upper bound. */
  readonly max: number;
  /** Tries fewer repetitions first. */
  readonly lazy: boolean;
}

export const EMPTY: RegexNode = { type: "empty" };

/** The nodes one after the other, flattened, without the empty ones. */
export function sequence(nodes: readonly RegexNode[]): RegexNode {
  const items: RegexNode[] = [];
  for (const node of nodes) {
    if (node.type === "sequence") items.push(...node.items);
    else if (node.type !== "empty") items.push(node);
  }
  return items.length === 0 ? EMPTY : items.length === 1 ? items[0]! : { type: "sequence", items };
}
