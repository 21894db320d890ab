/**
 * Why an answer came out: a list of steps, collected only when someone asks (`portcullis explain`).
 * A step never holds a secret; texts a client sent are quoted and cut.
 */
import type { ExpressionError } from "../core/core.ts";
import { showText } from "../text.ts";
import type { SourcePosition } from "../types.ts";

export interface TraceStep {
  /** Part of the pipeline, e.g. `identity`, `client_attrs`, `authentication`, `authorization`. */
  readonly stage: string;
  /** Configuration path, or the rule's place. */
  readonly at: string;
  /** What happened, in a word or two: `ignore`, `no match`, `allow`. */
  readonly outcome: string;
  readonly detail?: string | undefined;
  readonly position?: SourcePosition | undefined;
}

/** Receives the steps in order. */
export type Trace = (step: TraceStep) => void;

/** A client's text, safe to show: quoted, control characters escaped, at most `charsMax`. */
export function quoteText(text: string | Uint8Array | undefined, charsMax = 64): string {
  if (text === undefined) return "(none)";
  const shown = showText(text);
  const cut = shown.length > charsMax ? `${shown.slice(0, charsMax)}…` : shown;
  return JSON.stringify(cut);
}

/** `badarg in lower`; names nothing that a client sent. */
export function describeError({ kind, where }: ExpressionError): string {
  return where ? `${kind} in ${where}` : kind;
}
