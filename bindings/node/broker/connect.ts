/** From a CONNECT to its CONNACK. */
import { withoutExchange } from "../../../src/connect/exchange.ts";
import type { ConnectAllowed, ConnectDecision } from "../../../src/types.ts";
import type { ReceivedConnect } from "./aedes.ts";
import { clientInfoFrom } from "./client-info.ts";
import { checkConnect } from "./connect-checks.ts";
import type { Refusal } from "./log.ts";
import { writePacket } from "./packets.ts";
import type { Peer } from "./peer.ts";
import { MALFORMED_PACKET, returnCodeFor, SERVER_UNAVAILABLE } from "./reason-codes.ts";

/**
 * Judges a CONNECT and hands it to aedes when the client may come in; otherwise answers it. aedes
 * sees accepted clients only, under their final id, so a refused CONNECT leaves nothing behind: no
 * session, no will, no takeover. Source: authentication §1.1, §1.6, §1.7.
 */
export function receiveConnect(
  peer: Peer,
  packet: ReceivedConnect,
  admit: (packet: ReceivedConnect) => void,
): void {
  const { engine } = peer.host;
  peer.phase = "deciding";
  peer.version = packet.protocolVersion ?? 4;
  peer.clientId = packet.clientId;
  // Nothing more is read until the decision is there, so that a client cannot fill memory with
  // packets that may never be handled.
  peer.client.pause();

  const problem = checkConnect(packet, engine.config);
  if (problem) {
    refuseConnect(peer, { ...problem, by: "packet" });
    return;
  }
  engine.connect(clientInfoFrom(packet, peer.socket, peer.origin)).then(
    (answer) => settle(peer, packet, withoutExchange(answer), admit),
    () => refuseConnect(peer, { code: SERVER_UNAVAILABLE, reason: "core_failed", by: "engine" }),
  );
}

/** Answers a CONNECT that is not let in, and closes. */
export function refuseConnect(peer: Peer, refusal: Refusal & { readonly code: number }): void {
  if (!peer.isOpen) return;
  peer.host.log.refused("connect", peer.logged, refusal);
  const { version } = peer;
  const { answer_every_v3_refusal: answerEvery } = peer.host.engine.config.switches;
  if (version === 5) {
    writePacket(peer.socket, 5, {
      cmd: "connack",
      sessionPresent: false,
      reasonCode: refusal.code,
    });
  } else {
    const returnCode =
      refusal.code === MALFORMED_PACKET ? undefined : returnCodeFor(refusal.code, answerEvery);
    if (returnCode === undefined) {
      peer.drop();
      return;
    }
    writePacket(peer.socket, version, { cmd: "connack", sessionPresent: false, returnCode });
  }
  peer.closeAfterAnswer();
}

function settle(
  peer: Peer,
  packet: ReceivedConnect,
  decision: ConnectDecision,
  admit: (packet: ReceivedConnect) => void,
): void {
  if (decision.verdict !== "allow") {
    refuseConnect(peer, decision);
  } else if (peer.phase !== "deciding" || !peer.isOpen) {
    // The client left, or ran out of time, while it was being judged.
    decision.session.close();
  } else if (decision.session.clientId === "") {
    decision.session.close();
    refuseConnect(peer, { code: SERVER_UNAVAILABLE, reason: "core_failed", by: "engine" });
  } else {
    accept(peer, packet, decision);
    admit(packet);
  }
}

function accept(peer: Peer, packet: ReceivedConnect, { session }: ConnectAllowed): void {
  peer.phase = "registering";
  peer.session = session;
  peer.clientId = session.clientId;
  peer.mountpoint = session.mountpoint;
  packet.clientId = session.clientId;
}
