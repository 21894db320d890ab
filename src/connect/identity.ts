/**
 * Who is connecting: username and client id as the settings resolve them, before anything is
 * evaluated or checked. Source: authentication §1.4, steps 1-4.
 */
import type { Switches } from "../config/compatibility.ts";
import type { MqttConfig, PeerCertIdentity } from "../config/config.ts";
import { certificateBase64, certificateMd5 } from "../crypto/certificate.ts";
import type { ClientInfo, ConnectCode, Reason, Text } from "../types.ts";

export interface Identity {
  readonly username: Text | undefined;
  readonly clientId: Text;
  /** The id was made up here because the client sent none. */
  readonly isGenerated: boolean;
}

/** There is no identity to go on with. */
export interface NoIdentity {
  readonly reason: Reason;
  readonly code: ConnectCode;
  /** In an operator's words. */
  readonly detail: string;
}

/** What identities are made with. */
export interface IdentitySettings {
  readonly mqtt: MqttConfig;
  readonly switches: Switches;
  readonly randomBytes: (count: number) => Uint8Array;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const GENERATED_ID_CHARS = 16;

const EMPTY_USERNAME: NoIdentity = {
  reason: "client_identifier_not_valid",
  code: 0x85,
  detail: "the username that replaces the client id is empty",
};

/**
 * The identity. None for an empty username that is to replace the client id (0x85), and with
 * `certificate_identity_required` for a client whose certificate lacks what replaces what it sent (0x86).
 *
 * Source: authentication §1.4, §6.5, §8 item 25.
 */
export function resolveIdentity(
  client: ClientInfo,
  { mqtt, switches, randomBytes }: IdentitySettings,
): Identity | NoIdentity {
  const certUsername = certificateIdentity(client, mqtt.peerCertAsUsername);
  const certClientId = certificateIdentity(client, mqtt.peerCertAsClientId);
  if (switches.certificate_identity_required) {
    if (isMissing(mqtt.peerCertAsUsername, certUsername)) {
      return lacking("peer_cert_as_username", mqtt.peerCertAsUsername);
    }
    if (isMissing(mqtt.peerCertAsClientId, certClientId)) {
      return lacking("peer_cert_as_clientid", mqtt.peerCertAsClientId);
    }
  }
  const username = certUsername ?? client.username;
  if (mqtt.useUsernameAsClientId && username !== undefined) {
    if (username.length === 0) return EMPTY_USERNAME;
    return { username, clientId: username, isGenerated: false };
  }
  const clientId = certClientId ?? client.clientId;
  if (clientId.length > 0) return { username, clientId, isGenerated: false };
  return { username, clientId: randomClientId(randomBytes), isGenerated: true };
}

/** Undefined when it is not asked for, or not in the certificate. Never empty. */
function certificateIdentity(client: ClientInfo, field: PeerCertIdentity): Text | undefined {
  const { certDer } = client;
  switch (field) {
    case "disabled":
      return undefined;
    case "cn":
      return client.certCommonName || undefined;
    case "dn":
      return client.certSubject || undefined;
    case "crt":
      return certDer;
    case "pem":
      return certDer && certificateBase64(certDer);
    case "md5":
      return certDer && certificateMd5(certDer);
  }
}

function isMissing(field: PeerCertIdentity, value: Text | undefined): boolean {
  return field !== "disabled" && value === undefined;
}

function lacking(setting: string, field: PeerCertIdentity): NoIdentity {
  const detail = `mqtt.${setting} = ${field}, and the client presented no certificate with it`;
  return { reason: "certificate_identity_missing", code: 0x86, detail };
}

/** 16 base-62 characters. Bytes from 248 up are drawn again, so every character is as likely. */
function randomClientId(randomBytes: (count: number) => Uint8Array): string {
  let id = "";
  while (id.length < GENERATED_ID_CHARS) {
    for (const byte of randomBytes(GENERATED_ID_CHARS)) {
      if (byte < 248 && id.length < GENERATED_ID_CHARS) id += ALPHABET[byte % 62];
    }
  }
  return id;
}
