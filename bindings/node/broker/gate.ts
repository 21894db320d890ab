/**
 * The gate: every packet of a connection passes here before aedes sees it.
 *
 * aedes handles the packets of one read concurrently. The gate keeps their order wherever a
 * decision takes time: while one is awaited nothing more is read, and what had been read waits.
 */
import type { ReceivedAuth, ReceivedConnect, ReceivedPacket, ReceivedPublish } from "./aedes.ts";
import { receiveAuth } from "./auth.ts";
import { receiveConnect, receiveExchanged, refuseConnect } from "./connect.ts";
import { endAtExpiry } from "./expiry.ts";
import { packetWireBytes } from "./hardening.ts";
import type { Peer } from "./peer.ts";
import { receivePublish } from "./publish.ts";
import { PACKET_TOO_LARGE, PROTOCOL_ERROR } from "./reason-codes.ts";
import { type Review, reviewPeer } from "./review.ts";
import { receiveSubscribe, receiveUnsubscribe } from "./subscribe.ts";

/** LIMIT: packets a client may send before its CONNACK [MQTT5 3.1.4-5]. */
export const EARLY_PACKETS_MAX = 100;

export class Gate {
  readonly #peer: Peer;
  readonly #pass: (packet: ReceivedPacket) => void;
  /** A review that waits until the packet in hand is done. */
  #review: Review | undefined;
  /** Something else that waits for that. */
  #task: (() => Promise<void>) | undefined;
  readonly #between = (task: () => Promise<void>): void => {
    this.#task = task;
    if (this.#peer.phase === "accepted" && !this.#peer.isBusy) void this.#resumeTask();
  };

  /** Takes the place of aedes' own packet listener. */
  constructor(peer: Peer) {
    const parser = peer.client._parser;
    const listener = parser.listeners("packet")[0]!;
    this.#peer = peer;
    this.#pass = (packet) => listener.call(parser, packet);
    parser.removeAllListeners("packet");
    parser.on("packet", (packet) => this.#receive(packet));
  }

  /** The CONNACK is out: handle what came early, then everything as it comes. */
  open(): void {
    const peer = this.#peer;
    if (peer.phase !== "registering") return;
    peer.phase = "accepted";
    peer.meetDeadline();
    endAtExpiry(peer);
    if (!this.#resumeReview()) this.#handleHeld();
  }

  /**
   * The policy has changed: asks again about what the client is subscribed to. Between two packets,
   * so that no SUBSCRIBE is half done; resolves when that was now, or is certain to come.
   */
  async review(review: Review): Promise<void> {
    const { phase, isBusy, isOpen } = this.#peer;
    if (!isOpen || (phase !== "accepted" && phase !== "registering")) return;
    this.#review = review;
    if (phase === "accepted" && !isBusy) await this.#resumeReview();
  }

  #resumeTask(): Promise<void> | undefined {
    const task = this.#task;
    this.#task = undefined;
    return task && this.#await(task());
  }

  #resumeReview(): Promise<void> | undefined {
    const review = this.#review;
    this.#review = undefined;
    return review && this.#await(reviewPeer(this.#peer, review));
  }

  #receive(packet: ReceivedPacket): void {
    const peer = this.#peer;
    if (peer.phase === "accepted" && !peer.isBusy && peer.held.length === 0) {
      this.#handle(packet);
    } else if (peer.phase === "new") {
      this.#receiveFirst(packet);
    } else if (peer.phase === "exchanging") {
      this.#receiveExchanged(packet);
    } else if (peer.phase !== "closed") {
      this.#hold(packet);
    }
  }

  #receiveFirst(packet: ReceivedPacket): void {
    const peer = this.#peer;
    // [MQTT5 3.1.0-1] What does not begin with CONNECT is not talking to us.
    if (packet.cmd !== "connect" || this.#isTooLarge(packet)) {
      peer.host.log.noted("info", "first_packet_refused", peer.logged, packet.cmd);
      peer.drop();
      return;
    }
    receiveConnect(peer, packet as ReceivedConnect, (accepted) => this.#admit(accepted));
  }

  #receiveExchanged(packet: ReceivedPacket): void {
    const peer = this.#peer;
    if (packet.cmd === "connect") this.#refuseSecondConnect();
    else if (this.#isTooLarge(packet)) {
      refuseConnect(peer, { code: PACKET_TOO_LARGE, reason: "packet_too_large", by: "packet" });
    } else receiveExchanged(peer, packet);
  }

  #hold(packet: ReceivedPacket): void {
    const peer = this.#peer;
    if (packet.cmd === "connect") {
      this.#refuseSecondConnect();
    } else if (packet.cmd === "auth" && peer.phase === "deciding") {
      // It is not the client's turn. [MQTT5 4.12.0-3]
      refuseConnect(peer, { code: PROTOCOL_ERROR, reason: "invalid_auth", by: "packet" });
    } else if (peer.phase !== "accepted" && peer.held.length >= EARLY_PACKETS_MAX) {
      peer.host.log.noted("info", "too_many_early_packets", peer.logged, packet.cmd);
      peer.drop();
    } else {
      peer.held.push(packet);
      // aedes reads on by itself after the CONNACK, whatever is being awaited here.
      if (peer.isBusy) peer.client.pause();
    }
  }

  /** [MQTT5 3.1.0-2] */
  #refuseSecondConnect(): void {
    const peer = this.#peer;
    if ((peer.phase === "deciding" || peer.phase === "exchanging") && peer.version === 5) {
      refuseConnect(peer, { code: PROTOCOL_ERROR, reason: "second_connect", by: "packet" });
    } else {
      peer.host.log.noted("info", "second_connect", peer.logged, "protocol error");
      peer.disconnect(PROTOCOL_ERROR);
    }
  }

  #handle(packet: ReceivedPacket): void {
    try {
      this.#judge(packet);
    } catch (error) {
      this.#fail(error);
    }
  }

  #judge(packet: ReceivedPacket): void {
    const peer = this.#peer;
    if (this.#isTooLarge(packet)) {
      peer.client.rejectPacketTooLarge(packetWireBytes(packet.length ?? 0));
      return;
    }
    if (packet.invalidProperty) {
      peer.disconnect(PROTOCOL_ERROR);
      return;
    }
    const pending = this.#dispatch(packet);
    if (pending) void this.#await(pending);
  }

  #dispatch(packet: ReceivedPacket): Promise<void> | undefined {
    const peer = this.#peer;
    switch (packet.cmd) {
      case "publish":
        return receivePublish(peer, packet as ReceivedPublish, (admitted) => this.#admit(admitted));
      case "subscribe":
        return receiveSubscribe(peer, packet);
      case "unsubscribe":
        return receiveUnsubscribe(peer, packet);
      case "connect":
        this.#refuseSecondConnect();
        return undefined;
      case "auth":
        receiveAuth(peer, packet as ReceivedAuth, this.#between);
        return undefined;
      default:
        this.#pass(packet);
        return undefined;
    }
  }

  #admit(packet: ReceivedPacket): void {
    const peer = this.#peer;
    peer.admitted = packet;
    this.#pass(packet);
    peer.admitted = undefined;
  }

  #await(pending: Promise<void>): Promise<void> {
    const peer = this.#peer;
    peer.isBusy = true;
    peer.client.pause();
    return pending
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        peer.isBusy = false;
        if (peer.phase === "accepted" && (this.#resumeReview() ?? this.#resumeTask())) return;
        this.#handleHeld();
        if (!peer.isBusy && !peer.isBlocked && peer.isOpen) peer.resume();
      });
  }

  /** A packet that could not be judged is not let through, and the connection is over. */
  #fail(error: unknown): void {
    const { client } = this.#peer;
    client.emit("error", error instanceof Error ? error : new Error(String(error)));
  }

  #handleHeld(): void {
    const peer = this.#peer;
    let handled = 0;
    const { held } = peer;
    while (handled < held.length && peer.phase === "accepted" && !peer.isBusy) {
      this.#handle(held[handled++]!);
    }
    if (peer.held === held) peer.held = held.slice(handled);
  }

  #isTooLarge(packet: ReceivedPacket): boolean {
    const { maxPacketSizeBytes } = this.#peer.host.engine.config.mqtt;
    return packetWireBytes(packet.length ?? 0) > maxPacketSizeBytes;
  }
}
