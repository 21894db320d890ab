/**
 * The names each place of the configuration allows in its templates (TemplateOptions.allowed).
 * Source: expressions §6.3.
 */

/** Authentication requests and queries; also headers of authorization requests over HTTP. */
export const AUTHN_NAMES: readonly string[] = [
  "username",
  "clientid",
  "password",
  "peerhost",
  "peerport",
  "cert_subject",
  "cert_common_name",
  "cert_pem",
  "zone",
  "client_attrs.*",
  "listener",
];

/** `verify_claims` of a JWT authenticator. */
export const CLAIM_NAMES: readonly string[] = ["clientid", "username"];

/** Path, query and body of authorization requests over HTTP. */
export const AUTHZ_HTTP_NAMES: readonly string[] = [
  "username",
  "clientid",
  "peerhost",
  "peerport",
  "proto_name",
  "mountpoint",
  "topic",
  "action",
  "cert_subject",
  "cert_common_name",
  "cert_pem",
  "access",
  "client_attrs.*",
  "zone",
  "listener",
  "qos",
  "retain",
];

/** Authorization queries to databases. */
export const AUTHZ_QUERY_NAMES: readonly string[] = [
  "cert_common_name",
  "cert_subject",
  "peerhost",
  "peerport",
  "clientid",
  "username",
  "zone",
  "client_attrs.*",
  "listener",
];

/** Authorization queries to LDAP. */
export const AUTHZ_LDAP_NAMES: readonly string[] = AUTHZ_QUERY_NAMES.filter(
  (name) => name !== "peerport",
);

/** Topics of ACL rules, wherever they come from. */
export const TOPIC_NAMES: readonly string[] = [
  "username",
  "clientid",
  "cert_common_name",
  "zone",
  "client_attrs.*",
];

/** Mountpoint of a listener. */
export const MOUNTPOINT_NAMES: readonly string[] = [
  "clientid",
  "username",
  "endpoint_name",
  "peerhost",
  "zone",
  "client_attrs.*",
];
