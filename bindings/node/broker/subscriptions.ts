/** What one connection is subscribed to, as far as deliveries need to know. */
import { isFilterSubset } from "../../../src/topic/set.ts";
import type { Qos } from "./aedes.ts";

interface Held {
  readonly qos: Qos;
  /** The policy allows every topic of the filter, so that deliveries need no check. */
  readonly isCovered: boolean;
}

/** Keyed by the filter as the broker routes it (mountpoint included). */
export class Subscriptions {
  readonly #held = new Map<string, Held>();
  #uncovered = 0;
  /** The revision of the session that coverage was found out under. */
  #revision: object | undefined;
  readonly #countByQos: [number, number, number] = [0, 0, 0];

  get size(): number {
    return this.#held.size;
  }

  /** Filters and what was granted, as they are now. */
  list(): readonly (readonly [filter: string, qos: Qos])[] {
    return Array.from(this.#held, ([filter, { qos }]) => [filter, qos] as const);
  }

  /** Is there one whose deliveries have to be checked? */
  get someUncovered(): boolean {
    return this.#uncovered > 0;
  }

  /**
   * Finds out anew what is covered, when `revision` is another object than the last time. Call it
   * before `set` as well, which belongs to the revision of the last call.
   */
  follow(revision: object, isCovered: (filter: string, qos: Qos) => boolean): void {
    if (this.#revision === revision) return;
    this.#revision = revision;
    for (const [filter, { qos }] of [...this.#held]) this.set(filter, qos, isCovered(filter, qos));
  }

  /** What is covered has to be found out anew: the client has other rights. */
  forgetCoverage(): void {
    this.#revision = undefined;
  }

  set(filter: string, qos: Qos, isCovered: boolean): void {
    this.delete(filter);
    this.#held.set(filter, { qos, isCovered });
    this.#countByQos[qos]++;
    if (!isCovered) this.#uncovered++;
  }

  delete(filter: string): void {
    const held = this.#held.get(filter);
    if (!held) return;
    this.#held.delete(filter);
    this.#countByQos[held.qos]--;
    if (!held.isCovered) this.#uncovered--;
  }

  /** Does any filter select the topic? Cost: one pass over the filters. */
  match(topic: string): boolean {
    for (const filter of this.#held.keys()) if (isFilterSubset(topic, filter)) return true;
    return false;
  }

  /** What every filter was granted; undefined where they differ, and without any. */
  get onlyQos(): Qos | undefined {
    const qos = ([0, 1, 2] as const).find((level) => this.#countByQos[level] > 0);
    return qos !== undefined && this.#countByQos[qos] === this.#held.size ? qos : undefined;
  }

  /** The filters that select the topic, those with the highest QoS first. Cost: as `match`. */
  select(topic: string): (readonly [filter: string, qos: Qos])[] {
    const found = this.list().filter(([filter]) => isFilterSubset(topic, filter));
    return found.sort(([, a], [, b]) => b - a);
  }

  /**
   * The highest QoS granted to a filter that selects the topic [MQTT5 3.8.4-8], at most `qos`.
   * Only a client whose subscriptions differ in QoS costs a pass over its filters.
   */
  limitQos(topic: string, qos: Qos): Qos {
    const [zero, one, two] = this.#countByQos;
    const total = zero + one + two;
    if (qos === 0 || two === total) return qos;
    if (one === total) return 1;
    if (zero === total) return 0;
    let granted: Qos = 0;
    for (const [filter, held] of this.#held) {
      if (held.qos > granted && isFilterSubset(topic, filter)) granted = held.qos;
      if (granted >= qos) return qos;
    }
    return granted;
  }
}
