/** Keys of every authenticator. Source: authentication §3.1. */
import type { AuthenticatorConfig, OnFailure } from "../config.ts";
import type { HoconObject } from "../hocon/index.ts";
import { type Keys, key, optional, required } from "./keys.ts";
import { ours } from "./ours.ts";
import { boolean, located, oneOf, scalarText, text } from "./spec.ts";

const ON_FAILURE: readonly OnFailure[] = ["deny", "ignore"];

export const COMMON_KEYS = {
  mechanism: required(text(), "what checks the client"),
  enable: key(boolean(), true, "a disabled authenticator is skipped"),
  precondition: optional(
    located("an expression", { mayBeEmpty: true }),
    "the authenticator is asked only where this is `true`",
  ),
  on_failure: optional(
    ours(oneOf(ON_FAILURE)),
    "what becomes of a client when the authenticator fails",
  ),
} satisfies Keys;

/**
 * The authenticator with what every one can have beyond its own keys; `node` has been read and found
 * good. Done for all of them in one place, so that no kind of authenticator can forget it.
 */
export function withCommon<C extends AuthenticatorConfig>(config: C, node: HoconObject): C {
  const written = node.members.get("on_failure")?.value;
  const word = written && scalarText(written);
  const value = ON_FAILURE.find((one) => one === word);
  return value === undefined ? config : { ...config, onFailure: value };
}
