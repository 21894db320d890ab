/**
 * The decision core behind one interface. Everything else in src/ knows the core as this type;
 * wasm.ts is its only implementation.
 */
import type { Verdict } from "../types.ts";

/** A value an expression can see or give (spec: expressions §2.1). */
export type Value =
  | { readonly type: "bytes"; readonly value: Uint8Array }
  | { readonly type: "integer"; readonly value: bigint }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "null" }
  | { readonly type: "undefined" }
  | { readonly type: "atom"; readonly name: string }
  | { readonly type: "list"; readonly items: readonly Value[] }
  | { readonly type: "map"; readonly entries: readonly (readonly [Value, Value])[] }
  /** A tuple, opaque to the language; an IP address keeps its 4 or 16 bytes, others their items. */
  | {
      readonly type: "tuple";
      readonly bytes?: Uint8Array | undefined;
      readonly items?: readonly Value[] | undefined;
    };

export type EvaluationResult =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: ExpressionError };

export interface ExpressionError {
  /** Kind of spec expressions §3.4, e.g. `var_unbound`, `badarg`, `bad_argument`, `budget_steps`. */
  readonly kind: string;
  /** Function or variable it arose in, where known. Never an argument's value. */
  readonly where?: string | undefined;
}

/** What the rules say, before no_match and the rest of the chain. */
export interface RuleAnswer {
  /** `failed`: a condition raised; the source's failure result. */
  readonly verdict: Verdict | "no_match" | "failed";
  /** `own` and `shared`: among the stored rules of the client alone, and of others too. */
  readonly origin: "image" | "token" | "own" | "shared";
  /** From 0; -1 without a deciding rule (a denial then: the decision took too many steps). */
  readonly rule: number;
}
