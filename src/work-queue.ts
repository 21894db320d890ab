/** Work that is done a few at a time, first come, first served. */

export class WorkQueue {
  readonly #atOnce: number;
  readonly #waiting: { readonly start: () => void; readonly giveUp: (why: Error) => void }[] = [];
  #running = 0;

  /** `atOnce`: a whole number above 0. */
  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Would one more begin at once, or be one of at most `waitingMax` that wait? */
  hasRoom(waitingMax: number): boolean {
    return this.#running < this.#atOnce || this.#waiting.length < waitingMax;
  }

  /** Does the work when its turn has come; what it comes to, a rejection too, is the promise's. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnce) this.#running++;
    // Whoever is done hands its place on, so that nobody can come in between.
    else await new Promise<void>((start, giveUp) => this.#waiting.push({ start, giveUp }));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next.start();
      else this.#running--;
    }
  }

  /** What waits is never done, and rejects. */
  abandon(): void {
    const why = new Error("the work was given up before its turn");
    for (const { giveUp } of this.#waiting.splice(0)) giveUp(why);
  }
}
