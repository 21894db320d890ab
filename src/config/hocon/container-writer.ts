/**
 * Objects and lists while they are made: writing members into them, laying one over another, editing
 * list elements by number, copying. Values stay unresolved here. Source: authentication §7.3.
 */
import type { SourcePosition } from "../../types.ts";
import type { IssueList } from "../issues.ts";
import { type Expr, isOpen, type Member, placeOf } from "./ast.ts";
import type { Budget } from "./budget.ts";
import {
  addWrite,
  childPath,
  copySlot,
  type ListValue,
  type MapValue,
  newSlot,
  type Scope,
  type Slot,
  type Value,
  type Write,
} from "./slot.ts";

export class ContainerWriter {
  readonly #issues: IssueList;
  readonly #budget: Budget;
  readonly #force: (slot: Slot) => Value | undefined;

  /** `force` gives what a slot holds, where list elements have to be counted. */
  constructor(issues: IssueList, budget: Budget, force: (slot: Slot) => Value | undefined) {
    this.#issues = issues;
    this.#budget = budget;
    this.#force = force;
  }

  /** Members onto what a slot holds so far: merged into an object, or editing a list. */
  writeMembers(
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
    for (const member of members) this.writeMember(map, path, member, index, scope);
    return map;
  }

  /** The member, from its key segment `index` on, into an object. */
  writeMember(
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
  merge(
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

  /** A list of its own, its elements not looked at yet. */
  list(items: readonly Expr[], at: SourcePosition, scope: Scope | undefined): ListValue {
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
  copyOf(value: Value | undefined, path: string | undefined): Value | undefined {
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
}

function writeOf(member: Member, index: number, scope: Scope | undefined): Write {
  return index + 1 < member.key.length
    ? { kind: "member", member, index: index + 1, scope }
    : { kind: "expr", expr: member.value, scope };
}

function isIndex(key: string): boolean {
  return /^[0-9]+$/.test(key);
}

function mayVanish(write: Write): boolean {
  return write.kind === "copy" || (write.kind === "expr" && isOpen(write.expr));
}
