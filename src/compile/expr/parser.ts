/** Tokens → tree. Source: expressions §1.3. */
import { EXPR_NESTING_MAX } from "../../../assembly/abi.ts";
import type { Expr, Span } from "./ast.ts";
import { clip, ExpressionSyntaxError, type Token } from "./lexer.ts";

/** The tree of a whole source. Throws ExpressionSyntaxError. */
export function parse(tokens: readonly Token[]): Expr {
  const parser = new Parser(tokens);
  if (parser.peek().type === "end") {
    throw new ExpressionSyntaxError(0, "the expression is empty");
  }
  const expr = parser.expression(0);
  const rest = parser.peek();
  if (rest.type !== "end") throw unexpected(rest, "the end of the expression");
  return expr;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  peek(): Token {
    return this.#tokens[this.#at]!;
  }

  expression(depth: number): Expr {
    const token = this.#next();
    switch (token.type) {
      case "text":
      case "boolean":
        return {
          type: "text",
          value: token.value,
          isBoolean: token.type === "boolean",
          span: token.span,
        };
      case "integer":
        return { type: "integer", value: token.value, span: token.span };
      case "float":
        return { type: "float", value: token.value, span: token.span };
      case "identifier":
        return this.#isAt("(")
          ? this.#call(token.value, token.span, depth)
          : { type: "variable", name: token.value, span: token.span };
      default:
        if (token.type === "punctuation" && token.value === "[") {
          throw new ExpressionSyntaxError(
            token.span.start,
            "an array can only be an argument of a function",
          );
        }
        throw unexpected(token, "a function, a variable, a number or a quoted string");
    }
  }

  #call(name: string, nameSpan: Span, depth: number): Expr {
    const open = this.#next();
    if (this.#isAt(")")) {
      const { end } = this.#next().span;
      return { type: "call", name, nameSpan, args: [], span: { start: nameSpan.start, end } };
    }
    const args = this.#arguments(open, ")", depth + 1);
    const { end } = this.#next().span;
    return { type: "call", name, nameSpan, args, span: { start: nameSpan.start, end } };
  }

  #array(depth: number): Expr {
    const open = this.#next();
    const { start } = open.span;
    if (this.#isAt("]")) throw new ExpressionSyntaxError(start, "an array cannot be empty");
    const items = this.#arguments(open, "]", depth + 1);
    return { type: "array", items, span: { start, end: this.#next().span.end } };
  }

  /** `arg { "," arg }`, up to but not including `close`. */
  #arguments(open: Token, close: ")" | "]", depth: number): Expr[] {
    if (depth > EXPR_NESTING_MAX) {
      throw new ExpressionSyntaxError(
        open.span.start,
        `nested more than ${EXPR_NESTING_MAX} levels deep`,
      );
    }
    const args: Expr[] = [];
    for (;;) {
      args.push(this.#isAt("[") ? this.#array(depth) : this.expression(depth));
      if (this.#isAt(close)) return args;
      const separator = this.#next();
      if (separator.type !== "punctuation" || separator.value !== ",") {
        throw unexpected(separator, `\`,\` or \`${close}\``);
      }
    }
  }

  #isAt(punctuation: string): boolean {
    const token = this.peek();
    return token.type === "punctuation" && token.value === punctuation;
  }

  #next(): Token {
    const token = this.peek();
    if (token.type !== "end") this.#at += 1;
    return token;
  }
}

function unexpected(token: Token, expected: string): ExpressionSyntaxError {
  return new ExpressionSyntaxError(
    token.span.start,
    `expected ${expected}, found ${describe(token)}`,
    hintFor(token),
  );
}

function describe(token: Token): string {
  switch (token.type) {
    case "end":
      return "the end of the text";
    case "text":
      return "a string";
    case "integer":
    case "float":
      return `the number \`${clip(String(token.value))}\``;
    default:
      return `\`${clip(token.value)}\``;
  }
}

function hintFor(token: Token): string | undefined {
  if (token.type === "identifier" && /^[eE][0-9]*$/.test(token.value)) {
    return "an exponent needs a fraction and a lower-case e: `1.0e5`";
  }
  if ((token.type === "integer" || token.type === "float") && token.value < 0) {
    return "there are no operators";
  }
  return undefined;
}
