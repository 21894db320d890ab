/** What the parser makes of a text, before keys are merged and substitutions filled in. */
import type { SourcePosition } from "../../types.ts";
import type { HoconScalar } from "./node.ts";

export type Expr = ScalarExpr | ArrayExpr | ObjectExpr | JoinExpr | SubstitutionExpr;

export interface ScalarExpr {
  readonly kind: "scalar";
  readonly node: HoconScalar;
}

export interface ArrayExpr {
  readonly kind: "array";
  readonly at: SourcePosition;
  readonly items: readonly Expr[];
  /** A substitution stands somewhere inside. */
  readonly isOpen: boolean;
}

export interface ObjectExpr {
  readonly kind: "object";
  readonly at: SourcePosition;
  readonly members: readonly Member[];
  readonly isOpen: boolean;
}

/** Values written side by side: texts, objects, arrays, substitutions. At least two. */
export interface JoinExpr {
  readonly kind: "join";
  readonly at: SourcePosition;
  readonly parts: readonly Expr[];
  readonly isOpen: boolean;
}

export interface SubstitutionExpr {
  readonly kind: "substitution";
  readonly at: SourcePosition;
  readonly path: readonly string[];
  readonly isOptional: boolean;
  /** Its path may be a piece of a secret that lost its quotes. */
  readonly isSecret: boolean;
}

/** `a.b.c = value`; the key has at least one segment. */
export interface Member {
  readonly key: readonly string[];
  readonly keyAt: SourcePosition;
  readonly value: Expr;
}

export function isOpen(expr: Expr): boolean {
  return expr.kind === "substitution" || (expr.kind !== "scalar" && expr.isOpen);
}

export function placeOf(expr: Expr): SourcePosition {
  return expr.kind === "scalar" ? expr.node.at : expr.at;
}
