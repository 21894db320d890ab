/** From a CONNECT to its CONNACK. */
import type { IConnackPacket } from "mqtt-packet";
import type { ConnectAllowed, ConnectAnswer, Continued } from "../../../src/types.ts";
import type { ReceivedAuth, ReceivedConnect, ReceivedPacket } from "./aedes.ts";
import { authOf, authPacket, checkAuth, hideMethod } from "./auth.ts";
import { clientInfoFrom } from "./client-info.ts";
import { checkConnect } from "./connect-checks.ts";
import type { Refusal } from "./log.ts";
import { writePacket } from "./packets.ts";
import type { Peer } from "./peer.ts";
import {
  CONTINUE_AUTHENTICATION,
  MALFORMED_PACKET,
  PROTOCOL_ERROR,
  REFUSAL_TEXTS,
  REFUSED_TEXT,
  returnCodeFor,
  SERVER_UNAVAILABLE,
  SUCCESS,
} from "./reason-codes.ts";

/** A CONNECT on its way in. */
interface Entry {
  readonly packet: ReceivedConnect;
  readonly admit: (packet: ReceivedConnect) => void;
}

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
  peer.packetBytesMax = packet.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY;
  peer.clientId = packet.clientId;
  // Nothing more is read until the decision is there, so that a client cannot fill memory with
  // packets that may never be handled.
  peer.client.pause();

  const problem = checkConnect(packet, engine.config);
  if (problem) {
    refuseConnect(peer, { ...problem, by: "packet" });
    return;
  }
  peer.auth = authOf(packet);
  follow(peer, engine.connect(clientInfoFrom(packet, peer.socket, peer.origin)), {
    packet,
    admit,
  });
}

/**
 * A packet of a client that has been asked to say more before its CONNECT is judged. Anything but
 * the AUTH that was asked for is an error [MQTT5 3.1.2-30]; DISCONNECT is its right.
 */
export function receiveExchanged(peer: Peer, packet: ReceivedPacket): void {
  if (packet.cmd === "disconnect") {
    peer.drop();
    return;
  }
  const isAuth = packet.cmd === "auth";
  const code = isAuth
    ? checkAuth(packet as ReceivedAuth, peer.auth, CONTINUE_AUTHENTICATION)
    : PROTOCOL_ERROR;
  const next = peer.auth?.next;
  if (code !== SUCCESS || !next) {
    refuseConnect(peer, { code: code || PROTOCOL_ERROR, reason: "invalid_auth", by: "packet" });
    return;
  }
  peer.auth!.next = undefined;
  next((packet as ReceivedAuth).properties?.authenticationData);
}

function follow(peer: Peer, pending: Promise<ConnectAnswer>, entry: Entry): void {
  pending.then(
    (answer) => settle(peer, answer, entry),
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
      ...reasonString(peer, refusal.code),
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

/** What the code says in words, where that is wanted and fits [MQTT5 3.2.2-19]. Never which check failed. */
function reasonString(peer: Peer, code: number): Pick<IConnackPacket, "properties"> {
  const text = REFUSAL_TEXTS.get(code) ?? REFUSED_TEXT;
  const bytes = CONNACK_BYTES + text.length;
  if (!peer.host.engine.config.refusalReasonString || bytes > peer.packetBytesMax) return {};
  return { properties: { reasonString: text } };
}

/** Of a CONNACK with a Reason String, without its characters: header, flags, code, two lengths, id. */
const CONNACK_BYTES = 8;

function settle(peer: Peer, answer: ConnectAnswer, entry: Entry): void {
  const isGone = peer.phase !== "deciding" || !peer.isOpen;
  if (answer.verdict === "deny") {
    refuseConnect(peer, answer);
  } else if (answer.verdict === "continue") {
    if (isGone) answer.exchange.abandon();
    else askOn(peer, answer, entry);
  } else if (isGone) {
    // The client left, or ran out of time, while it was being judged.
    answer.session.close();
  } else if (answer.session.clientId === "") {
    answer.session.close();
    refuseConnect(peer, { code: SERVER_UNAVAILABLE, reason: "core_failed", by: "engine" });
  } else {
    accept(peer, entry.packet, answer);
    entry.admit(entry.packet);
  }
}

/** Sends AUTH, and waits for the client's. */
function askOn(peer: Peer, { data, exchange }: Continued<ConnectAnswer>, entry: Entry): void {
  const auth = peer.auth!;
  if (peer.held.length > 0) {
    refuseConnect(peer, { code: PROTOCOL_ERROR, reason: "early_packet", by: "packet" });
    return;
  }
  // The reference stores the will only of a CONNECT that was accepted at once.
  if (!peer.host.engine.config.switches.will_kept_in_exchange) delete entry.packet.will;
  auth.exchange = exchange;
  auth.next = (answer) => {
    peer.phase = "deciding";
    peer.client.pause();
    follow(peer, exchange.step(answer), entry);
  };
  peer.phase = "exchanging";
  writePacket(peer.socket, 5, authPacket(peer, CONTINUE_AUTHENTICATION, data));
  peer.resume();
}

function accept(peer: Peer, packet: ReceivedConnect, { session, authData }: ConnectAllowed): void {
  peer.phase = "registering";
  peer.session = session;
  peer.clientId = session.clientId;
  peer.mountpoint = session.mountpoint;
  peer.beginJudging();
  packet.clientId = session.clientId;
  if (!peer.auth) return;
  peer.auth.exchange = undefined;
  peer.auth.lastData = authData;
  hideMethod(packet);
}
