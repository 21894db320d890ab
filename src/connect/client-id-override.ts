/** `mqtt.clientid_override`. Source: authentication §1.4 step 6; expressions §6.1, §8.2 item 8. */
import { TOPIC_BYTES_MAX } from "../../assembly/abi.ts";
import { evaluateToBytes, slotsRead } from "../core/expressions.ts";
import { encodeRequest, type RequestFields } from "../core/request.ts";
import type { CoreMemory } from "../core/wasm.ts";
import { describeError } from "../observe/trace.ts";
import type { Text } from "../types.ts";
import { attributeText } from "./client-attrs.ts";

export type OverrideResult =
  | { readonly clientId: Text }
  /** Why the id stays as it is. */
  | { readonly kept: string };

/** The id the expression gives. With `isChecked` it has to be usable as one. */
export function overrideClientId(
  memory: CoreMemory,
  program: number,
  fields: RequestFields,
  isChecked: boolean,
): OverrideResult {
  encodeRequest(memory, fields, slotsRead(memory, [program]));
  const result = evaluateToBytes(memory, program);
  if (!(result instanceof Uint8Array)) return { kept: describeError(result) };
  if (result.length === 0) return { kept: "the result is empty" };
  const text = attributeText(result);
  if (!isChecked) return { clientId: text ?? result.slice() };
  if (text === undefined) return { kept: "the result has control characters or is not UTF-8" };
  if (result.length > TOPIC_BYTES_MAX) return { kept: "the result is too long" };
  return { clientId: text };
}
