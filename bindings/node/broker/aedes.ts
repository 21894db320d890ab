/**
 * What the broker touches of aedes and mqtt-packet, spelled out.
 *
 * Fields with an underscore are not API. aedes is pinned to the exact version they were read in,
 * and every use of one is in this folder.
 */
import type { Socket } from "node:net";
import type {
  IAuthPacket,
  IConnackPacket,
  IConnectPacket,
  IPublishPacket,
  ISubscribePacket,
  ISubscription,
  Packet,
} from "mqtt-packet";

export type Qos = 0 | 1 | 2;

export type Will = NonNullable<IConnectPacket["will"]>;

/** A packet as the parser hands it over; `length` is the remaining length on the wire. */
export type ReceivedPacket = Packet & ParserMarks;
export type ReceivedConnect = IConnectPacket & ParserMarks;
export type ReceivedAuth = IAuthPacket & ParserMarks;
export type ReceivedPublish = IPublishPacket & ParserMarks;
export type ReceivedSubscribe = ISubscribePacket & ParserMarks;

/** What the parser guard found (see parser-guard.ts). */
export interface ParserMarks {
  /** Some text of the packet was not UTF-8. */
  invalidText?: boolean;
  /** A property was truncated, repeated, or a flag other than 0 and 1. */
  invalidProperty?: boolean;
}

/** A message that the broker publishes for a client that may be gone. */
export interface PublishedPacket {
  readonly cmd: "publish";
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties?: IPublishPacket["properties"] | undefined;
}

/** A message on its way to one client. */
export interface DeliveredPacket {
  cmd: string;
  topic: string;
  qos: Qos;
  retain: boolean;
  payload: Buffer;
  brokerId?: string;
  brokerCounter?: number;
  messageId?: number | undefined;
  /** Not now, but it has to stay in the queue. */
  isDeferred?: boolean;
}

export type Subscription = ISubscription & { subscriptionIdentifier?: number };

export interface AedesParser {
  packet: (Packet & ParserMarks) | null;
  _list: { length: number; slice(start: number, end: number): Buffer };
  _pos: number;
  parse(bytes: Buffer): number;
  _parseString(): string | null;
  _parseByType(type: string): unknown;
  _parseProperties(): Record<string, unknown> | false;
  _parseAuth(): unknown;
  listeners(event: "packet"): ((packet: ReceivedPacket) => void)[];
  removeAllListeners(event: "packet"): void;
  on(event: "packet", listener: (packet: ReceivedPacket) => void): void;
}

export interface AedesClient {
  /** Null until a CONNECT was let in. */
  id: string | null;
  /** The session ends with the connection. */
  clean: boolean;
  version: 3 | 4 | 5 | null;
  readonly conn: Socket;
  readonly connected: boolean;
  connackSent: boolean;
  readonly closed: boolean;
  readonly will: Will | null;
  disconnectReasonCode: number | null;
  /** Keyed by topic filter. */
  subscriptions: Record<string, unknown>;
  /** Keyed by broker id. */
  duplicates: Record<string, number>;
  _assignedClientId: string | undefined;
  /** The client said goodbye, so there is no will. */
  readonly _disconnected: boolean;
  readonly _parser: AedesParser;
  _parsingBatch: number;
  _connectTimer: NodeJS.Timeout | null;
  readonly _keepaliveTimer: NodeJS.Timeout | null;
  readonly _keepaliveInterval: number;
  pause(): void;
  resume(): void;
  close(done?: () => void): void;
  disconnect(options: object, done?: () => void): void;
  emit(event: "error", error: Error): boolean;
  subscribe(packet: object, done: (error?: Error | null) => void): void;
  unsubscribe(packet: object, done: (error?: Error | null) => void): void;
  waitForDrain(done: () => void): void;
  rejectPacketTooLarge(wireBytes: number): void;
}

/** The persistence interface, as far as it is wrapped. */
export interface AedesStore {
  cleanSubscriptions(client: AedesClient): Promise<void>;
  subscriptionsByClient(client: { id: string }): Promise<Subscription[]>;
  removeSubscriptions(client: { id: string }, filters: readonly string[]): Promise<void>;
  incomingStorePacket(client: AedesClient, packet: { messageId?: number }): Promise<void>;
  incomingGetPacket(client: AedesClient, packet: { messageId?: number }): Promise<unknown>;
  incomingDelPacket(client: AedesClient, packet: { messageId?: number }): Promise<void>;
  outgoingEnqueue(sub: { clientId: string }, packet: object): Promise<void>;
  outgoingEnqueueCombi(subs: readonly { clientId: string }[], packet: object): Promise<void>;
  outgoingUpdate(client: AedesClient, packet: DeliveredPacket): Promise<void>;
  outgoingClearMessageId(client: AedesClient, packet: DeliveredPacket): Promise<unknown>;
  delWill(client: { id: string | null; brokerId?: string }): Promise<unknown>;
}

export interface AedesBroker {
  readonly id: string;
  readonly closed: boolean;
  clients: Record<string, AedesClient>;
  brokers: Record<string, number>;
  persistence: AedesStore;
  readonly delayedWills: ReadonlyMap<string, unknown>;
  readonly mq: { removeAllListeners(topic: string): void };
  readonly _clearWillInterval: NodeJS.Timeout;
  readonly _takingOver: Set<string>;
  listen(): Promise<void>;
  handle(socket: Socket): AedesClient;
  close(done: () => void): void;
  publish(packet: object, client: AedesClient, done: (error?: Error | null) => void): void;
  publishWill(client: AedesClient, will: Will): void;
  scheduleWill(client: AedesClient, will: Will, delaySeconds: number): void;
  clearDelayedWill(clientId: string): void;
  registerClient(client: AedesClient): void;
  _finishRegisterClient(client: AedesClient): void;
  unregisterClient(client: AedesClient): void;
  scheduleSessionExpiry(client: AedesClient): void;
  emit(event: "clientDisconnect", client: AedesClient): boolean;
  on(event: "error", listener: (error: Error) => void): void;
  on(
    event: "clientError" | "connectionError",
    listener: (client: AedesClient, error: Error) => void,
  ): void;
  on(event: "connackSent", listener: (packet: IConnackPacket, client: AedesClient) => void): void;
}
