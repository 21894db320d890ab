/** Is this CONNECT fit to be judged at all? The order is the reference's. */

import type { Switches } from "../../../src/config/compatibility.ts";
import type { MqttConfig } from "../../../src/config/config.ts";
import { validateTopicName } from "../../../src/topic/validate.ts";
import type { ReceivedConnect } from "./aedes.ts";
import {
  CLIENT_IDENTIFIER_NOT_VALID,
  MALFORMED_PACKET,
  PROTOCOL_ERROR,
  QOS_NOT_SUPPORTED,
  RETAIN_NOT_SUPPORTED,
  TOPIC_NAME_INVALID,
  UNSUPPORTED_PROTOCOL_VERSION,
} from "./reason-codes.ts";

export interface ConnectProblem {
  readonly code: number;
  readonly reason: string;
}

interface CheckContext {
  readonly mqtt: MqttConfig;
  readonly switches: Switches;
}

type Check = (packet: ReceivedConnect, context: CheckContext) => ConnectProblem | undefined;

const CHECKS: readonly Check[] = [
  checkText,
  checkProtocol,
  checkEmptyClientId,
  checkClientIdLength,
  checkReceiveMaximum,
  checkProperties,
  checkAuthentication,
  checkWillRetain,
  checkWillQos,
  checkWillTopic,
];

/** The first thing wrong with a CONNECT, or undefined. Source: authentication §1.3. */
export function checkConnect(
  packet: ReceivedConnect,
  context: CheckContext,
): ConnectProblem | undefined {
  for (const check of CHECKS) {
    const problem = check(packet, context);
    if (problem) return problem;
  }
  return undefined;
}

/** [MQTT5 1.5.4-1]; with `mqtt.strict_mode` no control characters either, not even in passwords. */
function checkText(packet: ReceivedConnect, { mqtt }: CheckContext): ConnectProblem | undefined {
  const malformed = { code: MALFORMED_PACKET, reason: "malformed_text" };
  if (packet.invalidText) return malformed;
  if (!mqtt.strictMode) return undefined;
  const { clientId, username, password, will } = packet;
  const texts = [clientId, username ?? "", password?.toString("utf8") ?? "", will?.topic ?? ""];
  if (texts.some((text) => /[\p{Cc}\ufffd]/u.test(text))) return malformed;
  if (version(packet) < 5 && password !== undefined && username === undefined) {
    return { code: MALFORMED_PACKET, reason: "password_without_username" };
  }
  return undefined;
}

function checkProtocol(packet: ReceivedConnect): ConnectProblem | undefined {
  const isOldName = packet.protocolId === "MQIsdp";
  if (isOldName === (version(packet) === 3)) return undefined;
  return { code: UNSUPPORTED_PROTOCOL_VERSION, reason: "unsupported_protocol_version" };
}

function checkEmptyClientId(
  packet: ReceivedConnect,
  { switches }: CheckContext,
): ConnectProblem | undefined {
  if (packet.clientId !== "") return undefined;
  const isFresh = packet.clean === true;
  const mayResume = version(packet) === 5 && switches.empty_client_id_with_session;
  if (version(packet) >= 4 && (isFresh || mayResume)) return undefined;
  return { code: CLIENT_IDENTIFIER_NOT_VALID, reason: "empty_client_identifier" };
}

function checkClientIdLength(
  packet: ReceivedConnect,
  { mqtt }: CheckContext,
): ConnectProblem | undefined {
  if (Buffer.byteLength(packet.clientId) <= mqtt.maxClientIdLen) return undefined;
  return { code: CLIENT_IDENTIFIER_NOT_VALID, reason: "client_identifier_too_long" };
}

function checkReceiveMaximum(packet: ReceivedConnect): ConnectProblem | undefined {
  if (packet.properties?.receiveMaximum !== 0) return undefined;
  return { code: PROTOCOL_ERROR, reason: "receive_maximum_zero" };
}

function checkProperties(packet: ReceivedConnect): ConnectProblem | undefined {
  if (!packet.invalidProperty && packet.properties?.maximumPacketSize !== 0) return undefined;
  return { code: PROTOCOL_ERROR, reason: "invalid_property" };
}

/** [MQTT5 3.1.2.11.10] */
function checkAuthentication(packet: ReceivedConnect): ConnectProblem | undefined {
  const { authenticationMethod, authenticationData } = packet.properties ?? {};
  if (authenticationMethod !== undefined || authenticationData === undefined) return undefined;
  return { code: PROTOCOL_ERROR, reason: "authentication_data_without_method" };
}

function checkWillRetain(
  packet: ReceivedConnect,
  { mqtt }: CheckContext,
): ConnectProblem | undefined {
  if (!packet.will?.retain || mqtt.retainAvailable) return undefined;
  return { code: RETAIN_NOT_SUPPORTED, reason: "will_retain_not_supported" };
}

function checkWillQos(packet: ReceivedConnect, { mqtt }: CheckContext): ConnectProblem | undefined {
  const qos: number = packet.will?.qos ?? 0;
  // [MQTT5 3.1.2-12] The parser lets QoS 3 through.
  if (qos > 2) return { code: MALFORMED_PACKET, reason: "will_qos_malformed" };
  if (qos <= mqtt.maxQosAllowed) return undefined;
  return { code: QOS_NOT_SUPPORTED, reason: "will_qos_not_supported" };
}

function checkWillTopic({ will }: ReceivedConnect): ConnectProblem | undefined {
  if (!will || validateTopicName(will.topic) === undefined) return undefined;
  return { code: TOPIC_NAME_INVALID, reason: "will_topic_invalid" };
}

function version(packet: ReceivedConnect): number {
  return packet.protocolVersion ?? 4;
}
