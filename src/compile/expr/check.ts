/**
 * What can be known about an expression before it runs: unknown functions, wrong argument counts,
 * constants a function can never take, variables a place never binds, and the surprises of
 * expressions §8. Finds all of them, not just the first.
 */

import type { Switches } from "../../config/compatibility.ts";
import { nearest } from "../../config/nearest.ts";
import { type CallExpr, type Expr, namePieces, type Span, type VariableExpr } from "./ast.ts";
import { acceptsCount } from "./emit.ts";
import {
  DIGESTS,
  type FunctionSpec,
  MODULES,
  type Parameter,
  resolveFunction,
  SPECIAL_FORMS,
} from "./functions.ts";
import { clip } from "./lexer.ts";
import { bindVariable, type ExpressionPlace, isKnownVariable, variableNames } from "./variables.ts";

/** Something to say about a part of an expression. */
export interface Finding {
  /**
   * `mistake`: the expression can never work (an error where expression_errors_at_load is on).
   * `lint`: it works, but perhaps not as meant.
   */
  readonly kind: "mistake" | "lint";
  readonly code: string;
  readonly span: Span;
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface CheckContext {
  readonly switches: Switches;
  readonly place: ExpressionPlace;
  /** Compiles the regular expression of a literal; answers what is wrong with it, if anything. */
  readonly pattern: (literal: Expr & { type: "text" }) => readonly Finding[];
}

/** Everything there is to say, in the order of the text. */
export function check(expr: Expr, context: CheckContext): readonly Finding[] {
  const findings: Finding[] = [];
  visit(expr, context, findings);
  return findings.sort((a, b) => a.span.start - b.span.start);
}

function visit(expr: Expr, context: CheckContext, findings: Finding[]): void {
  if (expr.type === "variable") checkVariable(expr, context, findings);
  if (expr.type === "call") checkCall(expr, context, findings);
  const children = expr.type === "call" ? expr.args : expr.type === "array" ? expr.items : [];
  for (const child of children) visit(child, context, findings);
}

function checkVariable(expr: VariableExpr, context: CheckContext, findings: Finding[]): void {
  const { place, switches } = context;
  if (place === "batch") return;
  const name = namePieces(expr.name)[0]!;
  const lint = (code: string, message: string, hint: string | undefined): void => {
    findings.push({ kind: "lint", code, span: expr.span, message, hint });
  };
  if (!isKnownVariable(name)) {
    const meant = nearest(name, variableNames(place, switches));
    lint(
      "WARN_CONFIG_VARIABLE_UNKNOWN",
      `unknown variable \`${clip(expr.name)}\`: it is never bound`,
      meant === undefined ? known(variableNames(place, switches)) : `did you mean \`${meant}\`?`,
    );
    return;
  }
  const binding = bindVariable(name, place, switches);
  if (binding.isUnbound) {
    lint(
      "WARN_CONFIG_VARIABLE_UNBOUND",
      `variable \`${clip(expr.name)}\` is never bound in ${placeName(place)}`,
      "wrap it in `coalesce` or `is_empty` if that is meant",
    );
  } else if (binding.isOurs) {
    lint(
      "WARN_CONFIG_NOT_ON_EMQX",
      `variable \`${clip(expr.name)}\` cannot be used in ${placeName(place)} on EMQX 6.2`,
      "it works here; on EMQX 6.2 the expression fails",
    );
  } else if (name === "peerhost" && place !== "cinfo" && !switches.peerhost_is_text) {
    lint(
      "WARN_CONFIG_VARIABLE_UNUSABLE",
      `variable \`peerhost\` is an address, which no function accepts, in ${placeName(place)}`,
      "turn on the switch `peerhost_is_text`, or use `peerhost` in a cinfo check",
    );
  }
}

function checkCall(expr: CallExpr, context: CheckContext, findings: Finding[]): void {
  const mistake = (code: string, message: string, hint?: string): void => {
    findings.push({ kind: "mistake", code, span: expr.nameSpan, message, hint });
  };
  const name = clip(expr.name);
  const reference = resolveFunction(namePieces(expr.name));
  switch (reference.type) {
    case "invalid_reference":
      mistake(
        "ERR_CONFIG_FUNCTION_UNKNOWN",
        `\`${name}\` is no function name`,
        "write `function(…)` or `module.function(…)`",
      );
      return;
    case "unknown_module": {
      const module = namePieces(expr.name)[0]!;
      const meant = nearest(module, Object.keys(MODULES));
      mistake(
        "ERR_CONFIG_FUNCTION_UNKNOWN",
        `module \`${clip(module)}\` ${reference.known ? "may not be used in" : "is unknown to"} expressions`,
        meant === undefined ? "built-in functions have no prefix" : `did you mean \`${meant}\`?`,
      );
      return;
    }
    case "unknown_function": {
      const meant = nearest(expr.name, reference.candidates);
      mistake(
        "ERR_CONFIG_FUNCTION_UNKNOWN",
        `unknown function \`${name}\``,
        meant === undefined ? undefined : `did you mean \`${meant}\`?`,
      );
      return;
    }
    case "special":
      checkSpecial(reference.name, expr, findings);
      return;
    case "function":
      checkArguments(reference.spec, expr, context, findings);
  }
}

function checkSpecial(name: string, expr: CallExpr, findings: Finding[]): void {
  const count = expr.args.length;
  const wanted = name === "iif" ? 3 : name === "is_empty" ? 1 : count;
  if (count !== wanted) {
    findings.push(wrongCount(expr, SPECIAL_FORMS[name]!, [wanted]));
    return;
  }
  const first = expr.args[0];
  if (name === "iif" && isConstantText(first!)) {
    findings.push({
      kind: "lint",
      code: "WARN_CONFIG_CONDITION_CONSTANT",
      span: first!.span,
      message:
        "this condition is always true: the words `true` and `false` are texts, and a text counts as true unless it is empty",
      hint: "conditions come from functions: `is_empty`, `regex_match`, `str_eq`, `num_gt` …",
    });
  }
  if (name === "coalesce" && count === 1 && isScalarLiteral(first!)) {
    findings.push({
      kind: "mistake",
      code: "ERR_CONFIG_ARGUMENT",
      span: first!.span,
      message: `\`${clip(expr.name)}\` with one argument needs a list, found ${kindOf(first!)}`,
      hint: SPECIAL_FORMS.coalesce,
    });
  }
}

function checkArguments(
  spec: FunctionSpec,
  expr: CallExpr,
  context: CheckContext,
  findings: Finding[],
): void {
  const count = expr.args.length;
  if (!acceptsCount(spec, count, context.switches)) {
    findings.push(wrongCount(expr, spec.usage, spec.arities));
    return;
  }
  if (expr.name.endsWith("concat") && count > 2) {
    findings.push({
      kind: "lint",
      code: "WARN_CONFIG_NOT_ON_EMQX",
      span: expr.nameSpan,
      message: `\`${clip(expr.name)}\` with ${count} arguments fails on EMQX 6.2`,
      hint: "write the arguments as one array, `concat([a, b, c])`, to have it work on both",
    });
  }
  expr.args.forEach((arg, index) => {
    const parameter = parameterAt(spec, expr, index);
    const problem = problemWith(arg, parameter, expr, index, context);
    findings.push(...problem);
  });
  if (expr.name.includes("num_")) lintFloatEquality(expr, findings);
}

/** The last parameter of `concat`, and the one list of the one-argument forms. */
function parameterAt(spec: FunctionSpec, expr: CallExpr, index: number): Parameter {
  const count = expr.args.length;
  const isOneList = count === 1 && /(?:^|\.)(?:concat|join_to_string)\.*$/.test(expr.name);
  if (isOneList) return "list";
  if (count === 2 && index === 0 && /(?:^|\.)join_to_string\.*$/.test(expr.name)) return "bytes";
  return spec.parameters[index] ?? "any";
}

function problemWith(
  arg: Expr,
  parameter: Parameter,
  call: CallExpr,
  index: number,
  context: CheckContext,
): readonly Finding[] {
  if (arg.type === "variable" || arg.type === "call") return [];
  const wrong = (wanted: string, hint?: string): readonly Finding[] => [
    {
      kind: "mistake",
      code: "ERR_CONFIG_ARGUMENT",
      span: arg.span,
      message: `argument ${index + 1} of \`${clip(call.name)}\` must be ${wanted}, found ${kindOf(arg)}`,
      hint,
    },
  ];
  if (typeof parameter === "object") {
    if (arg.type === "text" && parameter.options.includes(arg.value)) return [];
    const words = parameter.options.map((word) => `\`'${word}'\``).join(", ");
    const meant = arg.type === "text" ? nearest(arg.value, parameter.options) : undefined;
    return wrong(
      parameter.options.length === 1 ? words : `one of ${words}`,
      meant === undefined ? undefined : `did you mean \`'${meant}'\`?`,
    );
  }
  switch (parameter) {
    case "any":
      return [];
    case "text":
    case "bytes":
      return arg.type === "text" ? [] : wrong("a text", toTextHint(arg));
    case "pieces":
      return arg.type === "text" || arg.type === "array" ? [] : wrong("a text", toTextHint(arg));
    case "integer":
      return arg.type === "integer" ? [] : wrong("an integer");
    case "number":
      return arg.type === "integer" || arg.type === "float"
        ? []
        : wrong("a number", "to compare texts use `str_eq`, `str_lt` …");
    case "list":
      return arg.type === "array" ? [] : wrong("a list");
    case "truth":
      return arg.type === "text" && (arg.value === "true" || arg.value === "false")
        ? []
        : wrong("a condition");
    case "index": {
      if (arg.type === "integer" && arg.value > 0n) return [];
      if (arg.type === "text" && /^[+-]?[0-9]+$/.test(arg.value) && BigInt(arg.value) > 0n)
        return [];
      return wrong("a position, counted from 1");
    }
    case "digest": {
      if (arg.type === "text" && DIGESTS.includes(arg.value)) return [];
      const meant = arg.type === "text" ? nearest(arg.value, DIGESTS) : undefined;
      return wrong(
        "the name of a digest",
        meant === undefined ? known(DIGESTS) : `did you mean \`'${meant}'\`?`,
      );
    }
    case "pattern":
      if (arg.type === "text") return context.pattern(arg);
      return arg.type === "array" ? [] : wrong("a regular expression");
  }
}

function wrongCount(expr: CallExpr, usage: string, arities: readonly number[]): Finding {
  const wanted = arities.join(" or ");
  return {
    kind: "mistake",
    code: "ERR_CONFIG_ARGUMENT_COUNT",
    span: expr.nameSpan,
    message: `\`${clip(expr.name)}\` takes ${wanted} argument${wanted === "1" ? "" : "s"}, found ${expr.args.length}`,
    hint: `write ${usage}`,
  };
}

/** Equality is strict on the type: 1 and 1.0 are never equal, and each is greater than the other. */
function lintFloatEquality(expr: CallExpr, findings: Finding[]): void {
  const float = expr.args.find((arg) => arg.type === "float" && Number.isInteger(arg.value));
  if (float === undefined || !expr.args.some((arg) => arg.type !== "float")) return;
  findings.push({
    kind: "lint",
    code: "WARN_CONFIG_FLOAT_COMPARED",
    span: float.span,
    message: "a float is never equal to an integer of the same value, and counts as greater",
    hint: "compare with an integer if the other side is one",
  });
}

function isConstantText(expr: Expr): boolean {
  if (expr.type === "text") return expr.isBoolean;
  if (expr.type !== "call" || expr.args.length !== 1) return false;
  const reference = resolveFunction(namePieces(expr.name));
  return expr.name === "not" && reference.type === "function" && isConstantText(expr.args[0]!);
}

function isScalarLiteral(expr: Expr): boolean {
  return (
    expr.type === "integer" || expr.type === "float" || (expr.type === "text" && expr.value !== "")
  );
}

function toTextHint(arg: Expr): string | undefined {
  return arg.type === "integer" || arg.type === "float"
    ? "put it in quotes, or use `any_to_str`"
    : undefined;
}

function kindOf(expr: Expr): string {
  switch (expr.type) {
    case "text":
      return `the text \`${clip(expr.value)}\``;
    case "integer":
      return `the integer \`${clip(String(expr.value))}\``;
    case "float":
      return `the number \`${expr.value}\``;
    case "array":
      return "an array";
    case "variable":
    case "call":
      return `\`${clip(expr.name)}\``;
  }
}

function known(names: readonly string[]): string {
  return `known are ${names.map((name) => `\`${name}\``).join(", ")}`;
}

function placeName(place: ExpressionPlace): string {
  switch (place) {
    case "client_attrs":
      return "`client_attrs_init`";
    case "clientid_override":
      return "`clientid_override`";
    case "precondition":
      return "a `precondition`";
    case "cinfo":
      return "a `cinfo` check";
    case "batch":
      return "this place";
  }
}
