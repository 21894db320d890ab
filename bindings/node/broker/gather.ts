/**
 * Gathers what is written to a socket in one turn of the event loop into one system call. aedes
 * makes a call for each message, which is a third of the cost of delivering it.
 */
import type { Socket } from "node:net";

export class WriteGatherer {
  #sockets = new Set<Socket>();

  /** Holds writes to the socket back until what is being handled now has been written. */
  hold(socket: Socket): void {
    const sockets = this.#sockets;
    if (sockets.has(socket)) return;
    socket.cork();
    sockets.add(socket);
    if (sockets.size > 1) return;
    // aedes writes in immediates of its own. Queued only after the current read is handled, this
    // one comes behind all of them, in the same turn.
    process.nextTick(() => setImmediate(() => this.#flush()));
  }

  /** Writes now what is held back for the socket. */
  release(socket: Socket): void {
    if (this.#sockets.delete(socket)) socket.uncork();
  }

  #flush(): void {
    const sockets = this.#sockets;
    this.#sockets = new Set();
    for (const socket of sockets) socket.uncork();
  }
}
