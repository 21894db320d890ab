/** How long a match is, where that is known beforehand. */
import type { RegexNode } from "./ast.ts";

/** The number of bytes of every match; undefined when that depends. */
export function fixedLength(node: RegexNode): number | undefined {
  switch (node.type) {
    case "empty":
    case "assert":
      return 0;
    case "set":
      return 1;
    case "capture":
      return fixedLength(node.body);
    case "sequence":
      return node.items.reduce<number | undefined>((sum, item) => plus(sum, fixedLength(item)), 0);
    case "alternation": {
      const [first, ...others] = node.branches.map(fixedLength);
      return others.every((length) => length === first) ? first : undefined;
    }
    case "repeat": {
      const length = node.min === node.max ? fixedLength(node.body) : undefined;
      return length === undefined ? undefined : length * node.min;
    }
  }
}

function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
