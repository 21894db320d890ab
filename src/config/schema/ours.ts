/** Keys that EMQX 6.2 does not have. */
import type { Spec } from "./spec.ts";

/** `spec`, with a warning that EMQX 6.2 refuses a file where it is written. */
export function ours<V>(spec: Spec<V>): Spec<V> {
  return {
    ...spec,
    read(node, place) {
      const value = spec.read(node, place);
      if (value === undefined) return undefined;
      const key = place.path.slice(place.path.lastIndexOf(".") + 1);
      const message = `EMQX 6.2 knows no \`${key}\` and refuses the file`;
      place.load.issues.warning("WARN_CONFIG_EMQX_REFUSES", node.at, message, {
        path: place.path,
      });
      return value;
    },
  };
}
