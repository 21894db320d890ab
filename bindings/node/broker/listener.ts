/** A TCP port that connections come in at. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { ListenerConfig } from "../../../src/config/config.ts";

export class TcpListener {
  /** `tcp:NAME`. */
  readonly id: string;
  readonly #config: ListenerConfig;
  readonly #server: Server;
  #connections = 0;

  constructor(config: ListenerConfig, onConnection: (socket: Socket) => void) {
    this.id = `${config.type}:${config.name}`;
    this.#config = config;
    this.#server = createServer({ noDelay: true }, (socket) => {
      if (this.#connections >= config.maxConnections) {
        socket.destroy();
        return;
      }
      this.#connections++;
      socket.once("close", () => this.#connections--);
      onConnection(socket);
    });
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

  /** Where it listens; the port is the real one when 0 was asked for. */
  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Stops accepting; open connections stay. */
  close(): void {
    this.#server.close();
  }
}
