/** The last will, authorized when it is about to be published. Source: authorization §6.3. */
import type { Decision } from "../../../src/types.ts";
import type { AedesBroker, AedesClient, Will } from "./aedes.ts";
import { type Refusal, refusalOf } from "./log.ts";
import type { Peer } from "./peer.ts";
import { isReserved, publishAction } from "./publish.ts";

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
    decide(peer, will).then(
      (refusal) => {
        if (refusal) drop(refusal);
        else aedes.publish(routedWill(peer, will), client, forget);
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
async function decide(peer: Peer, will: Will): Promise<Refusal | undefined> {
  const { topic, qos = 0 } = will;
  if (peer.session === undefined) return { reason: "closed", by: "broker", topic, qos };
  if (isReserved(peer.mountpoint + topic)) return { reason: "reserved_topic", by: "broker", topic };
  const decision: Decision = await peer.session.authorize(publishAction(will), topic);
  return decision.verdict === "allow" ? undefined : refusalOf(decision, topic, qos);
}

function routedWill(peer: Peer, will: Will): object {
  // The delay is for the broker; in a PUBLISH the property would be a protocol error.
  const { willDelayInterval: _, ...properties } = will.properties ?? {};
  return {
    cmd: "publish",
    topic: peer.mountpoint + will.topic,
    payload: will.payload,
    qos: will.qos ?? 0,
    retain: will.retain ?? false,
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
  };
}
