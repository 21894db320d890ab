/** What the reference knows of a client, and texts as strings with one character per byte. */
import type { Text } from "../../src/types.ts";

/**
 * A missing key and `null` differ: a placeholder for a missing one never resolves, one for `null`
 * reads `undefined` in emqx mode.
 */
export interface ReferenceClient {
  readonly clientId: Text;
  readonly username?: Text | null;
  /** Address text. */
  readonly peerHost?: string | null;
  readonly zone?: Text;
  readonly listener?: Text;
  readonly certCommonName?: Text | null;
  readonly clientAttrs?: Readonly<Record<string, Text>>;
}

/** UTF-8 bytes of a text, one character each: the form in which the reference compares. */
export function byteString(text: Text): string {
  return Buffer.from(text).toString("latin1");
}

export function isUtf8(bytes: string): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(bytes, "latin1"));
    return true;
  } catch {
    return false;
  }
}
