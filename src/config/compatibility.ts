/**
 * The one table of compatibility switches.
 *
 * Each row is a place where the default differs from EMQX 6.2 on purpose. `true` means our
 * behaviour; the preset `strict` sets every switch to its `strict` column and `emqx` sets them all
 * to false. `portcullis.switches { name = … }` overrides single rows. Clauses: the difference
 * tables of the specification (authz §9, authn §8, expr §8), listed in ARCHITECTURE.md.
 */
import { SWITCH_NAMES, type SwitchName } from "./switch-names.ts";

export type Preset = "strict" | "emqx";

interface SwitchRow {
  readonly strict: boolean;
  readonly clause: string;
  /** What `true` does, in an operator's words. */
  readonly about: string;
}

export const SWITCHES = {
  // --- authorization ---
  subscribe_containment: {
    strict: true,
    clause: "authz 9.3",
    about: "an allow rule admits a requested filter only if it contains every topic of it",
  },
  overlap_denies: {
    strict: false,
    clause: "authz 9.4",
    about: "a deny rule refuses every requested filter that shares a topic with it",
  },
  safe_placeholders: {
    strict: true,
    clause: "authz 9.5",
    // A deny rule that the client could escape by choosing such a value would be none.
    about:
      "allow rules match nothing for a value with a wildcard, separator or control character; deny rules insert it",
  },
  separator_in_placeholder: {
    strict: false,
    clause: "authz 9.5",
    about: "with safe_placeholders, values may still contain /",
  },
  absent_never_matches: {
    strict: true,
    clause: "authz 9.6",
    // What has no value at all (an attribute the client lacks) matches nothing in either mode.
    about:
      "allow rules match nothing for an absent or empty value; deny rules insert it as EMQX does",
  },
  strict_placeholder_names: {
    strict: true,
    clause: "authz 9.7",
    about:
      "unknown placeholders are load errors, `-` is allowed in names, ${$} is always an escape",
  },
  malformed_conditions_refused: {
    strict: true,
    clause: "authz 2.4",
    about: "a zone or listener condition that is no text is a load error, not a failing rule",
  },
  token_acl_checked_at_login: {
    strict: true,
    clause: "authz 9.10",
    about: "a malformed `acl` claim refuses the login instead of being skipped later",
  },
  standard_addresses: {
    strict: true,
    clause: "authz 9.18",
    about: "only full IPv4 and RFC 4291 addresses; IPv4-mapped IPv6 peers match IPv4 ranges",
  },
  source_failure_denies: {
    strict: true,
    clause: "authz 9.2",
    about: "an authorization source that fails denies instead of being skipped",
  },
  null_conditions_are_missing: {
    strict: true,
    clause: "authz 9.23",
    about:
      "a condition that is `null` in a rule of data is left out instead of making the rule unusable",
  },
  enforce_delivery: {
    strict: true,
    clause: "authz 9.14",
    about: "deliveries are authorized too, and live sessions follow policy changes",
  },
  delayed_under_mountpoint: {
    strict: true,
    clause: "authz 9.21",
    about:
      "$delayed/… is delayed under a mountpoint too, instead of published at once as it is written",
  },
  share_errors: {
    strict: true,
    clause: "authz 9.20",
    about: "malformed $share/$queue/$exclusive filters are refused one by one, never fatal",
  },
  // --- authentication ---
  anonymous_refused: {
    strict: true,
    clause: "authn 8.1",
    about: "without an enabled authenticator nobody gets in unless allow_anonymous is written",
  },
  broken_authenticator_is_fatal: {
    strict: true,
    clause: "authn 8.2",
    about: "an authenticator that cannot be created refuses the policy instead of being left out",
  },
  failure_denies: {
    strict: true,
    clause: "authn 8.3",
    about: "an authenticator that fails denies (0x88) instead of being skipped",
  },
  bad_token_denies: {
    strict: true,
    clause: "authn 8.4",
    about: "a token that does not verify is refused (0x86); what is no JWT counts as missing",
  },
  empty_password_is_missing: {
    strict: true,
    clause: "authn 8.5",
    about: "an empty password is a missing token",
  },
  missing_token_denies: {
    strict: true,
    clause: "authn 8.6",
    about: "on_missing_jwt defaults to deny",
  },
  bad_claims_deny: {
    strict: true,
    clause: "authn 8.7",
    about: "a fractional exp is legal; malformed attributes or acl claims refuse the login",
  },
  absent_placeholder_fails_claim: {
    strict: true,
    clause: "authn 8.9",
    about: "a claim check whose placeholder has no value fails",
  },
  json_claims: {
    strict: true,
    clause: "authn 8.10",
    about: "numbers and booleans in claims compare as their JSON text",
  },
  time_claims_not_checkable: {
    strict: true,
    clause: "authn 8.11",
    about: "exp, nbf and iat in verify_claims are load errors",
  },
  kid_selects_key: {
    strict: true,
    clause: "authn 8.12",
    about: "a token's kid selects its key; keys meant for another use or algorithm are left out",
  },
  bad_jwks_keys_skipped: {
    strict: true,
    clause: "authn 8.13",
    about: "an unusable key in a key set is skipped instead of spoiling the whole set",
  },
  key_sets_guarded: {
    strict: true,
    clause: "authn 8.13",
    about: "key sets count only with status 200, are renewed early and expire by the clock",
  },
  jwt_shape_from_keys: {
    strict: true,
    clause: "authn 3.3.1",
    about: "use_jwks may be left out where secret, public_key or endpoint tells the kind of key",
  },
  several_pem_blocks: {
    strict: true,
    clause: "authn 8.14",
    about: "public_key may hold several PEM blocks; secrets may be file:// references",
  },
  crit_rejected: {
    strict: true,
    clause: "authn 8.15",
    about: "tokens with crit or b64=false are refused",
  },
  empty_secret_refused: {
    strict: true,
    clause: "authn 8.16",
    about: "an empty HMAC secret is a load error, a short one a warning",
  },
  certificate_identity_required: {
    strict: true,
    clause: "authn 8.25",
    about: "peer_cert_as_* refuses (0x86) who has no such value instead of taking CONNECT's own",
  },
  absent_placeholder_ignores: {
    strict: true,
    clause: "authn 8.9",
    about:
      "on_absent defaults to ignore: a backend is not asked with a placeholder that has no value",
  },
  http_refusals_deny: {
    strict: true,
    clause: "authn 8.20",
    about: "HTTP status 401 (0x86) and 403 (0x87) refuse the client instead of being failures",
  },
  media_types_parsed: {
    strict: true,
    clause: "authn 8.21",
    about: "content types may have parameters; configured headers are merged over the default ones",
  },
  outgoing_tls_verified: {
    strict: true,
    clause: "authn 0.2",
    about: "outgoing TLS checks certificates unless verify = verify_none is written",
  },
  https_means_tls: {
    strict: true,
    clause: "authn 5.1",
    about:
      "an https URL is requested over TLS without ssl.enable too; ssl.enable with http is an error",
  },
  quick_deny_spares_tokens: {
    strict: true,
    clause: "authn 8.26",
    about: "quick_deny_anonymous refuses only clients that bring no credential at all",
  },
  absent_is_empty_in_precondition: {
    strict: true,
    clause: "authn 8.27",
    about: "absent variables read as empty in preconditions",
  },
  tokens_in_auth_data: {
    strict: true,
    clause: "authn 6.1",
    about: "jwt authenticators take the token of the methods OAUTH2-JWT and CUSTOM-JWT by default",
  },
  unknown_scram_user_hidden: {
    strict: true,
    clause: "authn 6.2",
    about:
      "a SCRAM user that nobody knows is refused at the end of the exchange, like a wrong password",
  },
  auth_identity_bound: {
    strict: true,
    clause: "authn 8.24",
    about: "bind_identity defaults to true: the SCRAM user becomes the username",
  },
  answer_every_v3_refusal: {
    strict: true,
    clause: "authn 8.28",
    about: "every refusal has a CONNACK return code for MQTT 3.1.1",
  },
  will_kept_in_exchange: {
    strict: true,
    clause: "authn 8.30",
    about: "the will of a CONNECT that took several steps to authenticate is kept",
  },
  exchange_has_owner: {
    strict: true,
    clause: "authn 8.31",
    about: "an exchange goes on with the authenticator that began it, not with the whole chain",
  },
  unknown_method_refused: {
    strict: true,
    clause: "authn 8.32",
    about: "an Authentication Method that no enabled authenticator knows is refused with 0x8C",
  },
  reauthentication_replaces: {
    strict: true,
    clause: "authn 8.33",
    about:
      "re-authentication replaces attributes, token rules and expiry, and judges subscriptions again",
  },
  expiry_is_maximum_connect_time: {
    strict: true,
    clause: "authn 8.34",
    about: "sessions end with 0xA0 when their token expires, instead of 0x87",
  },
  tell_overridden_client_id: {
    strict: true,
    clause: "authn 8.39",
    about: "CONNACK carries the Assigned Client Identifier whenever the final id differs",
  },
  empty_client_id_with_session: {
    strict: true,
    clause: "authn 8.40",
    about: "MQTT 5 clients may connect with an empty client id and clean start false",
  },
  unknown_keys_are_errors: {
    strict: true,
    clause: "authn 8.41",
    about: "unknown root keys are errors instead of being dropped",
  },
  unicode_escapes: {
    strict: true,
    clause: "authn 8.43",
    about: "\\uXXXX in quoted strings is decoded",
  },
  strict_user_imports: {
    strict: true,
    clause: "authn 8.45",
    about:
      "user files may quote as RFC 4180 does, name no unknown column, and an empty salt is the empty text",
  },
  overlong_bcrypt_passwords_fail: {
    strict: true,
    clause: "authn 8.47",
    about:
      "passwords with a NUL or above 72 bytes fail against bcrypt hashes, instead of being cut",
  },
  broken_macs_refused: {
    strict: true,
    clause: "authn 8.48",
    about: "md4, md5 and ripemd160 for pbkdf2 are load errors",
  },
  equal_work_for_unknown_users: {
    strict: true,
    clause: "authn 8, porting notes",
    about: "an unknown user costs as much hashing as a wrong password, wherever in the chain",
  },
  scram_iterations_from_user: {
    strict: true,
    clause: "authn 8.46",
    about: "a SCRAM user's iterations are those its keys were made with, not the setting",
  },
  // --- expressions ---
  expression_errors_at_load: {
    strict: true,
    clause: "expr 8.1",
    about: "unknown functions, wrong argument counts and bad literals are load errors",
  },
  doubled_backslash_is_class: {
    strict: true,
    clause: "expr 8.2",
    about: "`\\\\s`, `\\\\d`, `\\\\w`, `\\\\b` … in a regex literal mean the class",
  },
  text_functions_keep_utf8: {
    strict: true,
    clause: "expr 8.2 (1, 2)",
    about: "reverse, pad and ~ts give valid UTF-8",
  },
  variadic_concat: {
    strict: true,
    clause: "expr 8.2 (7)",
    about: "concat takes any number of arguments",
  },
  peerhost_is_text: {
    strict: true,
    clause: "expr 8.2 (4, 5)",
    about: "peerhost and peerport can be used as text in every expression",
  },
  certificate_names_everywhere: {
    strict: true,
    clause: "expr 8.2 (6)",
    about: "cn, dn, cert_common_name and cert_subject are bound in every expression",
  },
  client_id_override_checked: {
    strict: true,
    clause: "expr 8.2 (8)",
    about: "an overriding client id must be UTF-8 without control characters",
  },
  template_literals_stay_literal: {
    strict: true,
    clause: "expr 8.2 (3)",
    about: "a disallowed placeholder is literal and has no effect on its neighbours",
  },
  quotes_are_exact: {
    strict: true,
    clause: "expr 8.2 (17, 18)",
    about: "exactly one quote is removed from each end of a string; large floats print",
  },
} as const satisfies Record<SwitchName, SwitchRow>;

/** The resolved switches of one policy. */
export type Switches = Readonly<Record<SwitchName, boolean>>;

/** The switches of a preset, with single rows overridden. */
export function resolveSwitches(
  preset: Preset,
  overrides: Partial<Record<SwitchName, boolean>> = {},
): Switches {
  const entries = SWITCH_NAMES.map((name) => [
    name,
    overrides[name] ?? (preset === "strict" && SWITCHES[name].strict),
  ]);
  return Object.fromEntries(entries) as Switches;
}
