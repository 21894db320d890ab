/** The end of a session whose token ends. Source: authentication §1.8, §8.34. */
import type { Peer } from "./peer.ts";
import { MAXIMUM_CONNECT_TIME, NOT_AUTHORIZED } from "./reason-codes.ts";

/** Disconnects an accepted client at the time its last authentication gave, and at no other. */
export function endAtExpiry(peer: Peer): void {
  const atMs = peer.session?.expireAtMs;
  peer.cancelExpiry();
  if (atMs === undefined) return;
  peer.setExpiry(atMs, () => {
    const { log, engine } = peer.host;
    log.noted("info", "session_expired", peer.logged, "the credentials have expired");
    if (engine.config.switches.expiry_is_maximum_connect_time) {
      peer.disconnect(MAXIMUM_CONNECT_TIME, "credentials expired");
    } else {
      peer.disconnect(NOT_AUTHORIZED);
    }
  });
}
