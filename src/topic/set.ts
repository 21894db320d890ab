/**
 * Filters as sets of topics: what two of them share, and whether one lies inside the other.
 * Both arguments may be topic names. Neither is validated.
 */
import { splitLevels } from "./text.ts";

/**
 * The filter that selects exactly the topics both select, or `undefined` when they share none.
 * Cost: one pass over the shorter of the two.
 *
 * @example intersectFilters("+/b/#", "t/+/1/+") // "t/b/1/+"
 */
export function intersectFilters(a: string, b: string): string | undefined {
  const left = splitLevels(a);
  const right = splitLevels(b);
  if (excludesSystemTopics(left, right) || excludesSystemTopics(right, left)) return undefined;
  const shared = intersectLevels(left, right);
  return shared?.join("/");
}

/** Does `outer` select every topic that `inner` selects? */
export function isFilterSubset(inner: string, outer: string): boolean {
  return intersectFilters(inner, outer) === inner;
}

/** A leading wildcard never selects topics that begin with `$` [MQTT5 4.7.2-1]. */
function excludesSystemTopics(wild: readonly string[], other: readonly string[]): boolean {
  return (wild[0] === "+" || wild[0] === "#") && (other[0] as string).startsWith("$");
}

function intersectLevels(left: readonly string[], right: readonly string[]): string[] | undefined {
  const shared: string[] = [];
  for (let at = 0; ; at++) {
    if (isRest(right, at)) return [...shared, ...left.slice(at)];
    if (isRest(left, at)) return [...shared, ...right.slice(at)];
    const a = left[at];
    const b = right[at];
    if (a === undefined || b === undefined) return a === b ? shared : undefined;
    if (a === b || b === "+") shared.push(a);
    else if (a === "+") shared.push(b);
    else return undefined;
  }
}

/** Is `#` all that is left? It takes any number of levels, none included. */
function isRest(levels: readonly string[], at: number): boolean {
  return levels[at] === "#" && at === levels.length - 1;
}
