/**
 * The hooks of aedes. The gate has judged every packet before aedes sees it, so most of them only
 * make sure of that: what was not let in just now is refused.
 */
import type { AedesClient, DeliveredPacket, Subscription } from "./aedes.ts";
import { amendConnack } from "./connack.ts";
import { deliver } from "./deliver.ts";
import type { Peer } from "./peer.ts";
import { restoreSubscription } from "./subscribe.ts";

type Done<T = boolean> = (error: Error | null, result?: T | null) => void;

export interface Hooks {
  preConnect(client: AedesClient, packet: object, done: Done): void;
  authenticate(client: AedesClient, username: unknown, password: unknown, done: Done): void;
  authorizePublish(client: AedesClient | null, packet: object, done: Done): void;
  authorizeSubscribe(client: AedesClient, sub: Subscription, done: Done<Subscription>): void;
  authorizeForward(client: AedesClient, packet: DeliveredPacket): DeliveredPacket | null;
}

/** `peerOf` finds the connection a client of aedes belongs to. */
export function createHooks(peerOf: (client: AedesClient) => Peer): Hooks {
  return {
    preConnect(client, _packet, done) {
      const isAccepted = peerOf(client).phase === "registering";
      done(isAccepted ? null : notJudged(), isAccepted);
    },

    authenticate(client, _username, _password, done) {
      const peer = peerOf(client);
      const { phase, session } = peer;
      if (phase !== "registering" || session === undefined) {
        done(notJudged(), false);
        return;
      }
      client._assignedClientId = session.assignedClientId;
      peer.writeConnack = amendConnack(peer);
      done(null, true);
    },

    authorizePublish(client, packet, done) {
      const isAdmitted = client !== null && peerOf(client).admitted === packet;
      done(isAdmitted ? null : notJudged());
    },

    authorizeSubscribe(client, subscription, done) {
      const peer = peerOf(client);
      if (peer.admitted === subscription) {
        done(null, subscription);
      } else if (peer.phase === "registering") {
        restoreSubscription(peer, subscription).then(
          (restored) => done(null, restored),
          () => done(null, null),
        );
      } else {
        done(null, null);
      }
    },

    authorizeForward(client, packet) {
      const peer = peerOf(client);
      try {
        return deliver(peer, packet);
      } catch (error) {
        // Thrown on, it would end the connection of whoever published.
        peer.host.log.noted("warn", "delivery_failed", peer.logged, String(error));
        return null;
      }
    },
  };
}

function notJudged(): Error {
  return new Error("not judged by the policy");
}
