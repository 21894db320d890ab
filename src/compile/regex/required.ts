/** Literal bytes that every match must contain: a text without them needs no search. */
import type { RegexNode } from "./ast.ts";
import { singleByte } from "./byte-set.ts";

/** The longest run of literal bytes that stands in every match; empty when there is none. */
export function requiredLiteral(root: RegexNode): readonly number[] {
  let best: readonly number[] = [];
  let run: number[] = [];
  const endRun = (): void => {
    // Of equals the later one: a search looks for the beginning anyway.
    if (run.length >= best.length) best = run;
    run = [];
  };
  const walk = (node: RegexNode): void => {
    switch (node.type) {
      case "set": {
        const byte = singleByte(node.set);
        if (byte >= 0) run.push(byte);
        else endRun();
        return;
      }
      case "empty":
      case "assert":
        // Nothing is consumed, so what stands on either side is adjacent.
        return;
      case "sequence":
        node.items.forEach(walk);
        return;
      case "capture":
        walk(node.body);
        return;
      case "alternation":
        endRun();
        return;
      case "repeat":
        endRun();
        if (node.min > 0) walk(node.body);
        endRun();
        return;
    }
  };
  walk(root);
  endRun();
  return best;
}
