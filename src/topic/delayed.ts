/** `$delayed/<seconds>/<topic>`: what is authorized is the topic inside. */
import type { Text } from "../types.ts";
import { restoreText, viewTopic } from "./text.ts";

const PREFIX = "$delayed/";

/**
 * The topic whose authorization decides for `topic`: every leading `$delayed/<anything>/` is taken
 * off. `undefined` when the part after `$delayed/` has no separator; such a request is denied
 * without asking anything, superusers included.
 *
 * Source: authorization §1.6.
 *
 * @example splitDelayed("$delayed/5/$delayed/9/a/b") // "a/b"
 */
export function splitDelayed(topic: Text): Text | undefined {
  const view = viewTopic(topic);
  let rest = view.string;
  while (rest.startsWith(PREFIX)) {
    const slash = rest.indexOf("/", PREFIX.length);
    if (slash === -1) return undefined;
    rest = rest.slice(slash + 1);
  }
  return rest === view.string ? topic : restoreText(rest, view, topic);
}
