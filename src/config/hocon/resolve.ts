/**
 * Members → document: what every slot holds once substitutions are filled in. How objects and lists
 * are made and copied is in container-writer.ts. Source: authentication §7.3.
 */
import type { SourcePosition } from "../../types.ts";
import type { IssueList } from "../issues.ts";
import {
  type Expr,
  isOpen,
  type JoinExpr,
  type Member,
  placeOf,
  type SubstitutionExpr,
} from "./ast.ts";
import { Budget } from "./budget.ts";
import { ContainerWriter } from "./container-writer.ts";
import { LimitReached } from "./fault.ts";
import { NESTING_MAX } from "./limits.ts";
import type { HoconMember, HoconNode, HoconObject } from "./node.ts";
import { type MapValue, pathOf, type Scope, type Slot, type Value, type Write } from "./slot.ts";

const SUBSTITUTION = "ERR_CONFIG_SUBSTITUTION";

/**
 * The finished document. Mistakes go to `issues`; throws LimitReached. Cost: linear in what was
 * written plus what substitutions copy, which is limited.
 */
export function resolveDocument(
  members: readonly Member[],
  file: string,
  issues: IssueList,
): HoconObject {
  return new Resolver(members, { file, line: 1, column: 1 }, issues).document();
}

class Resolver {
  readonly #issues: IssueList;
  readonly #root: MapValue;
  readonly #broken = new Set<Value>();
  readonly #budget = new Budget();
  readonly #containers: ContainerWriter;

  constructor(members: readonly Member[], at: SourcePosition, issues: IssueList) {
    this.#issues = issues;
    this.#containers = new ContainerWriter(issues, this.#budget, (slot) => this.#force(slot));
    this.#root = { kind: "map", at, members: new Map() };
    for (const member of members)
      this.#containers.writeMember(this.#root, "", member, 0, undefined);
  }

  document(): HoconObject {
    return {
      kind: "object",
      at: this.#root.at,
      members: this.#memberNodes(this.#root, 1),
    };
  }

  // --- values out ---

  #memberNodes(map: MapValue, depth: number): ReadonlyMap<string, HoconMember> {
    const members = new Map<string, HoconMember>();
    for (const [key, slot] of map.members) {
      const value = this.#node(slot, depth);
      if (value) members.set(key, { keyAt: slot.keyAt, value });
    }
    return members;
  }

  #node(slot: Slot, depth: number): HoconNode | undefined {
    const value = this.#force(slot);
    if (value === undefined) return undefined;
    this.#budget.value(value.at);
    if (depth > NESTING_MAX + 1) {
      throw new LimitReached(
        value.at,
        `substitutions nest more than ${NESTING_MAX} levels, or contain themselves`,
      );
    }
    if (value.kind === "map") {
      return { kind: "object", at: value.at, members: this.#memberNodes(value, depth + 1) };
    }
    if (value.kind === "list") {
      const items: HoconNode[] = [];
      for (const item of value.items) {
        const node = this.#node(item, depth + 1);
        if (node) items.push(node);
      }
      return { kind: "array", at: value.at, items };
    }
    return value;
  }

  // --- one slot ---

  /** The slot's value; undefined when nothing but absent `${?…}` was written to it. */
  #force(slot: Slot, cause?: SubstitutionExpr): Value | undefined {
    if (slot.state === "done") return slot.value;
    if (slot.state === "busy") return this.#cycle(cause, slot);
    slot.state = "busy";
    slot.value = this.#fold(slot, slot.writes.length, cause);
    slot.state = "done";
    return slot.value;
  }

  /** What the first `count` writes make. */
  #fold(slot: Slot, count: number, cause: SubstitutionExpr | undefined): Value | undefined {
    this.#budget.enter(cause?.at ?? slot.keyAt);
    let value: Value | undefined;
    for (let index = 0; index < count; index += 1) {
      value = this.#apply(value, slot, index, cause);
    }
    this.#budget.leave();
    return value;
  }

  #apply(
    value: Value | undefined,
    slot: Slot,
    index: number,
    cause: SubstitutionExpr | undefined,
  ): Value | undefined {
    const write = slot.writes[index] as Write;
    if (write.kind === "copy") {
      // Nothing more is written to the slot, so it need not own what it holds.
      if (slot.writes.length === 1) return this.#force(write.slot, cause);
      return this.#containers.merge(
        value,
        this.#containers.copyOf(this.#force(write.slot, cause), slot.path),
        slot.path,
      );
    }
    const expr = write.kind === "member" ? write.member.value : write.expr;
    const scope: Scope | undefined = isOpen(expr)
      ? {
          slot,
          writeIndex: index,
          outer: write.scope,
          current: value,
          isCurrent: true,
          hasUsedCurrent: false,
        }
      : undefined;
    const result = this.#written(value, slot, write, scope);
    if (scope) {
      scope.isCurrent = false;
      scope.current = undefined;
    }
    return result;
  }

  #written(
    value: Value | undefined,
    slot: Slot,
    write: Exclude<Write, { kind: "copy" }>,
    scope: Scope | undefined,
  ): Value | undefined {
    if (write.kind === "member") {
      const { member, index } = write;
      return this.#containers.writeMembers(value, slot.path, [member], index, scope, member.keyAt);
    }
    const { expr } = write;
    switch (expr.kind) {
      case "scalar":
        return expr.node;
      case "object":
        return this.#containers.writeMembers(value, slot.path, expr.members, 0, scope, expr.at);
      case "array":
        return this.#containers.list(expr.items, expr.at, scope);
      default: {
        const added =
          expr.kind === "join"
            ? this.#join(expr, slot.path, scope)
            : this.#containers.copyOf(this.#lookUp(expr, scope), slot.path);
        if (added === undefined) return value;
        // `a = ${a} {…}` holds the old value already.
        return scope?.hasUsedCurrent ? added : this.#containers.merge(value, added, slot.path);
      }
    }
  }

  // --- joining ---

  #join(expr: JoinExpr, path: string | undefined, scope: Scope | undefined): Value | undefined {
    let joined: Value | undefined;
    for (const part of expr.parts) {
      const value = this.#part(part, path, scope);
      if (value === undefined) continue;
      if (value.kind === "text") this.#budget.joined(value.value.length, value.at);
      joined = joined === undefined ? value : this.#joinTwo(joined, value, part, path);
    }
    return joined;
  }

  #part(part: Expr, path: string | undefined, scope: Scope | undefined): Value | undefined {
    switch (part.kind) {
      case "scalar":
        return part.node;
      case "array":
        return this.#containers.list(part.items, part.at, scope);
      case "object":
        return this.#containers.writeMembers(undefined, path, part.members, 0, scope, part.at);
      case "substitution":
        return this.#containers.copyOf(this.#lookUp(part, scope), path);
      case "join":
        return this.#join(part, path, scope);
    }
  }

  #joinTwo(left: Value, right: Value, part: Expr, path: string | undefined): Value {
    if (this.#broken.has(left)) return left;
    if (this.#broken.has(right)) return right;
    if (left.kind === "text" && right.kind === "text") {
      return { ...left, value: left.value + right.value, layout: { kind: "joined" } };
    }
    if (left.kind === "list" && right.kind === "list") {
      for (const item of right.items) left.items.push(item);
      left.isSettled = false;
      return left;
    }
    if (left.kind === "map" && right.kind === "map") {
      return this.#containers.merge(left, right, path) ?? left;
    }
    this.#issues.error(
      SUBSTITUTION,
      placeOf(part),
      `${NAMES[right.kind]} cannot be joined to ${NAMES[left.kind]}`,
      {
        hint: "only texts join texts, objects objects, and lists lists; quote a number to join it",
      },
    );
    return left;
  }

  // --- substitutions ---

  /** What `${path}` stands for; undefined for nothing. Not a copy. */
  #lookUp(expr: SubstitutionExpr, scope: Scope | undefined): Value | undefined {
    let value: Value | undefined = this.#root;
    for (let count = 1; count <= expr.path.length; count += 1) {
      const key: string = expr.path[count - 1] as string;
      if (value && this.#broken.has(value)) return value;
      const slot: Slot | undefined = value?.kind === "map" ? value.members.get(key) : undefined;
      if (slot === undefined) return this.#missing(expr);
      const isSelf: boolean = count === expr.path.length || slot.state === "busy";
      const self: Scope | undefined = isSelf
        ? findScope(scope, pathOf(expr.path.slice(0, count)))
        : undefined;
      value = self ? this.#before(self, expr) : this.#force(slot, expr);
    }
    return value ?? this.#missing(expr);
  }

  /** The value that the slot of `scope` had before the write that `scope` stands in. */
  #before(scope: Scope, cause: SubstitutionExpr): Value | undefined {
    if (scope.isCurrent) {
      scope.hasUsedCurrent = true;
      return scope.current;
    }
    this.#budget.copies(scope.writeIndex, cause.at);
    return this.#fold(scope.slot, scope.writeIndex, cause);
  }

  #missing(expr: SubstitutionExpr): Value | undefined {
    if (expr.isOptional) return undefined;
    const name = expr.isSecret ? "…" : expr.path.join(".");
    const message = expr.isSecret
      ? "nothing in the configuration is called like that"
      : `nothing in the configuration is called \`${name}\``;
    this.#issues.error(SUBSTITUTION, expr.at, message, {
      hint:
        `write \`\${?${name}}\` if it may be missing; ` +
        "for a placeholder put the whole value in quotes",
    });
    return this.#break(expr.at);
  }

  #cycle(cause: SubstitutionExpr | undefined, slot: Slot): Value {
    const at = cause?.at ?? slot.keyAt;
    const name = cause && !cause.isSecret ? `\`\${${cause.path.join(".")}}\`` : "this value";
    this.#issues.error(SUBSTITUTION, at, `${name} leads back to itself`, {
      hint: "give one of the values in this circle directly",
    });
    return this.#break(at);
  }

  /** Stands for a value whose error is reported, so that nothing built on it is reported too. */
  #break(at: SourcePosition): Value {
    const value: Value = { kind: "null", at };
    this.#broken.add(value);
    return value;
  }
}

const NAMES: Readonly<Record<Value["kind"], string>> = {
  text: "a text",
  number: "a number",
  boolean: "`true` or `false`",
  null: "`null`",
  list: "a list",
  map: "an object",
};

function findScope(scope: Scope | undefined, path: string): Scope | undefined {
  for (let at = scope; at; at = at.outer) {
    if (at.slot.path === path) return at;
  }
  return undefined;
}
