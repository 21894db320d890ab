/** What a client sent in confidence, kept out of whatever is shown: traces, explanations. */
import { showText } from "../text.ts";
import type { Text } from "../types.ts";

export const HIDDEN = "(hidden)";

/** LIMIT: shorter pieces of a secret also occur by chance, and give nothing away. */
const PIECE_CHARS_MIN = 8;

export class Secrets {
  readonly #texts: readonly string[];

  /** Absent and empty ones are no secrets. */
  constructor(texts: readonly (Text | undefined)[]) {
    this.#texts = texts.map((text) => showText(text ?? "")).filter((text) => text !== "");
  }

  /** Is this text one of the secrets, does it hold one, or is it a piece of one? */
  covers(text: Text): boolean {
    const shown = showText(text);
    return this.#texts.some(
      (secret) =>
        shown.includes(secret) || (shown.length >= PIECE_CHARS_MIN && secret.includes(shown)),
    );
  }

  /** The line with every whole secret in it hidden, but for those so short that they occur by chance. */
  mask(line: string): string {
    return this.#texts
      .filter((secret) => secret.length >= PIECE_CHARS_MIN)
      .reduce((masked, secret) => masked.replaceAll(secret, HIDDEN), line);
  }
}
