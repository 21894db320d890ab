/** Keys of every authenticator. Source: authentication §3.1. */
import { type Keys, key, optional, required } from "./keys.ts";
import { boolean, located, text } from "./spec.ts";

export const COMMON_KEYS = {
  mechanism: required(text(), "what checks the client"),
  enable: key(boolean(), true, "a disabled authenticator is skipped"),
  precondition: optional(
    located("an expression", { mayBeEmpty: true }),
    "the authenticator is asked only where this is `true`",
  ),
} satisfies Keys;
