/**
 * Look-ahead and look-behind of a fixed length, as tests of single bytes and positions around the one at
 * hand. Longer or open ones would have to search at every position, and are refused.
 *
 * Source: expressions §8.3.
 */
import { EMPTY, type RegexNode, type RepeatNode, sequence } from "./ast.ts";
import { byteSet } from "./byte-set.ts";
import { fixedLength } from "./length.ts";
import { positionTest, REGEX_AT } from "./positions.ts";

/** LIMIT: bytes looked at; also what PCRE2 lets a look-behind have. */
const LENGTH_MAX = 255;

export interface LookAround {
  readonly isAhead: boolean;
  readonly isNegative: boolean;
}

/** The look-around as position tests; undefined when it cannot be one. */
export function lookAround(body: RegexNode, kind: LookAround): RegexNode | undefined {
  const { isAhead, isNegative } = kind;
  // Branches may have lengths of their own; of groups in a positive one the rest would see the text.
  const branches = body.type === "alternation" ? body.branches : [body];
  const tests: RegexNode[] = [];
  for (const branch of branches) {
    const length = fixedLength(branch);
    if (length === undefined || length > LENGTH_MAX) return undefined;
    if (!isNegative && captures(branch)) return undefined;
    tests.push(testOf(branch, isAhead ? 0 : -length, isNegative));
  }
  return isNegative ? sequence(tests) : oneOf(tests);
}

/** Goes on where the node, which has a fixed length and captures nothing of interest, does not come next. */
export function notBefore(node: RegexNode): RegexNode | undefined {
  return lookAround(node, { isAhead: true, isNegative: true });
}

/**
 * Does the node, of fixed length, stand `shift` bytes further on? With `isNot`: does it not? (Not one
 * after the other is one of them not, and the reverse.)
 */
function testOf(node: RegexNode, shift: number, isNot: boolean): RegexNode {
  switch (node.type) {
    case "empty":
      return isNot ? NOWHERE : EMPTY;
    case "set":
      return { type: "assert", at: positionTest(REGEX_AT.before, { isNot, shift }), set: node.set };
    case "assert":
      return { ...node, at: positionTest(node.at, { isNot, shift }) };
    case "capture":
      return testOf(node.body, shift, isNot);
    case "alternation": {
      const tests = node.branches.map((branch) => testOf(branch, shift, isNot));
      return isNot ? sequence(tests) : oneOf(tests);
    }
    default: {
      const items = node.type === "sequence" ? node.items : copies(node);
      let at = shift;
      const tests = items.map((item) => {
        const test = testOf(item, at, isNot);
        at += fixedLength(item)!;
        return test;
      });
      return isNot ? oneOf(tests) : sequence(tests);
    }
  }
}

/** What is repeated, written out; once is enough for what takes no room. */
function copies({ body, min }: RepeatNode): readonly RegexNode[] {
  return new Array<RegexNode>(fixedLength(body) === 0 ? Math.min(min, 1) : min).fill(body);
}

const NOWHERE: RegexNode = { type: "set", set: byteSet() };

/** Whichever holds, what follows begins at the same place: their order does not matter. */
function oneOf(tests: readonly RegexNode[]): RegexNode {
  if (tests.length === 0) return NOWHERE;
  return tests.length === 1 ? tests[0]! : { type: "alternation", branches: tests };
}

function captures(node: RegexNode): boolean {
  switch (node.type) {
    case "capture":
      return true;
    case "sequence":
      return node.items.some(captures);
    case "alternation":
      return node.branches.some(captures);
    case "repeat":
      return captures(node.body);
    default:
      return false;
  }
}
