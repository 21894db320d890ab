/** MQTT 5 reason codes the broker sends, and what MQTT 3.1 and 3.1.1 say instead. */

export const SUCCESS = 0x00;
export const CONTINUE_AUTHENTICATION = 0x18;
export const REAUTHENTICATE = 0x19;
export const MALFORMED_PACKET = 0x81;
export const PROTOCOL_ERROR = 0x82;
export const UNSUPPORTED_PROTOCOL_VERSION = 0x84;
export const CLIENT_IDENTIFIER_NOT_VALID = 0x85;
export const NOT_AUTHORIZED = 0x87;
export const SERVER_UNAVAILABLE = 0x88;
export const SERVER_BUSY = 0x89;
export const BAD_AUTHENTICATION_METHOD = 0x8c;
export const TOPIC_FILTER_INVALID = 0x8f;
export const TOPIC_NAME_INVALID = 0x90;
export const RECEIVE_MAXIMUM_EXCEEDED = 0x93;
export const TOPIC_ALIAS_INVALID = 0x94;
export const PACKET_TOO_LARGE = 0x95;
export const QUOTA_EXCEEDED = 0x97;
export const RETAIN_NOT_SUPPORTED = 0x9a;
export const QOS_NOT_SUPPORTED = 0x9b;
export const SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9e;
export const MAXIMUM_CONNECT_TIME = 0xa0;
export const SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xa1;
export const WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xa2;

/** Codes from here on are refusals. */
export const FAILURE = 0x80;

/** CONNACK return codes of MQTT 3.1 and 3.1.1. */
const BAD_PROTOCOL = 1;
const BAD_IDENTIFIER = 2;
const UNAVAILABLE = 3;
const BAD_CREDENTIALS = 4;
const REFUSED = 5;

/** Source: authentication §1.7. */
const RETURN_CODES: ReadonlyMap<number, number> = new Map([
  [0x80, BAD_PROTOCOL],
  [0x81, BAD_PROTOCOL],
  [0x82, BAD_PROTOCOL],
  [0x83, BAD_PROTOCOL],
  [0x84, BAD_PROTOCOL],
  [0x85, BAD_IDENTIFIER],
  [0x86, BAD_CREDENTIALS],
  [0x87, REFUSED],
  [0x88, UNAVAILABLE],
  [0x89, UNAVAILABLE],
  [0x8a, REFUSED],
  [0x8b, UNAVAILABLE],
  [0x8c, REFUSED],
  [0x90, UNAVAILABLE],
  [0x97, UNAVAILABLE],
  [0x9c, UNAVAILABLE],
  [0x9d, UNAVAILABLE],
  [0x9f, UNAVAILABLE],
]);

/** Codes the reference has no answer for. Source: authentication §8.28. */
const FURTHER_RETURN_CODES: ReadonlyMap<number, number> = new Map([
  [PACKET_TOO_LARGE, UNAVAILABLE],
  [RETAIN_NOT_SUPPORTED, UNAVAILABLE],
  [QOS_NOT_SUPPORTED, UNAVAILABLE],
]);

/**
 * The CONNACK return code of MQTT 3.1 and 3.1.1 for a reason code of MQTT 5. Undefined means that
 * the connection is closed without an answer; with `answerEvery` (the switch
 * `answer_every_v3_refusal`) there always is one.
 */
export function returnCodeFor(reasonCode: number, answerEvery: boolean): number | undefined {
  const known = RETURN_CODES.get(reasonCode);
  if (known !== undefined || !answerEvery) return known;
  return FURTHER_RETURN_CODES.get(reasonCode) ?? REFUSED;
}

/** CONNACK codes that DISCONNECT does not have [MQTT5 3.14.2-1], and what comes closest there. */
const DISCONNECT_CODES: ReadonlyMap<number, number> = new Map([
  [0x84, NOT_AUTHORIZED],
  [0x85, NOT_AUTHORIZED],
  [0x86, NOT_AUTHORIZED],
  [0x88, SERVER_BUSY],
  [0x8a, NOT_AUTHORIZED],
]);

/** The DISCONNECT code for what would refuse a CONNECT with `reasonCode`. */
export function disconnectCodeFor(reasonCode: number): number {
  return DISCONNECT_CODES.get(reasonCode) ?? reasonCode;
}

/** The SUBACK code of MQTT 3.1.1 has one failure only. */
export function subackCodeFor(reasonCode: number, version: number): number {
  return version === 5 || reasonCode < FAILURE ? reasonCode : 0x80;
}

/** Codes that a CONNECT may be refused with, in the words of MQTT 5. Source: authentication §8 item 36. */
export const REFUSAL_TEXTS: ReadonlyMap<number, string> = new Map([
  [MALFORMED_PACKET, "malformed packet"],
  [PROTOCOL_ERROR, "protocol error"],
  [UNSUPPORTED_PROTOCOL_VERSION, "unsupported protocol version"],
  [CLIENT_IDENTIFIER_NOT_VALID, "client identifier not valid"],
  [0x86, "bad user name or password"],
  [NOT_AUTHORIZED, "not authorized"],
  [SERVER_UNAVAILABLE, "server unavailable"],
  [0x89, "server busy"],
  [0x8a, "banned"],
  [BAD_AUTHENTICATION_METHOD, "bad authentication method"],
  [TOPIC_NAME_INVALID, "topic name invalid"],
  [0x97, "quota exceeded"],
  [RETAIN_NOT_SUPPORTED, "retain not supported"],
  [QOS_NOT_SUPPORTED, "qos not supported"],
]);
export const REFUSED_TEXT = "refused";
