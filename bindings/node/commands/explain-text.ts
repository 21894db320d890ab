/** An explanation as a person reads it: steps in columns, expressions as trees, the answer. */
import { relative } from "node:path";
import type { PlacedTrace } from "../../../src/observe/connect-trace.ts";
import {
  type ExpressionTraceNode,
  formatExpressionTrace,
} from "../../../src/observe/expression-trace.ts";
import type { TraceStep } from "../../../src/observe/trace.ts";
import type { Action, ConnectDecision, Decision } from "../../../src/types.ts";
import { paint, print } from "../terminal.ts";

/** What the expression trace shows instead of a secret. */
export const HIDDEN = "(hidden)";

export interface Explanation {
  readonly steps: readonly TraceStep[];
  readonly expressions: readonly PlacedTrace[];
  readonly connect: ConnectDecision;
  readonly question: { readonly action: Action; readonly topic: string } | undefined;
  readonly decision: Decision | undefined;
  /** Of a denial: the rules that nearly allowed it. */
  readonly closest: readonly string[];
}

export function showExplanation(explanation: Explanation): void {
  const { connect, question, decision, closest } = explanation;
  showSteps(explanation);
  print();
  const { verdict, reason, by } = connect;
  const code = connect.verdict === "deny" ? `, CONNACK 0x${connect.code.toString(16)}` : "";
  print(`${answer(verdict)} connect: ${reason}, by ${by}${code}`);
  for (const fault of connect.faults) print(`      fault at ${fault.at}: ${fault.message}`);
  if (!question || !decision) return;
  const asked = `${question.action.type} ${JSON.stringify(question.topic)}`;
  print(`${answer(decision.verdict)} ${asked}: ${whatDecided(decision)}`);
  const place = decision.rule?.at;
  if (place) {
    const at = shortPlace(`${place.file}:${place.line}:${place.column}`);
    print(`      ${at}: ${decision.rule?.text ?? ""}`);
  }
  for (const fault of decision.faults) print(`      fault at ${fault.at}: ${fault.message}`);
  if (closest.length > 0) print("      what came closest to allowing it:");
  for (const line of closest) print(`        ${shortPlace(line)}`);
}

function whatDecided({ rule, reason, by }: Decision): string {
  if (!rule) return `${reason}, by ${by}`;
  if (rule.list) return `rule ${rule.number} of the ${rule.list} list of ${by}`;
  return by === "client_info"
    ? `rule ${rule.number} of the token's acl`
    : `rule ${rule.number} of ${by}`;
}

/** Columns as wide as their widest cell; below a step the expressions that it asked. */
function showSteps({ steps, expressions }: Explanation): void {
  const rows = steps.map((step) => ({ ...step, at: shortPlace(step.at) }));
  const width = (cell: (row: TraceStep) => string): number =>
    Math.max(0, ...rows.map((row) => cell(row).length));
  const stageWidth = width(({ stage }) => stage);
  const atWidth = width(({ at }) => at);
  const outcomeWidth = width(({ outcome }) => outcome);
  const told = new Set<PlacedTrace>();
  for (const { stage, at, outcome, detail = "" } of rows) {
    const shown = paint(outcomeColour(outcome), outcome.padEnd(outcomeWidth), process.stdout);
    print(
      `${stage.padEnd(stageWidth)}  ${at.padEnd(atWidth)}  ${shown}  ${oneLine(detail)}`.trimEnd(),
    );
    for (const expression of expressions) {
      if (expression.stage !== stage || expression.at !== at || told.has(expression)) continue;
      told.add(expression);
      showExpression(expression);
    }
  }
}

function showExpression({ purpose, trace }: PlacedTrace): void {
  print(paint("dim", `    ${purpose}`, process.stdout));
  if (trace.root) for (const line of treeLines(trace.root)) print(`      ${line}`);
}

/** The tree, one line a part. */
export function treeLines(root: ExpressionTraceNode): readonly string[] {
  return formatExpressionTrace(flatten(root)).map((line) =>
    / → error /.test(line) ? paint("red", line, process.stdout) : line,
  );
}

/** Parts that are written over several lines, on one. */
function flatten(node: ExpressionTraceNode): ExpressionTraceNode {
  return { ...node, text: oneLine(node.text), children: node.children.map(flatten) };
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}

/** A place whose file is below the working directory, as seen from there. */
function shortPlace(place: string): string {
  const path = relative(process.cwd(), place);
  return place.startsWith("/") && !path.startsWith("..") ? path : place;
}

function answer(verdict: "allow" | "deny"): string {
  const word = verdict === "allow" ? "ALLOW" : "DENY ";
  return paint(["bold", outcomeColour(verdict)], word, process.stdout);
}

function outcomeColour(outcome: string): "green" | "red" | "dim" {
  if (["allow", "ok", "set", "applies"].includes(outcome)) return "green";
  return ["deny", "failure", "error", "dropped"].includes(outcome) ? "red" : "dim";
}
