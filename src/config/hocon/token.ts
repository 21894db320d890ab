/** What the lexer hands to the parser. */
import type { SourcePosition } from "../../types.ts";
import type { TextLayout } from "./node.ts";

/** What a piece of text is. `word` is unquoted text, `unit` a percent, size or duration text. */
export type TokenType =
  | "{"
  | "}"
  | "["
  | "]"
  | ","
  | "="
  | ":"
  | "("
  | ")"
  | "word"
  | "quoted"
  | "raw"
  | "unit"
  | "integer"
  | "float"
  | "boolean"
  | "null"
  | "substitution"
  /** Not HOCON; `problem` says why. */
  | "bad"
  | "end";

export interface Token {
  readonly type: TokenType;
  /** A text's value, a number as written, a substitution's path; otherwise the source text. */
  readonly text: string;
  /** UTF-16 offsets in the file. */
  readonly start: number;
  readonly end: number;
  readonly at: SourcePosition;
  readonly endLine: number;
  /** First character inside the quotes. */
  readonly contentAt?: SourcePosition;
  readonly layout?: TextLayout | undefined;
  /** `${?path}`. */
  readonly optional?: boolean;
  /** Blanks, a line end or a comment stand before it. */
  readonly spaced: boolean;
  readonly problem?: Problem;
}

/** What is wrong, and what to write instead. */
export interface Problem {
  readonly message: string;
  readonly hint?: string | undefined;
  /** The message quotes source text, which a secret's key must not let out. */
  readonly quotes?: boolean;
}
