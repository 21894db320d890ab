/**
 * Who is connecting: username and client id as the settings resolve them, before anything is
 * evaluated or checked. Source: authentication §1.4, steps 1-4.
 */
import type { MqttConfig } from "../config/config.ts";
import type { ClientInfo, Text } from "../types.ts";

export interface Identity {
  readonly username: Text | undefined;
  readonly clientId: Text;
  /** The id was made up here because the client sent none. */
  readonly isGenerated: boolean;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const GENERATED_ID_CHARS = 16;

/** The identity, or undefined when use_username_as_clientid meets an empty username (0x85). */
export function resolveIdentity(
  client: ClientInfo,
  mqtt: MqttConfig,
  randomBytes: (count: number) => Uint8Array,
): Identity | undefined {
  const { username } = client;
  if (mqtt.useUsernameAsClientId && username !== undefined) {
    if (username.length === 0) return undefined;
    return { username, clientId: username, isGenerated: false };
  }
  if (client.clientId.length > 0) {
    return { username, clientId: client.clientId, isGenerated: false };
  }
  return { username, clientId: randomClientId(randomBytes), isGenerated: true };
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
