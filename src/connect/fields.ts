/**
 * What is known of a connecting client, as the fields that expressions, templates and rules read.
 * Source: authentication §1.2, expressions §6.2.
 */
import { foldMappedAddress, readAddress } from "../compile/acl/address.ts";
import type { Switches } from "../config/compatibility.ts";
import type { ListenerConfig } from "../config/config.ts";
import type { Value } from "../core/core.ts";
import type { RequestFields } from "../core/request.ts";
import type { ClientInfo } from "../types.ts";
import type { Identity } from "./identity.ts";

export const DEFAULT_ZONE = "default";
const DEFAULT_LISTENER = "tcp:default";
const PROTOCOL: Value = { type: "atom", name: "mqtt" };

/** The fields of one CONNECT; whoever asked for them may change what the steps find out. */
export type ConnectFields = Omit<RequestFields, FoundOut> & Writable<Pick<RequestFields, FoundOut>>;

type FoundOut =
  | "clientId"
  | "username"
  | "password"
  | "clientAttrs"
  | "isSuperuser"
  | "authData"
  | "zone";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The fields of a client before authentication. Absent and present-but-empty stay apart: username and
 * password are always bound, without a value when the client sent none; certificate names only when a
 * certificate was presented, `peerport` only under the switch peerhost_is_text.
 */
export function connectFields(
  client: ClientInfo,
  identity: Identity,
  listener: ListenerConfig | undefined,
  switches: Switches,
): ConnectFields {
  const isCertified = hasCertificate(client);
  const isEnhanced = client.authMethod !== undefined;
  return {
    clientId: identity.clientId,
    username: identity.username ?? null,
    // With enhanced authentication the chain never sees CONNECT's password (authentication §1.6).
    password: isEnhanced ? undefined : (client.password ?? null),
    peerHost: addressBytes(client.peerHost, switches),
    peerHostText: client.peerHost ?? null,
    // EMQX 6.2 knows the name but never sets it for MQTT clients.
    peerPort: switches.peerhost_is_text ? client.peerPort : undefined,
    sockPort: client.sockPort,
    peerSni: client.peerSni ?? null,
    zone: atom(client.zone ?? listener?.zone ?? DEFAULT_ZONE),
    listener: atom(client.listener ?? DEFAULT_LISTENER),
    protocol: PROTOCOL,
    certCommonName: isCertified ? (client.certCommonName ?? null) : undefined,
    certSubject: isCertified ? (client.certSubject ?? null) : undefined,
    certPem: client.certDer,
    userProperty: client.userProperties ?? {},
    mountpoint: listener?.mountpoint || null,
    isSuperuser: false,
    isBridge: false,
    enableAuthn: enableAuthn(listener),
    authMethod: client.authMethod,
    authData: isEnhanced ? client.authData : undefined,
  };
}

/** Did the client present a certificate? */
export function hasCertificate(client: ClientInfo): boolean {
  return (
    client.certDer !== undefined ||
    client.certCommonName !== undefined ||
    client.certSubject !== undefined
  );
}

/** The address as bytes, without the zone that its machine knows it by; null when there is none. */
function addressBytes(text: string | undefined, switches: Switches): Uint8Array | null {
  if (text === undefined) return null;
  const standard = switches.standard_addresses;
  const percent = text.indexOf("%");
  const bytes = readAddress(percent > 0 ? text.slice(0, percent) : text, { standard });
  if (!bytes) return null;
  return standard ? foldMappedAddress(bytes) : bytes;
}

function enableAuthn(listener: ListenerConfig | undefined): boolean | Value {
  const value = listener?.enableAuthn ?? true;
  return typeof value === "boolean" ? value : atom(value);
}

function atom(name: string): Value {
  return { type: "atom", name };
}
