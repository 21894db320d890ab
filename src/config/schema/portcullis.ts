/** `portcullis`: our own root key. */

import { PASSWORD_CHECKS_WAITING_MAX } from "../../../assembly/abi.ts";
import type { Preset } from "../compatibility.ts";
import type { OnPolicyChange, UnverifiedClientAttrs } from "../config.ts";
import { SWITCH_NAMES, type SwitchName } from "../switch-names.ts";
import { type Keys, key, object, optional, readKeys } from "./keys.ts";
import { boolean, integer, oneOf, type Spec, text, wrong } from "./spec.ts";

export interface PortcullisConfig {
  readonly compatibility: Preset;
  readonly switches: Partial<Record<SwitchName, boolean>>;
  readonly allowAnonymous: boolean;
  readonly onPolicyChange: OnPolicyChange;
  readonly unverifiedClientAttrs: UnverifiedClientAttrs;
  readonly refusalReasonString: boolean;
  readonly dataDir: string;
  readonly passwordChecksWaitingMax: number;
}

const SWITCH_KEYS: Keys = Object.fromEntries(
  SWITCH_NAMES.map((name) => [name, optional(boolean(), name)]),
);

const switches: Spec<Partial<Record<SwitchName, boolean>>> = {
  expects: "an object of switches: `{ name = true }`",
  keys: SWITCH_NAMES,
  below: (name) => (Object.hasOwn(SWITCH_KEYS, name) ? boolean() : undefined),
  read(node, place) {
    if (node.kind !== "object") return wrong(node, place, this.expects);
    const values = readKeys(node, SWITCH_KEYS, place);
    if (values === undefined) return undefined;
    const written = Object.entries(values).filter(([, value]) => value !== undefined);
    return Object.fromEntries(written);
  },
};

const PORTCULLIS_KEYS = {
  compatibility: key(oneOf(["strict", "emqx"]), "strict", "which preset of switches applies"),
  switches: key(switches, {}, "single switches, over the preset"),
  allow_anonymous: key(boolean(), false, "let clients in when no authenticator is enabled"),
  on_policy_change: key<OnPolicyChange>(
    oneOf(["unsubscribe", "disconnect", "keep"]),
    ({ switches }) => (switches.enforce_delivery ? "unsubscribe" : "keep"),
    "what becomes of live subscriptions that a new policy does not allow",
  ),
  unverified_client_attrs: key<UnverifiedClientAttrs>(
    oneOf(["keep", "drop"]),
    "keep",
    "what becomes of attributes made of a token that no authenticator accepted",
  ),
  refusal_reason_string: key(boolean(), false, "say in words why a CONNECT is refused (MQTT 5)"),
  data_dir: key(
    text({ pattern: /./, expects: "a directory" }),
    "data",
    "where the built-in database is kept, as seen from the configuration file",
  ),
  max_waiting_password_checks: key(
    integer(1, 1_000_000),
    PASSWORD_CHECKS_WAITING_MAX,
    "how many passwords may wait to be checked; further clients are told that the server is busy",
  ),
} satisfies Keys;

export const portcullis: Spec<PortcullisConfig> = {
  ...object(PORTCULLIS_KEYS),
  read(node, place) {
    const values = object(PORTCULLIS_KEYS).read(node, place);
    return (
      values && {
        compatibility: values.compatibility,
        switches: values.switches,
        allowAnonymous: values.allow_anonymous,
        onPolicyChange: values.on_policy_change,
        unverifiedClientAttrs: values.unverified_client_attrs,
        refusalReasonString: values.refusal_reason_string,
        dataDir: values.data_dir,
        passwordChecksWaitingMax: values.max_waiting_password_checks,
      }
    );
  },
};
