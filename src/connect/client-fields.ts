/** A connecting client as the fields of a request record. Source: expressions §6.2. */
import type { Switches } from "../config/compatibility.ts";
import type { Value } from "../core/core.ts";
import type { FieldValue, RequestFields } from "../core/request.ts";
import type { ClientInfo, Text } from "../types.ts";

/** What is known besides what the client sent. */
export interface ClientFieldsOptions {
  readonly switches: Switches;
  /** Left out before client_attrs_init has run: then no attribute is bound. */
  readonly clientAttrs?: Readonly<Record<string, Text>> | undefined;
  /** The peer's address, 4 or 16 bytes. */
  readonly peerAddress?: Uint8Array | undefined;
  /** Unrendered. */
  readonly mountpoint?: string | undefined;
  readonly isSuperuser?: boolean | undefined;
  readonly enableAuthn?: boolean | "quick_deny_anonymous" | undefined;
}

/**
 * The request of a client. Username and password are always bound, without a value when the client
 * sent none; with enhanced authentication the password is not bound at all. `peerport` is bound only
 * under the switch `peerhost_is_text`, certificate names only when a certificate was presented.
 */
export function clientFields(client: ClientInfo, options: ClientFieldsOptions): RequestFields {
  const hasCertificate =
    client.certDer !== undefined ||
    client.certSubject !== undefined ||
    client.certCommonName !== undefined;
  const isEnhanced = client.authMethod !== undefined;
  return {
    clientId: client.clientId,
    username: client.username ?? null,
    password: isEnhanced ? undefined : (client.password ?? null),
    peerHost: options.peerAddress,
    peerHostText: client.peerHost,
    peerPort: options.switches.peerhost_is_text ? client.peerPort : undefined,
    peerSni: client.peerSni ?? null,
    zone: atom(client.zone ?? "default"),
    listener: client.listener === undefined ? undefined : atom(client.listener),
    protocol: atom("mqtt"),
    certCommonName: hasCertificate ? (client.certCommonName ?? null) : undefined,
    certSubject: hasCertificate ? (client.certSubject ?? null) : undefined,
    certPem: client.certDer,
    clientAttrs: options.clientAttrs,
    userProperty: client.userProperties ?? {},
    mountpoint: options.mountpoint ?? null,
    sockPort: client.sockPort,
    isSuperuser: options.isSuperuser ?? false,
    isBridge: false,
    enableAuthn: enableAuthnValue(options.enableAuthn ?? true),
    authMethod: client.authMethod,
    authData: isEnhanced ? client.authData : undefined,
  };
}

function atom(name: string): Value {
  return { type: "atom", name };
}

function enableAuthnValue(value: boolean | "quick_deny_anonymous"): FieldValue {
  return typeof value === "boolean" ? value : atom(value);
}
