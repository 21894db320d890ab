/** Members → document: merges keys and fills substitutions in. Source: authentication §7.3. */
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
import { LimitReached } from "./fault.ts";
import { NESTING_MAX } from "./limits.ts";
import type { HoconMember, HoconNode, HoconObject } from "./node.ts";
import {
  addWrite,
  childPath,
  copySlot,
  type ListValue,
  type MapValue,
  newSlot,
  pathOf,
  type Scope,
  type Slot,
  type Value,
  type Write,
} from "./slot.ts";

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

  constructor(members: readonly Member[], at: SourcePosition, issues: IssueList) {
    this.#issues = issues;
    this.#root = { kind: "map", at, members: new Map() };
    for (const member of members) this.#writeMember(this.#root, "", member, 0, undefined);
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
      return this.#merge(value, this.#copyOf(this.#force(write.slot, cause), slot.path), slot.path);
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
      return this.#writeMembers(value, slot.path, [member], index, scope, member.keyAt);
    }
    const { expr } = write;
    switch (expr.kind) {
      case "scalar":
        return expr.node;
      case "object":
        return this.#writeMembers(value, slot.path, expr.members, 0, scope, expr.at);
      case "array":
        return this.#list(expr.items, expr.at, scope);
      default: {
        const added =
          expr.kind === "join"
            ? this.#join(expr, slot.path, scope)
            : this.#copyOf(this.#lookUp(expr, scope), slot.path);
        if (added === undefined) return value;
        // `a = ${a} {…}` holds the old value already.
        return scope?.hasUsedCurrent ? added : this.#merge(value, added, slot.path);
      }
    }
  }

  // --- merging ---

  /** Members onto what a slot holds so far: merged into an object, or editing a list. */
  #writeMembers(
    value: Value | undefined,
    path: string | undefined,
    members: readonly Member[],
    index: number,
    scope: Scope | undefined,
    at: SourcePosition,
  ): Value {
    if (value?.kind === "list" && members.length > 0) {
      if (members.every((member) => isIndex(member.key[index] as string))) {
        this.#settle(value);
        for (const member of members) {
          const write = writeOf(member, index, scope);
          this.#editList(value, member.key[index] as string, member.keyAt, write);
        }
        return value;
      }
    }
    const map: MapValue =
      value?.kind === "map" ? value : { kind: "map", at, members: new Map<string, Slot>() };
    for (const member of members) this.#writeMember(map, path, member, index, scope);
    return map;
  }

  #writeMember(
    map: MapValue,
    path: string | undefined,
    member: Member,
    index: number,
    scope: Scope | undefined,
  ): void {
    const key = member.key[index] as string;
    const old = map.members.get(key) ?? newSlot(childPath(path, key), member.keyAt);
    const slot = addWrite(old, writeOf(member, index, scope));
    slot.keyAt = member.keyAt;
    map.members.set(key, slot);
  }

  /** `added`, which belongs to nobody else, over `value`. */
  #merge(
    value: Value | undefined,
    added: Value | undefined,
    path: string | undefined,
  ): Value | undefined {
    if (value === undefined || added === undefined) return added ?? value;
    if (added.kind !== "map" || added.members.size === 0) {
      return added.kind === "map" && value.kind === "map" ? value : added;
    }
    const { members } = added;
    if (value.kind === "list" && [...members.keys()].every(isIndex)) {
      this.#settle(value);
      for (const [key, slot] of members) {
        this.#editList(value, key, slot.keyAt, { kind: "copy", slot });
      }
      return value;
    }
    if (value.kind !== "map") return added;
    for (const [key, slot] of members) {
      const old = value.members.get(key) ?? newSlot(childPath(path, key), slot.keyAt);
      value.members.set(key, addWrite(old, { kind: "copy", slot }));
    }
    return value;
  }

  /** Element `key`, from 1; one past the end appends. */
  #editList(list: ListValue, key: string, at: SourcePosition, write: Write): void {
    const number = Number(key);
    const { items } = list;
    if (number < 1 || number > items.length + 1) {
      this.#issues.error(
        "ERR_CONFIG_INDEX",
        at,
        `the list has ${items.length} elements, there is no number \`${key.slice(0, 20)}\``,
        { hint: `elements count from 1; ${items.length + 1} appends one` },
      );
      return;
    }
    const old = items[number - 1];
    if (old === undefined && mayVanish(write)) list.isSettled = false;
    items[number - 1] = addWrite(old ?? newSlot(undefined, at), write);
  }

  /** Drops elements that turn out to be nothing, so that the others can be counted. */
  #settle(list: ListValue): void {
    if (list.isSettled) return;
    list.isSettled = true;
    this.#budget.copies(list.items.length, list.at);
    list.items = list.items.filter(
      (item) => !item.writes.every(mayVanish) || this.#force(item) !== undefined,
    );
  }

  #list(items: readonly Expr[], at: SourcePosition, scope: Scope | undefined): ListValue {
    return {
      kind: "list",
      at,
      isSettled: false,
      items: items.map((expr) => {
        const slot = newSlot(undefined, placeOf(expr));
        slot.writes.push({ kind: "expr", expr, scope });
        return slot;
      }),
    };
  }

  /** A container of its own with the same contents, so that merging into it changes nobody else. */
  #copyOf(value: Value | undefined, path: string | undefined): Value | undefined {
    if (value?.kind === "map") {
      this.#budget.copies(value.members.size, value.at);
      const members = new Map<string, Slot>();
      for (const [key, slot] of value.members) {
        members.set(key, copySlot(slot, childPath(path, key)));
      }
      return { kind: "map", at: value.at, members };
    }
    if (value?.kind === "list") {
      this.#budget.copies(value.items.length, value.at);
      const items = value.items.map((item) => copySlot(item, undefined));
      return { kind: "list", at: value.at, isSettled: false, items };
    }
    return value;
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
        return this.#list(part.items, part.at, scope);
      case "object":
        return this.#writeMembers(undefined, path, part.members, 0, scope, part.at);
      case "substitution":
        return this.#copyOf(this.#lookUp(part, scope), path);
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
      return this.#merge(left, right, path) ?? left;
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

function writeOf(member: Member, index: number, scope: Scope | undefined): Write {
  return index + 1 < member.key.length
    ? { kind: "member", member, index: index + 1, scope }
    : { kind: "expr", expr: member.value, scope };
}

function findScope(scope: Scope | undefined, path: string): Scope | undefined {
  for (let at = scope; at; at = at.outer) {
    if (at.slot.path === path) return at;
  }
  return undefined;
}

function isIndex(key: string): boolean {
  return /^[0-9]+$/.test(key);
}

function mayVanish(write: Write): boolean {
  return write.kind === "copy" || (write.kind === "expr" && isOpen(write.expr));
}
