/**
 * Enhanced authentication on the wire: AUTH packets, before the CONNACK and after it. aedes knows
 * none of this; it sees the CONNECT without its Authentication Method, once the client may come in.
 *
 * Source: authentication §6.1; MQTT5 §3.15, §4.12.
 */
import type { IAuthPacket, IConnectPacket } from "mqtt-packet";
import type { Exchange, ReauthAnswer } from "../../../src/types.ts";
import type { ReceivedAuth, ReceivedConnect } from "./aedes.ts";
import { endAtExpiry } from "./expiry.ts";
import type { Peer } from "./peer.ts";
import {
  BAD_AUTHENTICATION_METHOD,
  CONTINUE_AUTHENTICATION,
  disconnectCodeFor,
  MALFORMED_PACKET,
  NOT_AUTHORIZED,
  PROTOCOL_ERROR,
  REAUTHENTICATE,
  SERVER_BUSY,
  SERVER_UNAVAILABLE,
  SUCCESS,
} from "./reason-codes.ts";
import { Review, reviewPeer } from "./review.ts";

/** The enhanced authentication of one connection. */
export interface PeerAuth {
  /** The Authentication Method of its CONNECT. */
  readonly method: string;
  /** The exchange under way, while a step of it is taken as well. */
  exchange: Pick<Exchange<unknown>, "abandon"> | undefined;
  /** Takes the next step, while it is the client's turn. */
  next: ((data: Uint8Array | undefined) => void) | undefined;
  /** Authentication Data for the CONNACK. */
  lastData: Uint8Array | undefined;
}

/** Undefined for a client without an Authentication Method. */
export function authOf(packet: ReceivedConnect): PeerAuth | undefined {
  const method = packet.properties?.authenticationMethod;
  if (method === undefined) return undefined;
  return { method, exchange: undefined, next: undefined, lastData: undefined };
}

/** Takes off what aedes would refuse. */
export function hideMethod(packet: IConnectPacket): void {
  if (!packet.properties) return;
  const { authenticationMethod: _, authenticationData: __, ...others } = packet.properties;
  packet.properties = others;
}

/** What a CONNACK or AUTH says of the authentication [MQTT5 4.12.0-5]. */
export function authProperties(
  auth: PeerAuth | undefined,
  data: Uint8Array | undefined,
): { authenticationMethod?: string; authenticationData?: Buffer } {
  if (auth === undefined) return {};
  return {
    authenticationMethod: auth.method,
    ...(data === undefined ? {} : { authenticationData: Buffer.from(data) }),
  };
}

export function authPacket(
  peer: Peer,
  reasonCode: typeof SUCCESS | typeof CONTINUE_AUTHENTICATION,
  data: Uint8Array | undefined,
): IAuthPacket {
  return { cmd: "auth", reasonCode, properties: authProperties(peer.auth, data) };
}

/**
 * The reason code of the first thing wrong with an AUTH, SUCCESS when there is none. `expected` is
 * the code that it has to have now; undefined when it is not the client's turn.
 */
export function checkAuth(
  packet: ReceivedAuth,
  auth: PeerAuth | undefined,
  expected: number | undefined,
): number {
  if (packet.invalidText) return MALFORMED_PACKET;
  const { properties = {} } = packet;
  if (packet.invalidProperty || Object.keys(properties).some((name) => !PROPERTIES.has(name))) {
    return PROTOCOL_ERROR;
  }
  if (expected === undefined || packet.reasonCode !== expected) return PROTOCOL_ERROR;
  const method = properties.authenticationMethod;
  if (method === undefined) return PROTOCOL_ERROR;
  return method === auth?.method ? SUCCESS : BAD_AUTHENTICATION_METHOD;
}

/** What an AUTH may carry [MQTT5 3.15.2.2]. */
const PROPERTIES: ReadonlySet<string> = new Set([
  "authenticationMethod",
  "authenticationData",
  "reasonString",
  "userProperties",
]);

/**
 * An AUTH of an accepted client: begins a re-authentication, or takes the next step of one. Other
 * packets are judged by the old rights in the meantime. `between` runs a task between two packets.
 */
export function receiveAuth(
  peer: Peer,
  packet: ReceivedAuth,
  between: (task: () => Promise<void>) => void,
): void {
  const { auth, session } = peer;
  const code = checkAuth(packet, auth, expectedCode(auth));
  if (code !== SUCCESS) {
    peer.host.log.refused("auth", peer.logged, { code, reason: "invalid_auth", by: "packet" });
    peer.disconnect(code);
    return;
  }
  peer.refreshKeepalive();
  const data = packet.properties?.authenticationData;
  const { next } = auth!;
  if (next) {
    auth!.next = undefined;
    next(data);
    return;
  }
  auth!.exchange = NOT_BEGUN;
  peer.setDeadline(peer.host.engine.config.mqtt.idleTimeoutMs, () => {
    peer.host.log.noted("info", "auth_timeout", peer.logged, "no end of re-authentication in time");
    peer.disconnect(NOT_AUTHORIZED);
  });
  follow(peer, session!.reauthenticate(data), between);
}

/** Stands for an exchange whose first step is being taken. */
const NOT_BEGUN: Pick<Exchange<unknown>, "abandon"> = { abandon() {} };

/** Undefined while the broker is about to answer. [MQTT5 4.12.0-3] */
function expectedCode(auth: PeerAuth | undefined): number | undefined {
  if (auth?.next) return CONTINUE_AUTHENTICATION;
  return auth?.exchange ? undefined : REAUTHENTICATE;
}

function follow(
  peer: Peer,
  pending: Promise<ReauthAnswer>,
  between: (task: () => Promise<void>) => void,
): void {
  pending.then(
    (answer) => settle(peer, answer, between),
    () => {
      const refusal = { code: SERVER_UNAVAILABLE, reason: "core_failed", by: "engine" };
      peer.host.log.refused("auth", peer.logged, refusal);
      peer.disconnect(SERVER_BUSY);
    },
  );
}

function settle(
  peer: Peer,
  answer: ReauthAnswer,
  between: (task: () => Promise<void>) => void,
): void {
  const { auth } = peer;
  if (!peer.isOpen || auth === undefined) {
    if (answer.verdict === "continue") answer.exchange.abandon();
  } else if (answer.verdict === "deny") {
    peer.host.log.refused("auth", peer.logged, answer);
    peer.disconnect(disconnectCodeFor(answer.code));
  } else if (answer.verdict === "continue") {
    const { exchange } = answer;
    auth.exchange = exchange;
    auth.next = (data) => follow(peer, exchange.step(data), between);
    peer.answer(authPacket(peer, CONTINUE_AUTHENTICATION, answer.data));
  } else {
    peer.meetDeadline();
    peer.subscriptions.forgetCoverage();
    const succeed = (): void => {
      auth.exchange = undefined;
      peer.answer(authPacket(peer, SUCCESS, answer.authData));
    };
    if (!peer.host.engine.config.switches.reauthentication_replaces) {
      succeed();
      return;
    }
    endAtExpiry(peer);
    between(async () => {
      const review = new Review();
      await reviewPeer(peer, review);
      if (!peer.isOpen) return;
      const why = `${review.removed} subscriptions taken away`;
      peer.host.log.noted("info", "reauthenticated", peer.logged, why);
      succeed();
    });
  }
}
