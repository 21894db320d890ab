/** May this message go to this client, and in what shape? Asked by aedes for every delivery. */
import type { DeliveredPacket } from "./aedes.ts";
import type { Peer } from "./peer.ts";

const DOLLAR = 36;

/**
 * The packet to write, changed in place (aedes makes one for each receiver), or null.
 *
 * The policy is asked unless every subscription is covered by it. Three kinds of messages are
 * looked at more closely whatever the subscriptions say: those queued for a session before it was
 * resumed, whose subscription may be gone; and topics that begin with `$`, which aedes finds for a
 * leading wildcard among retained and queued messages [MQTT5 4.7.2-1].
 */
export function deliver(peer: Peer, packet: DeliveredPacket): DeliveredPacket | null {
  const { session, mountpoint, subscriptions, host } = peer;
  if (session === undefined || !peer.isOpen) return null;
  const isEnforced = host.engine.config.switches.enforce_delivery;
  const routed = packet.topic;
  let topic = routed;
  if (mountpoint !== "") {
    if (routed.startsWith(mountpoint)) topic = routed.slice(mountpoint.length);
    else if (isEnforced) return null;
  }
  const isQueued = !peer.client.connected;
  const isSystem = topic.charCodeAt(0) === DOLLAR;
  if ((isQueued || isSystem) && !subscriptions.match(routed)) return null;
  const qos = subscriptions.limitQos(routed, packet.qos);
  if (isEnforced && (isQueued || isSystem || subscriptions.someUncovered)) {
    if (!session.authorizeDelivery(topic, qos)) return null;
  }
  packet.topic = topic;
  packet.qos = qos;
  return packet;
}
