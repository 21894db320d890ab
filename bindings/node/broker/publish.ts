/** From a PUBLISH to its acknowledgement, or to aedes. */

import { validateTopicName } from "../../../src/topic/validate.ts";
import type { Action, Decision } from "../../../src/types.ts";
import type { PublishedPacket, Qos, ReceivedPublish } from "./aedes.ts";
import { type Delay, readDelay } from "./delayed-topic.ts";
import { LEVELS_ROUTABLE_MAX, QOS2_PENDING_MAX } from "./hardening.ts";
import { type Refusal, refusalOf } from "./log.ts";
import type { Peer } from "./peer.ts";
import {
  NOT_AUTHORIZED,
  PROTOCOL_ERROR,
  QOS_NOT_SUPPORTED,
  QUOTA_EXCEEDED,
  RECEIVE_MAXIMUM_EXCEEDED,
  RETAIN_NOT_SUPPORTED,
  SUCCESS,
  TOPIC_ALIAS_INVALID,
  TOPIC_NAME_INVALID,
} from "./reason-codes.ts";

/** LIMIT: topic aliases of one connection; each may hold 64 KiB. Advertised in CONNACK. */
export const TOPIC_ALIASES_MAX = 32;

/** One object per kind of request, so that the hot path allocates none. */
const ACTIONS: readonly (readonly [Action, Action])[] = ([0, 1, 2] as const).map((qos) => [
  { type: "publish", qos, retain: false },
  { type: "publish", qos, retain: true },
]);

/** What a PUBLISH may carry [MQTT5 3.3.2.3]; anything else would be passed on to subscribers. */
const PROPERTIES: ReadonlySet<string> = new Set([
  "payloadFormatIndicator",
  "messageExpiryInterval",
  "topicAlias",
  "responseTopic",
  "correlationData",
  "userProperties",
  "contentType",
]);

/**
 * Order: validity, topic alias, authorization, capabilities, mountpoint, delay. `admit` hands the
 * packet to aedes. Returns a promise only when the policy has to ask somebody.
 * Source: authorization §1.2, §1.5, §6.1.
 */
export function receivePublish(
  peer: Peer,
  packet: ReceivedPublish,
  admit: (packet: ReceivedPublish) => void,
): Promise<void> | undefined {
  const invalid = findInvalid(packet) || (packet.properties ? resolveAlias(peer, packet) : SUCCESS);
  if (invalid !== SUCCESS) {
    refuse(peer, packet, invalid, "invalid_publish");
    return undefined;
  }
  const answer = peer.session!.authorize(publishAction(packet), packet.topic);
  if (answer instanceof Promise) {
    return answer.then((decision) => settle(peer, packet, decision, admit));
  }
  settle(peer, packet, answer, admit);
  return undefined;
}

export function publishAction(packet: { qos?: Qos; retain?: boolean }): Action {
  return ACTIONS[packet.qos ?? 0]![packet.retain ? 1 : 0];
}

function settle(
  peer: Peer,
  packet: ReceivedPublish,
  decision: Decision,
  admit: (packet: ReceivedPublish) => void,
): void {
  if (!peer.isOpen) return;
  if (decision.verdict !== "allow") {
    deny(peer, packet, refusalOf(decision, packet.topic, packet.qos));
    return;
  }
  const delay = delayOf(peer, packet.topic);
  if (delay === "malformed") {
    drop(peer, packet, { ...unfit(packet, "malformed_delay"), code: TOPIC_NAME_INVALID });
    return;
  }
  const topic = peer.mountpoint + (delay?.topic ?? packet.topic);
  if (isReserved(topic)) {
    deny(peer, packet, unfit(packet, "reserved_topic"));
    return;
  }
  const incapable = findIncapable(peer, packet);
  if (incapable !== SUCCESS) {
    refuse(peer, packet, incapable, "not_supported");
    return;
  }
  if (delay) {
    holdBack(peer, packet, { topic, atMs: delay.atMs });
    return;
  }
  packet.topic = topic;
  admit(packet);
}

/**
 * When a topic is to be published to, and which. Source: authorization §6.4, §9.21: under a mountpoint
 * the reference no longer sees the delay, and publishes at once to the topic as it is written.
 */
export function delayOf(peer: Peer, topic: string): Delay | "malformed" | undefined {
  const { engine, clock } = peer.host;
  const isSeen = peer.mountpoint === "" || engine.config.switches.delayed_under_mountpoint;
  return isSeen ? readDelay(topic, clock.now()) : undefined;
}

/** The message is acknowledged when it is held, not when it is published. */
function holdBack(peer: Peer, packet: ReceivedPublish, { topic, atMs }: Delay): void {
  const { host, client } = peer;
  const { qos, messageId, retain, payload, properties } = packet;
  // [MQTT5 4.3.3-12] Sent again, it is acknowledged again, and nothing more.
  const isNew = qos < 2 || host.qos2.isFirst(client, messageId!);
  const held: PublishedPacket = { cmd: "publish", topic, payload, qos, retain, properties };
  const problem = isNew ? holdDelayed(peer, packet.topic, held, atMs) : undefined;
  if (problem === undefined) {
    acknowledge(peer, packet, SUCCESS);
    return;
  }
  if (qos === 2) host.qos2.end(client, messageId!);
  drop(peer, packet, { ...unfit(packet, problem), code: QUOTA_EXCEEDED });
}

/** Keeps a message of this client until its time, or says why not. `asked`: as it was authorized. */
export function holdDelayed(
  peer: Peer,
  asked: string,
  packet: PublishedPacket,
  atMs: number,
): string | undefined {
  const { session, client, logged } = peer;
  const action = publishAction(packet);
  return peer.host.delayed.hold({ session: session!, client, logged, action, asked, atMs, packet });
}

function unfit({ topic, qos }: ReceivedPublish, reason: string): Refusal {
  return { reason, by: "broker", topic, qos };
}

/** The broker's own topics; other brokers of an aedes cluster would obey what is said there. */
export function isReserved(topic: string): boolean {
  return topic.startsWith("$SYS/");
}

/** Reason code of the first thing wrong with the packet itself. */
function findInvalid(packet: ReceivedPublish): number {
  const { topic, properties } = packet;
  if (properties) {
    for (const name in properties) if (!PROPERTIES.has(name)) return PROTOCOL_ERROR;
    const { responseTopic } = properties;
    if (responseTopic !== undefined && validateTopicName(responseTopic) !== undefined) {
      return PROTOCOL_ERROR;
    }
    if (topic === "" && !properties.topicAlias) return PROTOCOL_ERROR;
    if (properties.topicAlias === 0) return TOPIC_ALIAS_INVALID;
  } else if (topic === "") {
    return PROTOCOL_ERROR;
  }
  // The parser has checked the length; what is left of validateTopicName is this.
  return packet.invalidText || /[+#\0]/.test(topic) ? TOPIC_NAME_INVALID : SUCCESS;
}

/**
 * Replaces an alias by its topic, and takes it off: it means nothing to subscribers. An alias is
 * remembered even if the publish is then denied.
 */
function resolveAlias(peer: Peer, packet: ReceivedPublish): number {
  const properties = packet.properties!;
  const alias = properties.topicAlias;
  if (alias === undefined) return SUCCESS;
  if (packet.topic === "") {
    const topic = peer.topicAliases.get(alias);
    if (topic === undefined) return PROTOCOL_ERROR;
    packet.topic = topic;
  } else {
    if (alias > TOPIC_ALIASES_MAX) return TOPIC_ALIAS_INVALID;
    peer.topicAliases.set(alias, packet.topic);
  }
  const { topicAlias: _, ...others } = properties;
  packet.properties = others;
  return SUCCESS;
}

function findIncapable(peer: Peer, packet: ReceivedPublish): number {
  const { mqtt } = peer.host.engine.config;
  const separators = countSeparators(packet.topic);
  if (separators >= mqtt.maxTopicLevels) return TOPIC_NAME_INVALID;
  if (separators + countSeparators(peer.mountpoint) >= LEVELS_ROUTABLE_MAX) {
    return TOPIC_NAME_INVALID;
  }
  if (packet.qos > mqtt.maxQosAllowed) return QOS_NOT_SUPPORTED;
  if (packet.retain && !mqtt.retainAvailable) return RETAIN_NOT_SUPPORTED;
  if (packet.qos === 2 && !peer.host.qos2.begin(peer.client, packet.messageId!)) {
    return RECEIVE_MAXIMUM_EXCEEDED;
  }
  return SUCCESS;
}

/** One less than the levels; counted on every publish, so without splitting. */
function countSeparators(topic: string): number {
  let count = 0;
  for (let at = topic.indexOf("/"); at !== -1; at = topic.indexOf("/", at + 1)) count++;
  return count;
}

/** A packet that ends the connection. */
function refuse(peer: Peer, packet: ReceivedPublish, code: number, reason: string): void {
  const { topic, qos } = packet;
  const by = reason === "not_supported" ? "broker" : "packet";
  peer.host.log.refused("publish", peer.logged, { code, reason, by, topic, qos });
  peer.disconnect(code);
}

/** The policy says no. Source: authorization §6.1. */
function deny(peer: Peer, packet: ReceivedPublish, refusal: Refusal): void {
  if (peer.host.engine.config.authorization.denyAction === "disconnect") {
    peer.host.log.refused("publish", peer.logged, { ...refusal, code: NOT_AUTHORIZED });
    peer.disconnect(NOT_AUTHORIZED);
    return;
  }
  drop(peer, packet, { ...refusal, code: NOT_AUTHORIZED });
}

/**
 * The message goes nowhere, and the connection goes on. MQTT 3.1.1 has no way to say so short of
 * closing, so its clients get the ordinary acknowledgement. Source: authorization §6.1.
 */
function drop(peer: Peer, packet: ReceivedPublish, refusal: Refusal & { code: number }): void {
  peer.host.log.refused("publish", peer.logged, refusal);
  acknowledge(peer, packet, peer.version === 5 ? refusal.code : SUCCESS);
}

function acknowledge(peer: Peer, packet: ReceivedPublish, reasonCode: number): void {
  peer.refreshKeepalive();
  if (packet.qos === 0) return;
  const cmd = packet.qos === 1 ? "puback" : "pubrec";
  peer.answer({ cmd, messageId: packet.messageId!, reasonCode });
}

export const RECEIVE_MAXIMUM = QOS2_PENDING_MAX;
