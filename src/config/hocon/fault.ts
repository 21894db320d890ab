/** Thrown and caught inside the reader only; callers see issues. */
import type { SourcePosition } from "../../types.ts";

/** A mistake in one member. Reading goes on behind it. */
export class Fault extends Error {
  readonly at: SourcePosition;
  readonly hint: string | undefined;
  /** Reading goes on after this line of the text. */
  readonly line: number;

  constructor(at: SourcePosition, message: string, hint?: string, line = at.line) {
    super(message);
    this.at = at;
    this.hint = hint;
    this.line = line;
  }
}

/** A limit was met. Nothing more is read. */
export class LimitReached extends Error {
  readonly at: SourcePosition;

  constructor(at: SourcePosition, message: string) {
    super(message);
    this.at = at;
  }
}
