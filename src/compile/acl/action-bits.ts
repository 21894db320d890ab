/** The requests a rule speaks about, as bits. */
import { ACTION_SUBSCRIBE_QOS0 } from "../../../assembly/abi.ts";

export type ActionName = "publish" | "subscribe" | "all";

/**
 * The ACTION_… bits of assembly/abi/decisions.ts that an action with these options covers. `retain` says
 * nothing about subscribing.
 */
export function actionBits(
  action: ActionName,
  qos: ReadonlySet<number>,
  retain: boolean | "all",
): number {
  let bits = 0;
  for (const level of qos) {
    if (action !== "publish") bits |= ACTION_SUBSCRIBE_QOS0 << level;
    if (action === "subscribe") continue;
    if (retain !== true) bits |= 1 << (level * 2);
    if (retain !== false) bits |= 1 << (level * 2 + 1);
  }
  return bits;
}
