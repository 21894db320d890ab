/** The last will, authorized when it is about to be published. Source: authorization §6.3. */
import type { Decision } from "../../../src/types.ts";
import type { AedesBroker, AedesClient, PublishedPacket, Will } from "./aedes.ts";
import { type Refusal, refusalOf } from "./log.ts";
import type { Peer } from "./peer.ts";
import { delayOf, holdDelayed, isReserved, publishAction } from "./publish.ts";

/**
 * Takes over from aedes what happens to wills, immediate and delayed ones. The answer forgets the
 * delayed ones; call it when the broker has closed.
 */
export function guardWills(aedes: AedesBroker, peerOf: (client: AedesClient) => Peer): () => void {
  const { scheduleWill, clearDelayedWill } = aedes;
  const delayed = new Map<string, Peer>();

  aedes.publishWill = (client, will) => {
    const peer = peerOf(client);
    delayed.delete(client.id!);
    peer.isWillDue = true;
    const drop = (refusal: Refusal): void => {
      peer.host.log.refused("will", peer.logged, refusal);
      forget();
    };
    const forget = (): void => {
      aedes.persistence.delWill({ id: client.id, brokerId: aedes.id }).catch(() => {});
      peer.willDone();
    };
    const delay = delayOf(peer, will.topic);
    decide(peer, will, delay).then(
      (refusal) => {
        if (refusal) drop(refusal);
        else if (typeof delay === "object") {
          const packet = routedWill(will, peer.mountpoint + delay.topic);
          const problem = holdDelayed(peer, will.topic, packet, delay.atMs);
          if (problem === undefined) forget();
          else drop({ reason: problem, by: "broker", topic: will.topic });
        } else aedes.publish(routedWill(will, peer.mountpoint + will.topic), client, forget);
      },
      () => drop({ reason: "core_failed", by: "engine", topic: will.topic }),
    );
  };

  aedes.scheduleWill = (client, will, delaySeconds) => {
    const peer = peerOf(client);
    peer.isWillDue = true;
    scheduleWill.call(aedes, client, will, delaySeconds);
    // Otherwise it was published at once, or dropped because its session goes on elsewhere.
    if (aedes.delayedWills.has(client.id!)) delayed.set(client.id!, peer);
    else if (aedes.closed || aedes._takingOver.has(client.id!)) peer.willDone();
  };

  aedes.clearDelayedWill = (clientId) => {
    clearDelayedWill.call(aedes, clientId);
    const peer = delayed.get(clientId);
    delayed.delete(clientId);
    peer?.willDone();
  };

  return () => {
    for (const peer of delayed.values()) peer.willDone();
    delayed.clear();
  };
}

/** Why the will must not be published, or undefined. */
async function decide(
  peer: Peer,
  will: Will,
  delay: ReturnType<typeof delayOf>,
): Promise<Refusal | undefined> {
  const { topic, qos = 0 } = will;
  if (peer.session === undefined) return { reason: "closed", by: "broker", topic, qos };
  const decision: Decision = await peer.session.authorize(publishAction(will), topic);
  if (decision.verdict !== "allow") return refusalOf(decision, topic, qos);
  if (delay === "malformed") return { reason: "malformed_delay", by: "broker", topic };
  const isForbidden = isReserved(peer.mountpoint + (delay?.topic ?? topic));
  return isForbidden ? { reason: "reserved_topic", by: "broker", topic } : undefined;
}

function routedWill(will: Will, topic: string): PublishedPacket {
  const { payload, qos = 0, retain = false } = will;
  // The delay is for the broker; in a PUBLISH the property would be a protocol error.
  const { willDelayInterval: _, ...properties } = will.properties ?? {};
  const hasProperties = Object.keys(properties).length > 0;
  return { cmd: "publish", topic, payload, qos, retain, ...(hasProperties ? { properties } : {}) };
}
