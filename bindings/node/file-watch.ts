/**
 * Notices when one of the files that a configuration was read from has changed.
 *
 * It looks at them every second instead of asking the system to be told: that also works on network
 * file systems, in containers, and where files are swapped by renaming them or a link above them.
 */
import { statSync } from "node:fs";
import type { Clock, TimerHandle } from "./broker/clock.ts";

/** How often the files are looked at; a change counts when it has been stable for as long. */
export const LOOK_EVERY_MS = 1_000;

export class FileWatch {
  readonly #clock: Clock;
  readonly #onChange: () => Promise<void>;
  /** Path → what the file looked like right before it was read. */
  #noted = new Map<string, string>();
  /** How a change looked the last time, to see whether somebody is still writing. */
  #unsettled: string | undefined;
  #timer: TimerHandle | undefined;
  #isClosed = false;

  /** `onChange` reads the files again, and notes them; until it is done nothing is looked at. */
  constructor(clock: Clock, onChange: () => Promise<void>) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Forgets what was noted; call before the files are read again. */
  begin(): void {
    this.#noted = new Map();
    this.#unsettled = undefined;
  }

  /** Notes a file; call before it is read, so that no change can come in between. */
  note(path: string): void {
    if (!this.#noted.has(path)) this.#noted.set(path, lookAt(path));
  }

  /** Files noted, present or not. */
  get files(): readonly string[] {
    return [...this.#noted.keys()];
  }

  start(): void {
    if (this.#isClosed) return;
    this.#timer = this.#clock.setTimer(() => {
      if (!this.#hasChanged()) this.start();
      else this.#onChange().finally(() => this.start());
    }, LOOK_EVERY_MS);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.clear();
  }

  #hasChanged(): boolean {
    const paths = this.files;
    const now = paths.map(lookAt);
    const isSame = paths.every((path, index) => this.#noted.get(path) === now[index]);
    const before = this.#unsettled;
    this.#unsettled = isSame ? undefined : now.join("\n");
    return !isSame && this.#unsettled === before;
  }
}

/** Identity, size and times of a file; contents are not read. */
function lookAt(path: string): string {
  try {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (!found) return "absent";
    return `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
