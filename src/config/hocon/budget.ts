/** What substitutions may cost: a small text must not grow into a document that fills memory. */
import type { SourcePosition } from "../../types.ts";
import { LimitReached } from "./fault.ts";
import { JOINED_UNITS_MAX, SUBSTITUTION_DEPTH_MAX, VALUES_MAX } from "./limits.ts";

/** Slots that copying may make in all. */
const COPIES_MAX = 4 * VALUES_MAX;

/** What filling in substitutions has used up. Every method throws LimitReached past its limit. */
export class Budget {
  #values = 0;
  #copies = 0;
  #units = 0;
  #depth = 0;

  value(at: SourcePosition): void {
    this.#values += 1;
    if (this.#values > VALUES_MAX) {
      throw new LimitReached(at, `substitutions make more than ${VALUES_MAX} values`);
    }
  }

  copies(count: number, at: SourcePosition): void {
    this.#copies += count;
    if (this.#copies > COPIES_MAX) {
      throw new LimitReached(at, `substitutions copy more than ${COPIES_MAX} values`);
    }
  }

  joined(units: number, at: SourcePosition): void {
    this.#units += units;
    if (this.#units > JOINED_UNITS_MAX) {
      const message = `joining texts makes more than ${JOINED_UNITS_MAX} characters`;
      throw new LimitReached(at, message);
    }
  }

  enter(at: SourcePosition): void {
    this.#depth += 1;
    if (this.#depth > SUBSTITUTION_DEPTH_MAX) {
      const message = `more than ${SUBSTITUTION_DEPTH_MAX} substitutions need each other to be known`;
      throw new LimitReached(at, message);
    }
  }

  leave(): void {
    this.#depth -= 1;
  }
}
