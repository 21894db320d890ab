/** PEM text → blocks. Text around the blocks is ignored, as in the reference. */
import type { PemBlock } from "./crypto.ts";

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;

/** The labels that hold, or lead to, a public key. */
export const KEY_LABELS: readonly string[] = [
  "PUBLIC KEY",
  "RSA PUBLIC KEY",
  "CERTIFICATE",
  "PRIVATE KEY",
  "RSA PRIVATE KEY",
  "EC PRIVATE KEY",
];

export type PemReading =
  | { readonly ok: true; readonly blocks: readonly PemBlock[] }
  | { readonly ok: false; readonly problem: string };

/**
 * All blocks of `text`, in order; at least one, each with a key or certificate.
 *
 * A problem never quotes the text: it may be a private key. Source: authentication §3.3.1.
 */
export function readPem(text: string): PemReading {
  const blocks: PemBlock[] = [];
  for (const [, label = "", body = ""] of text.matchAll(BLOCK)) {
    if (!KEY_LABELS.includes(label)) {
      return problem(`a \`${label}\` block is not a usable key`);
    }
    const der = decodeBody(body);
    if (der === undefined) return problem(`the \`${label}\` block is not base64`);
    blocks.push({ label, der });
  }
  return blocks.length > 0 ? { ok: true, blocks } : problem("there is no PEM block");
}

function decodeBody(body: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function problem(text: string): PemReading {
  return { ok: false, problem: text };
}
