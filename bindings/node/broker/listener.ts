/** A port that connections come in at: who may connect, how many at a time, and TLS. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type AddressCheck, compileAccessRules } from "../../../src/compile/access-rules.ts";
import type { Switches } from "../../../src/config/compatibility.ts";
import type { ListenerConfig } from "../../../src/config/config.ts";
import { normaliseAddress } from "./client-info.ts";
import type { Origin } from "./peer.ts";
import { TlsAcceptor, type TlsHandlers, type TlsIdentity } from "./tls.ts";

export interface ListenerHandlers {
  /** A connection that packets can be read from. */
  onConnection(socket: Socket, origin: Origin): void;
  /** One that was closed before that. */
  onRefused(socket: Socket, listener: string, why: string): void;
}

export class Listener {
  /** `tcp:NAME`, `ssl:NAME`. */
  readonly id: string;
  readonly #handlers: ListenerHandlers;
  readonly #server: Server;
  readonly #tls: TlsAcceptor | undefined;
  #config: ListenerConfig;
  #mayConnect: AddressCheck;
  #connections = 0;

  /** Throws when the certificate cannot be used. */
  constructor(config: ListenerConfig, switches: Switches, handlers: ListenerHandlers) {
    this.id = `${config.type}:${config.name}`;
    this.#config = config;
    this.#handlers = handlers;
    this.#mayConnect = compileAccessRules(config.accessRules, switches);
    this.#tls = config.type === "ssl" ? this.#acceptor(config) : undefined;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections;
  }

  /** Rejects when the address is not to be had. */
  listen(): Promise<void> {
    const { host, port } = this.#config;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off("error", reject);
        // Running out of descriptors must not end the process; the next connection is tried again.
        this.#server.on("error", () => {});
        resolve();
      });
    });
  }

  /**
   * What holds for connections from now on: addresses, certificates, zone. Where it listens stays.
   * Throws when a certificate cannot be used, and then changes nothing.
   */
  follow(config: ListenerConfig, switches: Switches): void {
    if (config.tls) this.#tls?.follow(config.tls);
    this.#config = config;
    this.#mayConnect = compileAccessRules(config.accessRules, switches);
  }

  /** Where it listens; the port is the real one when 0 was asked for. */
  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Stops accepting; open connections stay. */
  close(): void {
    this.#server.close();
  }

  #acceptor({ tls }: ListenerConfig): TlsAcceptor {
    if (!tls) throw new Error(`the policy image holds no certificate for ${this.id}`);
    const handlers: TlsHandlers = {
      onOpen: (socket, identity) => this.#open(socket, identity),
      onRefused: (socket, why) => this.#handlers.onRefused(socket, this.id, why),
    };
    return new TlsAcceptor(tls, handlers);
  }

  #accept(socket: Socket): void {
    const isFull = this.#connections >= this.#config.maxConnections;
    const why = isFull ? undefined : this.#refusalOf(socket);
    if (isFull || why !== undefined) {
      if (why !== undefined) this.#handlers.onRefused(socket, this.id, why);
      socket.destroy();
      return;
    }
    this.#connections++;
    socket.once("close", () => this.#connections--);
    if (this.#tls) this.#tls.accept(socket);
    else this.#open(socket);
  }

  /**
   * Why nothing may be read from a connection. One that was reset before it got here has no address
   * any more, though what was sent can still be read: no rule about addresses would stop it.
   */
  #refusalOf({ remoteAddress }: Socket): string | undefined {
    if (remoteAddress === undefined) return "the connection is gone";
    const mayConnect = this.#mayConnect(normaliseAddress(remoteAddress));
    return mayConnect ? undefined : "the address may not connect";
  }

  #open(socket: Socket, identity?: TlsIdentity): void {
    this.#handlers.onConnection(socket, {
      listener: this.id,
      zone: this.#config.zone,
      serverName: identity?.serverName,
      certificate: identity?.certificate,
    });
  }
}
