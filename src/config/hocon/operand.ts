/** Single values, and which of them may stand side by side. Source: authentication §7.1, §7.2. */
import type { Expr } from "./ast.ts";
import type { HoconScalar } from "./node.ts";
import type { Token } from "./token.ts";

/**
 * `single` (number, boolean, null) joins nothing, `open` is a substitution, which may turn out to
 * be anything.
 */
export type PartKind = "single" | "text" | "object" | "array" | "open";

export function partKind(expr: Expr): PartKind {
  switch (expr.kind) {
    case "scalar":
      return expr.node.kind === "text" ? "text" : "single";
    case "substitution":
      return "open";
    case "join":
      return partKind(expr.parts[expr.parts.length - 1] as Expr);
    default:
      return expr.kind;
  }
}

/**
 * The kind that `next` adds when it is joined to a value ending in `kind`; undefined when it starts
 * something else. Texts and lists join across lines, objects only on one line.
 */
export function joinKinds(kind: PartKind, next: Token, isNewLine: boolean): PartKind | undefined {
  const takesText = kind === "text" || kind === "open";
  switch (next.type) {
    case "word":
    case "quoted":
    case "raw":
    case "unit":
      return takesText ? "text" : undefined;
    case "substitution":
      return takesText || kind === "array" || (kind === "object" && !isNewLine)
        ? "open"
        : undefined;
    case "{":
      return (kind === "object" || kind === "open") && !isNewLine ? "object" : undefined;
    case "[":
      return kind === "array" || kind === "open" ? "array" : undefined;
    default:
      return undefined;
  }
}

/** The value of a token that is text, number, boolean or null. */
export function toScalar(token: Token): HoconScalar {
  const { at, text } = token;
  switch (token.type) {
    case "integer":
      return { kind: "number", value: Number(text), text: integerText(text), at };
    case "float":
      return { kind: "number", value: Number(text), text: floatText(Number(text)), at };
    case "boolean":
      return { kind: "boolean", value: text === "true", at };
    case "null":
      return { kind: "null", at };
    default:
      return {
        kind: "text",
        value: text,
        at,
        contentAt: token.contentAt ?? at,
        ...(token.layout && { layout: token.layout }),
      };
  }
}

/** Digits without `+` and leading zeros. */
function integerText(source: string): string {
  const sign = source.startsWith("-") ? "-" : "";
  const digits = source.replace(/^[+-]?0*(?=[0-9])/, "");
  return digits === "0" ? "0" : sign + digits;
}

function floatText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? value.toFixed(1) : String(value);
}
