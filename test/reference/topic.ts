/** Plain reference: filters against topics, filters against filters. Texts are byte strings. */

export function levelsOf(text: string): string[] {
  return text.split("/");
}

/**
 * Does `filter` select `topic`? The topic may itself be a requested filter: its `+` and `#` are then
 * ordinary levels. Source: authorization §1.3.
 */
export function topicMatches(filter: string, topic: string): boolean {
  const f = levelsOf(filter);
  const t = levelsOf(topic);
  if (isWildcard(f[0]) && t[0]?.startsWith("$")) return false;
  return matchLevels(f, t);
}

function matchLevels(filter: string[], topic: string[]): boolean {
  const [f, ...filterRest] = filter;
  const [t, ...topicRest] = topic;
  if (f === "#" && filterRest.length === 0) return true;
  if (f === undefined || t === undefined) return f === t;
  return (f === t || f === "+") && matchLevels(filterRest, topicRest);
}

/**
 * Is every topic that the `requested` filter selects also selected by `filter`?
 * Source: authorization §9, containment.
 */
export function filterContains(filter: string, requested: string): boolean {
  const f = levelsOf(filter);
  const r = levelsOf(requested);
  if (isWildcard(f[0]) && r[0]?.startsWith("$")) return false;
  // Both mean every topic that does not begin with `$`.
  if (requested === "#" && filter === "+/#") return true;
  return containLevels(f, r);
}

function containLevels(filter: string[], requested: string[]): boolean {
  const [f, ...filterRest] = filter;
  const [r, ...requestedRest] = requested;
  if (f === "#" && filterRest.length === 0) return true;
  if (r === "#" && requestedRest.length === 0) return false;
  if (f === undefined || r === undefined) return f === r;
  return (f === r || f === "+") && containLevels(filterRest, requestedRest);
}

/** Is there a topic that both filters select? Source: authorization §9, overlap. */
export function filtersOverlap(a: string, b: string): boolean {
  const [left, right] = [levelsOf(a), levelsOf(b)];
  if (isWildcard(left[0]) && right[0]?.startsWith("$")) return false;
  if (isWildcard(right[0]) && left[0]?.startsWith("$")) return false;
  return overlapLevels(left, right);
}

function overlapLevels(a: string[], b: string[]): boolean {
  const [left, ...leftRest] = a;
  const [right, ...rightRest] = b;
  if (left === "#" && leftRest.length === 0) return true;
  if (right === "#" && rightRest.length === 0) return true;
  if (left === undefined || right === undefined) return left === right;
  const share = left === right || left === "+" || right === "+";
  return share && overlapLevels(leftRest, rightRest);
}

function isWildcard(level: string | undefined): boolean {
  return level === "+" || level === "#";
}
