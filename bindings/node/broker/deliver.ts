/** May this message go to this client, and in what shape? Asked by aedes for every delivery. */
import type { Session } from "../../../src/types.ts";
import type { DeliveredPacket, Qos } from "./aedes.ts";
import type { Peer } from "./peer.ts";

const DOLLAR = 36;

/**
 * The packet to write, changed in place (aedes makes one for each receiver), or null.
 *
 * The policy is asked unless every subscription is covered by it. Two kinds of messages are looked
 * at more closely whatever the subscriptions say: those queued for a session before it was resumed,
 * whose subscription may be gone; and topics that begin with `$`, which aedes finds for a leading
 * wildcard among retained and queued messages [MQTT5 4.7.2-1].
 */
export function deliver(peer: Peer, packet: DeliveredPacket): DeliveredPacket | null {
  const { session, mountpoint, subscriptions, host } = peer;
  if (session === undefined) return null;
  if (peer.phase === "registering") {
    // [MQTT5 3.2.0-1] Nothing goes out before CONNACK. What is queued comes right after it.
    packet.isDeferred = true;
    return null;
  }
  const { config } = host.engine;
  const isEnforced = config.switches.enforce_delivery;
  const routed = packet.topic;
  let topic = routed;
  if (mountpoint !== "") {
    if (routed.startsWith(mountpoint)) topic = routed.slice(mountpoint.length);
    else if (isEnforced) return null;
  }
  const isQueued = !peer.client.connected;
  const isSystem = topic.charCodeAt(0) === DOLLAR;
  if ((isQueued || isSystem) && !subscriptions.match(routed)) return null;
  const isChecked = isEnforced && (isQueued || isSystem || !peer.isCovered());
  const granted = isChecked
    ? findAllowed(peer, session, { routed, topic })
    : subscriptions.limitQos(routed, packet.qos);
  if (granted === undefined) return null;
  const qos = granted < packet.qos ? granted : packet.qos;
  packet.topic = topic;
  // A queued message is acknowledged whatever the subscription is now, or it would stay queued.
  packet.qos = isQueued && qos === 0 ? 1 : qos;
  peer.expectWrite();
  return packet;
}

/**
 * The QoS of the best subscription that the message may be delivered for; undefined when there is
 * none. Rules speak of the QoS that was asked for when subscribing, not of the message's.
 */
function findAllowed(
  { subscriptions, mountpoint }: Peer,
  session: Session,
  { routed, topic }: { readonly routed: string; readonly topic: string },
): Qos | undefined {
  const { onlyQos } = subscriptions;
  if (onlyQos !== undefined && session.authorizeDelivery(topic, onlyQos)) return onlyQos;
  const best = subscriptions
    .select(routed)
    .find(([filter, qos]) =>
      session.authorizeDelivery(topic, qos, filter.slice(mountpoint.length)),
    );
  return best?.[1];
}
