/**
 * What aedes 2.0.0-beta.1 lacks to face hostile clients. Every entry here has a test, and goes when
 * a release has it. Packets themselves are dealt with by the parser guard and the gate.
 */
import type { AedesBroker, AedesClient, AedesStore, Subscription } from "./aedes.ts";

/** LIMIT: topic levels the routing tables of aedes can hold; one more would throw inside them. */
export const LEVELS_ROUTABLE_MAX = 100;

/** LIMIT: inbound QoS 2 messages of one session that wait for PUBREL. Advertised in CONNACK. */
export const QOS2_PENDING_MAX = 100;

/** LIMIT: messages waiting for an absent or slow client; further ones are not queued. */
export const QUEUED_MESSAGES_MAX = 1_000;

/** Size on the wire of a packet, from its remaining length. [MQTT5 2.1.4] */
export function packetWireBytes(remaining: number): number {
  if (remaining < 2 ** 7) return 2 + remaining;
  if (remaining < 2 ** 14) return 3 + remaining;
  return (remaining < 2 ** 21 ? 4 : 5) + remaining;
}

/** Call between the construction of the broker and `listen`. */
export function hardenBroker(aedes: AedesBroker): void {
  // Clients named `__proto__` or `constructor` are clients like any other.
  aedes.clients = Object.create(null);
  aedes.brokers = Object.create(null);
  guardRegistration(aedes);
}

/** Call after `listen`, which makes the store and the internal listeners. */
export function hardenRouting(aedes: AedesBroker, qos2: Qos2Ledger): void {
  hardenStore(aedes, qos2);
  // These let brokers of a cluster talk to each other; here any client allowed to publish to
  // `$SYS/…` could disconnect others, or publish the wills of clients that live.
  for (const name of ["heartbeat", "birth", "new/clients"]) {
    aedes.mq.removeAllListeners(`$SYS/+/${name}`);
  }
  clearInterval(aedes._clearWillInterval);
}

/** Call for each connection before it reads. */
export function hardenClient(client: AedesClient): void {
  // Topics and filters called `constructor` are ordinary too.
  client.subscriptions = Object.create(null);
  client.duplicates = Object.create(null);
  // The deadline is the broker's own, and goes on until CONNACK.
  if (client._connectTimer) clearTimeout(client._connectTimer);
  client._connectTimer = null;
}

/**
 * Keeps connections from being registered after their end, and from taking another one with the
 * same id off the list when they end.
 */
function guardRegistration(aedes: AedesBroker): void {
  const { registerClient, _finishRegisterClient, unregisterClient, scheduleSessionExpiry } = aedes;

  aedes.registerClient = (client) => {
    if (!client.closed) registerClient.call(aedes, client);
  };
  aedes._finishRegisterClient = (client) => {
    if (client.closed) aedes._takingOver.delete(client.id!);
    else _finishRegisterClient.call(aedes, client);
  };
  aedes.unregisterClient = (client) => {
    if (aedes.clients[client.id!] === client) unregisterClient.call(aedes, client);
    else aedes.emit("clientDisconnect", client);
  };
  aedes.scheduleSessionExpiry = (client) => {
    if (aedes.clients[client.id!] === undefined) scheduleSessionExpiry.call(aedes, client);
  };
}

type Pending = Map<number, "begun" | "stored">;

/**
 * Which inbound QoS 2 messages wait for their PUBREL. Only identifiers are kept; for a clean
 * session they die with the connection, so that a later session with the same client id cannot
 * have its messages mistaken for repetitions.
 */
export class Qos2Ledger {
  readonly #byConnection = new WeakMap<AedesClient, Pending>();
  readonly #bySession = new Map<string, Pending>();

  /** Notes a message that was let in; false when too many are in flight already. */
  begin(client: AedesClient, messageId: number): boolean {
    const pending = this.#pendingOf(client);
    if (pending.has(messageId)) return true;
    if (pending.size >= QOS2_PENDING_MAX) return false;
    pending.set(messageId, "begun");
    return true;
  }

  /** Is this the first time the message comes by? */
  isFirst(client: AedesClient, messageId: number): boolean {
    const pending = this.#pendingOf(client);
    if (pending.get(messageId) === "stored") return false;
    pending.set(messageId, "stored");
    return true;
  }

  /** False when the message was not known. */
  end(client: AedesClient, messageId: number): boolean {
    const pending = this.#pendingOf(client);
    const isKnown = pending.delete(messageId);
    if (pending.size === 0 && !client.clean) this.#bySession.delete(client.id!);
    return isKnown;
  }

  forget(clientId: string): void {
    this.#bySession.delete(clientId);
  }

  #pendingOf(client: AedesClient): Pending {
    const key = client.clean ? client : client.id!;
    const known = typeof key === "string" ? this.#bySession.get(key) : this.#byConnection.get(key);
    if (known) return known;
    const pending: Pending = new Map();
    if (typeof key === "string") this.#bySession.set(key, pending);
    else this.#byConnection.set(key, pending);
    return pending;
  }
}

/** No identifier on the wire is negative. */
const UNDELIVERED = -1;

/** Replaces the parts of the store that misbehave. */
function hardenStore(aedes: AedesBroker, qos2: Qos2Ledger): void {
  const store: AedesStore = aedes.persistence;
  const queuedCount = new Map<string, number>();
  const { cleanSubscriptions, subscriptionsByClient, outgoingUpdate } = store;
  const { outgoingEnqueue, outgoingEnqueueCombi, outgoingClearMessageId } = store;

  store.incomingStorePacket = async () => {};
  store.incomingGetPacket = async (client, packet) => {
    if (qos2.isFirst(client, packet.messageId!)) throw new Error("no such packet");
    return packet;
  };
  store.incomingDelPacket = async (client, packet) => {
    if (!qos2.end(client, packet.messageId!)) throw new Error("no such packet");
  };
  store.cleanSubscriptions = (client) => {
    qos2.forget(client.id!);
    return cleanSubscriptions.call(store, client);
  };

  store.subscriptionsByClient = async (client) => {
    const subscriptions = await subscriptionsByClient.call(store, client);
    return subscriptions.length > 1 ? subscriptions.map(wrapProto) : subscriptions;
  };

  const mayQueue = (clientId: string): boolean => {
    const count = queuedCount.get(clientId) ?? 0;
    if (count >= QUEUED_MESSAGES_MAX) return false;
    queuedCount.set(clientId, count + 1);
    return true;
  };
  store.outgoingEnqueue = async (subscription, packet) => {
    if (mayQueue(subscription.clientId)) await outgoingEnqueue.call(store, subscription, packet);
  };
  store.outgoingEnqueueCombi = (subscriptions, packet) => {
    const served = subscriptions.filter(({ clientId }) => mayQueue(clientId));
    return outgoingEnqueueCombi.call(store, served, packet);
  };
  // A message that is not delivered has no identifier yet, and the store would take the first one
  // without for it: so it gets one for the occasion.
  store.outgoingClearMessageId = async (client, packet) => {
    if (packet.isDeferred) return undefined;
    let messageId = packet.messageId;
    if (messageId === undefined && packet.brokerCounter !== undefined) {
      messageId = UNDELIVERED;
      try {
        await outgoingUpdate.call(store, client, { ...packet, messageId });
      } catch {
        return undefined;
      }
    }
    const cleared = await outgoingClearMessageId.call(store, client, { ...packet, messageId });
    const count = queuedCount.get(client.id!) ?? 0;
    if (cleared !== undefined && count > 1) queuedCount.set(client.id!, count - 1);
    else if (cleared !== undefined) queuedCount.delete(client.id!);
    return cleared;
  };

  // A message that was never queued (queue full, or an empty level under `+`, which the store does
  // not match) is still delivered; failing here would cut the receiver off.
  store.outgoingUpdate = async (client, packet) => {
    try {
      await outgoingUpdate.call(store, client, packet);
    } catch (error) {
      if (packet.cmd !== "publish") throw error;
    }
  };
}

/**
 * aedes sorts several restored subscriptions into an object keyed by filter, and reads the values
 * back with `for … in`. Under the key `__proto__` the value becomes the prototype, whose members
 * are read as well: so the one member of this one is the subscription. NUL is in no filter.
 */
function wrapProto(subscription: Subscription): Subscription {
  if (subscription.topic !== "__proto__") return subscription;
  return Object.create(null, {
    topic: { value: "__proto__" },
    "\0": { value: subscription, enumerable: true },
  });
}
