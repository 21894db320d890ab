/** The tree of an expression. Offsets count UTF-16 units of the decoded source text. */

/** Where a node stands in the expression's text: [start, end). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Expr = TextExpr | IntegerExpr | FloatExpr | VariableExpr | CallExpr | ArrayExpr;

/** A string literal, or one of the words `true` and `false`, which are texts too. */
export interface TextExpr {
  readonly type: "text";
  readonly value: string;
  /** Written as the bare word `true` or `false`. */
  readonly isBoolean: boolean;
  readonly span: Span;
}

export interface IntegerExpr {
  readonly type: "integer";
  readonly value: bigint;
  readonly span: Span;
}

export interface FloatExpr {
  readonly type: "float";
  readonly value: number;
  readonly span: Span;
}

export interface VariableExpr {
  readonly type: "variable";
  /** As written, e.g. `client_attrs.tns`. */
  readonly name: string;
  readonly span: Span;
}

export interface CallExpr {
  readonly type: "call";
  /** As written, e.g. `lists.nth`. */
  readonly name: string;
  readonly nameSpan: Span;
  readonly args: readonly Expr[];
  readonly span: Span;
}

export interface ArrayExpr {
  readonly type: "array";
  /** Never empty. */
  readonly items: readonly Expr[];
  readonly span: Span;
}

/** The pieces of a dotted name; empty ones count for nothing (expressions §3.2). */
export function namePieces(name: string): readonly string[] {
  return name.split(".").filter((piece) => piece !== "");
}
