/** From a SUBSCRIBE to its SUBACK, and the same for UNSUBSCRIBE. */
import type { IUnsubscribePacket } from "mqtt-packet";
import { countLevels, hasWildcard, parseTopicFilter } from "../../../src/topic/filter.ts";
import { validateTopicFilter } from "../../../src/topic/validate.ts";
import type { Decision } from "../../../src/types.ts";
import type { Qos, ReceivedPacket, ReceivedSubscribe, Subscription } from "./aedes.ts";
import { LEVELS_ROUTABLE_MAX } from "./hardening.ts";
import { refusalOf } from "./log.ts";
import type { Peer } from "./peer.ts";
import {
  FAILURE,
  NOT_AUTHORIZED,
  PROTOCOL_ERROR,
  SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
  SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
  SUCCESS,
  subackCodeFor,
  TOPIC_FILTER_INVALID,
  WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
} from "./reason-codes.ts";

/** [MQTT5 3.8.2.1.2] */
const SUBSCRIPTION_IDENTIFIER_MAX = 268_435_455;

/** One requested filter on its way to a SUBACK code. */
interface Request {
  readonly requested: Subscription;
  /** What is authorized and subscribed to; undefined when the prefixes make no sense. */
  readonly filter: string | undefined;
  readonly isShared: boolean;
  readonly isExclusive: boolean;
  /** Granted QoS or reason code. */
  code: number;
}

/**
 * Order: validity of the whole packet, authorization of every filter, capabilities of the allowed
 * ones, then all that is left is subscribed to. Source: authorization §1.2, §1.4, §1.5, §6.2.
 */
export async function receiveSubscribe(peer: Peer, packet: ReceivedSubscribe): Promise<void> {
  const invalid = findInvalid(packet);
  if (invalid !== SUCCESS) {
    refuse(peer, invalid, "invalid_subscribe");
    return;
  }
  const requests = packet.subscriptions.map(readRequest);
  const { switches, authorization } = peer.host.engine.config;
  if (!switches.share_errors && requests.some((request) => request.filter === undefined)) {
    refuse(peer, TOPIC_FILTER_INVALID, "invalid_subscribe");
    return;
  }
  for (const request of requests) await authorize(peer, request);
  if (!peer.isOpen) return;
  if (
    authorization.denyAction === "disconnect" &&
    requests.some((request) => request.code === NOT_AUTHORIZED)
  ) {
    peer.disconnect(NOT_AUTHORIZED);
    return;
  }
  for (const request of requests) if (request.code < FAILURE) limitRequest(peer, request);
  await grant(peer, requests, packet);
  if (!peer.isOpen) return;
  peer.refreshKeepalive();
  peer.answer({
    cmd: "suback",
    messageId: packet.messageId!,
    granted: requests.map((request) => subackCodeFor(request.code, peer.version) as Qos),
  });
}

/** Is never authorized; unknown filters are answered, not refused. */
export async function receiveUnsubscribe(
  peer: Peer,
  packet: ReceivedPacket & IUnsubscribePacket,
): Promise<void> {
  const filters = packet.unsubscriptions;
  const routed = filters.map((filter) => peer.mountpoint + filter);
  if (
    packet.invalidText ||
    filters.length === 0 ||
    filters.some((filter) => validateTopicFilter(filter) !== undefined) ||
    routed.some((filter) => countLevels(filter) > LEVELS_ROUTABLE_MAX)
  ) {
    refuse(peer, TOPIC_FILTER_INVALID, "invalid_unsubscribe");
    return;
  }
  peer.refreshKeepalive();
  packet.unsubscriptions = routed;
  await new Promise<void>((resolve) => peer.client.unsubscribe(packet, () => resolve()));
  for (const filter of routed) peer.subscriptions.delete(filter);
}

/** Reason code of the first thing wrong with the packet as a whole. */
function findInvalid(packet: ReceivedSubscribe): number {
  const { subscriptions, properties } = packet;
  const identifier = properties?.subscriptionIdentifier;
  if (identifier !== undefined && !(identifier >= 1 && identifier <= SUBSCRIPTION_IDENTIFIER_MAX)) {
    return SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED;
  }
  if (packet.invalidText || subscriptions.length === 0) return TOPIC_FILTER_INVALID;
  if (subscriptions.some(({ topic }) => validateTopicFilter(topic) !== undefined)) {
    return TOPIC_FILTER_INVALID;
  }
  // [MQTT5 3.8.3-4] and the same for every shared form.
  const isBadShare = subscriptions.some(
    ({ topic, nl }) => nl === true && /^\$(share|queue)\//.test(topic),
  );
  return isBadShare ? PROTOCOL_ERROR : SUCCESS;
}

function readRequest(requested: Subscription): Request {
  const parse = parseTopicFilter(requested.topic);
  // `$queue/` alone passes as a filter, but there is nothing in it to subscribe to.
  if (!parse.ok || parse.parsed.filter === "") {
    const code = TOPIC_FILTER_INVALID;
    return { requested, filter: undefined, isShared: false, isExclusive: false, code };
  }
  const { filter, shareGroup, isExclusive } = parse.parsed;
  return {
    requested,
    filter: filter as string,
    isShared: shareGroup !== undefined,
    isExclusive,
    code: requested.qos,
  };
}

async function authorize(peer: Peer, request: Request): Promise<void> {
  const { filter, requested } = request;
  if (filter === undefined || peer.session === undefined) return;
  const answer = peer.session.authorize({ type: "subscribe", qos: requested.qos }, filter);
  const decision: Decision = answer instanceof Promise ? await answer : answer;
  if (decision.verdict === "allow") return;
  request.code = NOT_AUTHORIZED;
  const refusal = refusalOf(decision, requested.topic, requested.qos);
  peer.host.log.refused("subscribe", peer.logged, { ...refusal, code: NOT_AUTHORIZED });
}

/** Capabilities, first hit wins. Source: authorization §1.5. */
function limitRequest(peer: Peer, request: Request): void {
  const { mqtt } = peer.host.engine.config;
  const filter = request.filter!;
  const isTooDeep =
    countLevels(filter) > mqtt.maxTopicLevels ||
    countLevels(peer.mountpoint + filter) > LEVELS_ROUTABLE_MAX;
  if (isTooDeep) request.code = TOPIC_FILTER_INVALID;
  else if (hasWildcard(filter) && !mqtt.wildcardSubscription) {
    request.code = WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED;
  } else if (request.isShared) {
    // aedes has none; taken literally, the filter would be a subscription that hears nothing.
    request.code = SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
  } else if (request.isExclusive) {
    request.code = TOPIC_FILTER_INVALID;
  } else {
    request.code = Math.min(request.code, mqtt.maxQosAllowed);
    return;
  }
  const { topic } = request.requested;
  const { code } = request;
  peer.host.log.refused("subscribe", peer.logged, {
    code,
    reason: "not_supported",
    by: "broker",
    topic,
  });
}

/**
 * Subscribes one filter at a time: with several in a packet aedes stores them all as soon as one is
 * allowed, and answers in an order of its own. Of repeated filters the last counts.
 */
async function grant(
  peer: Peer,
  requests: readonly Request[],
  packet: ReceivedSubscribe,
): Promise<void> {
  const granted = new Map<string, Request>();
  for (const request of requests) {
    if (request.code < FAILURE) granted.set(peer.mountpoint + request.filter, request);
  }
  const { subscriptionIdentifier } = packet.properties ?? {};
  const properties = subscriptionIdentifier === undefined ? {} : { subscriptionIdentifier };
  await Promise.all(
    Array.from(granted, ([routed, request]) => {
      const qos = request.code as Qos;
      const subscription: Subscription = { ...request.requested, topic: routed, qos };
      // Before the first message for it can come.
      peer.subscribed(routed, qos);
      peer.admitted = subscription;
      const done = new Promise<void>((resolve) => {
        const subscriptions = [subscription];
        peer.client.subscribe({ subscriptions, properties }, () => resolve());
      });
      peer.admitted = undefined;
      return done;
    }),
  );
}

/**
 * A subscription of a resumed session: it comes back only if it is still allowed, and lies under
 * the mountpoint the client has now. Otherwise it is removed from the session for good.
 */
export async function restoreSubscription(
  peer: Peer,
  subscription: Subscription,
): Promise<Subscription | null> {
  const { session, mountpoint, host } = peer;
  const { topic, qos } = subscription;
  if (session === undefined) return null;
  if (topic.startsWith(mountpoint)) {
    const { switches, onPolicyChange } = host.engine.config;
    if (!switches.enforce_delivery && onPolicyChange === "keep") {
      peer.subscribed(topic, qos);
      return subscription;
    }
    const filter = topic.slice(mountpoint.length);
    const decision = await session.authorize({ type: "subscribe", qos }, filter);
    if (decision.verdict === "allow") {
      peer.subscribed(topic, qos);
      return subscription;
    }
    host.log.refused("subscribe", peer.logged, refusalOf(decision, filter, qos));
  }
  await host.aedes.persistence.removeSubscriptions({ id: peer.client.id! }, [topic]);
  return null;
}

function refuse(peer: Peer, code: number, reason: string): void {
  peer.host.log.refused("subscribe", peer.logged, { code, reason, by: "packet" });
  peer.disconnect(code);
}
