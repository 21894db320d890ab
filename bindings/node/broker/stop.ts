/** Ends the broker in good order when the system says so. */
import type { Broker } from "./broker.ts";
import type { Logger } from "./log.ts";

/** The part of `process` that is needed. */
export interface SignalSource {
  on(signal: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  off(signal: "SIGTERM" | "SIGINT", listener: () => void): unknown;
}

/**
 * Resolves when the broker has been closed after SIGTERM or SIGINT. A second signal while it closes
 * gets the system's default, so that an impatient operator can end the process at once.
 */
export function stopOnSignal(broker: Broker, signals: SignalSource, log: Logger): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      signals.off("SIGTERM", stop);
      signals.off("SIGINT", stop);
      log.info({ event: "stopping", connections: broker.connections }, "stopping");
      broker.close().then(() => {
        log.info({ event: "stopped" }, "stopped");
        resolve();
      }, reject);
    };
    signals.on("SIGTERM", stop);
    signals.on("SIGINT", stop);
  });
}
