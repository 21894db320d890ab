/** Keys of every authenticator. Source: authentication §3.1. */
import type { AuthenticatorConfig, OnFailure } from "../config.ts";
import type { HoconObject } from "../hocon/index.ts";
import { type Keys, key, optional, required } from "./keys.ts";
import { boolean, located, oneOf, type Spec, scalarText, text } from "./spec.ts";

const ON_FAILURE: readonly OnFailure[] = ["deny", "ignore"];

const onFailure: Spec<OnFailure> = {
  ...oneOf(ON_FAILURE),
  read(node, place) {
    const value = oneOf(ON_FAILURE).read(node, place);
    if (value === undefined) return undefined;
    const message = "EMQX 6.2 knows no `on_failure` and refuses the file";
    place.load.issues.warning("WARN_CONFIG_EMQX_REFUSES", node.at, message, {
      path: place.path,
      hint: "there, the security profile and `ignore_backend_failures` decide for all of them",
    });
    return value;
  },
};

export const COMMON_KEYS = {
  mechanism: required(text(), "what checks the client"),
  enable: key(boolean(), true, "a disabled authenticator is skipped"),
  precondition: optional(
    located("an expression", { mayBeEmpty: true }),
    "the authenticator is asked only where this is `true`",
  ),
  on_failure: optional(onFailure, "what becomes of a client when the authenticator fails"),
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
