/** What a SUBSCRIBE filter asks for once `$share/`, `$queue/` and `$exclusive/` are taken off. */
import type { Text } from "../types.ts";
import { restoreText, splitLevels, viewTopic } from "./text.ts";
import { isWildcardLevel } from "./validate.ts";

export interface ParsedFilter {
  /** The filter that is subscribed to. */
  readonly filter: Text;
  /** Group of a shared subscription; `$queue` for `$queue/…`. */
  readonly shareGroup?: Text | undefined;
  readonly isExclusive: boolean;
}

export type FilterParse =
  | { readonly ok: true; readonly parsed: ParsedFilter }
  | { readonly ok: false; readonly error: "invalid_topic_filter" };

export interface FilterParseOptions {
  /** Is `$queue/F` shorthand for `$share/$queue/F`? Default true. */
  readonly queueAlias?: boolean | undefined;
}

const INVALID: FilterParse = { ok: false, error: "invalid_topic_filter" };

/**
 * Splits a requested filter into group, options and the filter proper. Prefixes are taken off once,
 * not recursively: `$exclusive/$share/g/F` is the ordinary filter `$share/g/F`, held exclusively,
 * and a prefix inside a group is refused. Does not validate what is left (validateParsedFilter).
 *
 * Source: authorization §1.4.
 *
 * @example parseTopicFilter("$share/g/t/#") // { ok: true, parsed: { filter: "t/#", shareGroup: "g" … } }
 */
export function parseTopicFilter(requested: Text, options: FilterParseOptions = {}): FilterParse {
  const view = viewTopic(requested);
  const text = view.string;
  const restore = (part: string): Text => restoreText(part, view, requested);

  if (text.startsWith("$queue/") && options.queueAlias !== false) {
    return share("$queue", text.slice("$queue/".length), restore);
  }
  if (text.startsWith("$share/")) {
    const rest = text.slice("$share/".length);
    const slash = rest.indexOf("/");
    if (slash === -1) return INVALID;
    const group = rest.slice(0, slash);
    return /[+#]/.test(group) ? INVALID : share(group, rest.slice(slash + 1), restore);
  }
  if (text.startsWith("$exclusive/")) {
    const filter = text.slice("$exclusive/".length);
    if (filter === "") return INVALID;
    return { ok: true, parsed: { filter: restore(filter), isExclusive: true } };
  }
  return { ok: true, parsed: { filter: requested, isExclusive: false } };
}

/** Does any level of the raw text (prefixes included) consist of a wildcard? */
export function hasWildcard(filter: Text): boolean {
  return splitLevels(viewTopic(filter).string).some(isWildcardLevel);
}

/** Number of levels of a topic name or filter: separators plus one. */
export function countLevels(topic: Text): number {
  return splitLevels(viewTopic(topic).string).length;
}

function share(group: string, filter: string, restore: (part: string) => Text): FilterParse {
  if (/^\$(share|queue)\//.test(filter)) return INVALID;
  const parsed = { filter: restore(filter), shareGroup: restore(group), isExclusive: false };
  return { ok: true, parsed };
}
