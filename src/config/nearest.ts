/** The word an operator probably meant. */

/**
 * The candidate closest to `word`, or `undefined` when none is close enough to be worth a hint: at
 * most one edit for every three characters, letter case aside. Of equals the first wins.
 *
 * @example nearest("usernmae", ["username", "clientid"]) // "username"
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance >= bestDistance || distance >= candidate.length) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      let least = Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1);
      const isSwap =
        row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) least = Math.min(least, beforePrevious[column - 2]! + 1);
      current.push(least);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}

/** Lists of valid words up to this length are shown. */
const SHOWN_MAX = 14;

/**
 * A hint for a word that is not among `valid`: the nearest one, and all of them when they are few.
 * Undefined when there is nothing to say.
 */
export function spellingHint(word: string, valid: readonly string[]): string | undefined {
  const isStart = (one: string): boolean => word.length > 2 && one.startsWith(`${word}_`);
  const guess = nearest(word, valid) ?? valid.find(isStart);
  const parts: string[] = [];
  if (guess !== undefined) parts.push(`did you mean \`${guess}\`?`);
  if (valid.length > 0 && valid.length <= SHOWN_MAX) {
    parts.push(`valid here: ${valid.map((one) => `\`${one}\``).join(", ")}`);
  }
  return parts.join(" ") || undefined;
}
