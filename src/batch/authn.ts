/** What the authentication kinds of `batch` share: their client, their wire reasons, their mode. */
import type { AuthnRequest, ReadAcl } from "../authn/authenticator.ts";
import type { AuthnMode } from "../authn/registry.ts";
import type { Preset } from "../config/compatibility.ts";
import { resolveSwitches } from "../config/compatibility.ts";
import type { SecurityProfile } from "../config/config.ts";
import type { Crypto } from "../crypto/crypto.ts";
import type { JsonObject, JsonValue } from "../json/parse.ts";
import { isJsonObject, JsonFloat, member } from "../json/parse.ts";
import type { ConnectCode, Text } from "../types.ts";
import { encodeTerm } from "./terms.ts";

/** What a batch run has to be given. */
export interface AuthnBatchPorts {
  readonly preset: Preset;
  readonly crypto: Crypto;
  readonly readAcl: ReadAcl;
}

/** Wire-visible reasons and their codes. Source: authentication §1.7. */
const REASONS: Readonly<Record<string, ConnectCode>> = {
  unspecified_error: 0x80,
  protocol_error: 0x82,
  client_identifier_not_valid: 0x85,
  bad_username_or_password: 0x86,
  not_authorized: 0x87,
  server_unavailable: 0x88,
  server_busy: 0x89,
  banned: 0x8a,
  bad_authentication_method: 0x8c,
  quota_exceeded: 0x97,
};

/** The code of a reason; an unknown one is `not_authorized`. */
export function codeOfReason(reason: string): ConnectCode {
  return Object.hasOwn(REASONS, reason) ? REASONS[reason]! : 0x87;
}

export function reasonOfCode(code: ConnectCode): string {
  return Object.keys(REASONS).find((reason) => REASONS[reason] === code) ?? "not_authorized";
}

export function batchMode(input: JsonObject, preset: Preset): AuthnMode {
  const profile = member(input, "security_profile");
  const securityProfile: SecurityProfile = profile === "hardened" ? "hardened" : "legacy";
  return { switches: resolveSwitches(preset), securityProfile };
}

/** The recorded client as a request. */
export function batchRequest(input: JsonObject): AuthnRequest {
  const given = member(input, "client");
  const client: JsonObject = isJsonObject(given) ? given : {};
  const attrs = member(client, "client_attrs");
  const string = (name: string): string | undefined => {
    const value = member(client, name);
    return typeof value === "string" ? value : undefined;
  };
  const clientAttrs: Record<string, Text> = Object.create(null);
  if (isJsonObject(attrs)) {
    for (const name of Object.keys(attrs)) {
      const value = textTerm(attrs[name]);
      if (value !== undefined) clientAttrs[name] = value;
    }
  }
  return {
    client: {
      clientId: textTerm(member(client, "clientid")) ?? "",
      username: textTerm(member(client, "username")),
      password: textTerm(member(client, "password")),
      authMethod: string("auth_method"),
      peerHost: string("peerhost"),
      zone: string("zone"),
      listener: string("listener"),
      certCommonName: string("cn"),
      certSubject: string("dn"),
    },
    clientAttrs,
  };
}

/** A recorded text: a string, or `{"$b64": …}` for bytes; undefined for anything else. */
export function textTerm(value: JsonValue | undefined): Text | undefined {
  if (typeof value === "string") return value;
  const bytes = isJsonObject(value) ? member(value, "$b64") : undefined;
  if (typeof bytes !== "string") return undefined;
  return Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
}

/** The recorded form of a number: large integers and floats are spelled out. */
export function toNumberTerm(value: JsonValue): JsonValue {
  if (typeof value === "bigint") return { $int: String(value) };
  return value instanceof JsonFloat ? encodeTerm({ type: "float", value: value.value }) : value;
}
