/** The switches that the core itself consults, as bits of the image header. */
import {
  SWITCH_ABSENT_NEVER_MATCHES,
  SWITCH_OVERLAP_DENIES,
  SWITCH_SAFE_PLACEHOLDERS,
  SWITCH_SEPARATOR_IN_PLACEHOLDER,
  SWITCH_SUBSCRIBE_CONTAINMENT,
} from "../../assembly/abi.ts";
import type { Switches } from "../config/compatibility.ts";

export function coreSwitches(switches: Switches): number {
  return (
    (switches.subscribe_containment ? SWITCH_SUBSCRIBE_CONTAINMENT : 0) |
    (switches.safe_placeholders ? SWITCH_SAFE_PLACEHOLDERS : 0) |
    (switches.absent_never_matches ? SWITCH_ABSENT_NEVER_MATCHES : 0) |
    (switches.separator_in_placeholder ? SWITCH_SEPARATOR_IN_PLACEHOLDER : 0) |
    (switches.overlap_denies ? SWITCH_OVERLAP_DENIES : 0)
  );
}
