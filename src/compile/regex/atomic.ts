/**
 * Atomic groups and possessive quantifiers, where something that goes back says the same. What has a
 * fixed length is as good matched one way as another, and ends at the same place.
 *
 * Source: expressions §8.3.
 */
import { EMPTY, type RegexNode, sequence } from "./ast.ts";
import { fixedLength } from "./length.ts";
import { notBefore } from "./look-around.ts";

/**
 * An atomic group; undefined when giving back could change an answer. It could not for what has a fixed
 * length, then perhaps a repetition of such; nor for a choice of those.
 */
export function atomic(body: RegexNode): RegexNode | undefined {
  if (fixedLength(body) !== undefined) return body;
  if (body.type === "alternation") return firstOf(body.branches);
  const items = body.type === "sequence" ? body.items : [body];
  const last = items.at(-1)!;
  if (last.type !== "repeat" || last.lazy) return undefined;
  if (items.slice(0, -1).some((item) => fixedLength(item) === undefined)) return undefined;
  const end = possessive(last.body, last);
  return end && sequence([...items.slice(0, -1), end]);
}

/** LIMIT: branches each of which is behind the tests of all before. */
const BRANCHES_MAX = 64;

/** The first branch that fits, no other: each behind tests that those before do not. */
function firstOf(branches: readonly RegexNode[]): RegexNode | undefined {
  if (branches.length > BRANCHES_MAX) return undefined;
  const tests: RegexNode[] = [];
  const tested: RegexNode[] = [];
  for (const branch of branches) {
    if (fixedLength(branch) === undefined) return undefined;
    tested.push(sequence([...tests, branch]));
    const test = notBefore(branch);
    if (!test) return undefined;
    tests.push(test);
  }
  return { type: "alternation", branches: tested };
}

/** `x*+` and its like; undefined when `x` can have several lengths. */
export function possessive(
  body: RegexNode,
  { min, max }: { readonly min: number; readonly max: number },
): RegexNode | undefined {
  if (max === 0 || body.type === "empty") return EMPTY;
  const length = fixedLength(body);
  if (length === undefined) return undefined;
  const repeat = (low: number, high: number): RegexNode =>
    high === 0 ? EMPTY : { type: "repeat", body, min: low, max: high, lazy: false };
  if (min === max) return repeat(min, max);
  // As many as there are: either as many as may be, or fewer and then no other one.
  const test = length > 0 ? notBefore(body) : undefined;
  if (!test) return undefined;
  const fewer = sequence([repeat(min, max - 1), test]);
  if (max === Number.POSITIVE_INFINITY) return fewer;
  return { type: "alternation", branches: [repeat(max, max), fewer] };
}
