/**
 * The working form of a document: a tree of slots. A slot is one key or list element with
 * everything that was written to it, in order. It gets its value when first asked, so that a
 * substitution may point anywhere in the finished document.
 */
import type { SourcePosition } from "../../types.ts";
import type { Expr, Member } from "./ast.ts";
import type { HoconScalar } from "./node.ts";

export type Value = HoconScalar | ListValue | MapValue;

export interface ListValue {
  readonly kind: "list";
  readonly at: SourcePosition;
  items: Slot[];
  /** Every element is known to be something, so positions count. */
  isSettled: boolean;
}

export interface MapValue {
  readonly kind: "map";
  readonly at: SourcePosition;
  readonly members: Map<string, Slot>;
}

export interface Slot {
  /** Key path from the root, as `pathOf` writes it; undefined inside lists. */
  readonly path: string | undefined;
  keyAt: SourcePosition;
  readonly writes: Write[];
  state: "fresh" | "busy" | "done";
  value: Value | undefined;
}

export type Write =
  | { readonly kind: "expr"; readonly expr: Expr; readonly scope: Scope | undefined }
  /** What the key segments from `index` on make of a member: an object with one key. */
  | {
      readonly kind: "member";
      readonly member: Member;
      readonly index: number;
      readonly scope: Scope | undefined;
    }
  /** The value of another slot. */
  | { readonly kind: "copy"; readonly slot: Slot };

/** Where an expression stands: in which write of which slot. Decides what a self-reference means. */
export interface Scope {
  readonly slot: Slot;
  readonly writeIndex: number;
  readonly outer: Scope | undefined;
  /** While the write is being applied: what the slot holds so far. */
  current: Value | undefined;
  isCurrent: boolean;
  /** The slot's value before this write was used while it was being applied. */
  hasUsedCurrent: boolean;
}

export function newSlot(path: string | undefined, keyAt: SourcePosition): Slot {
  return { path, keyAt, writes: [], state: "fresh", value: undefined };
}

export function childPath(parent: string | undefined, key: string): string | undefined {
  return parent === undefined ? undefined : `${parent}\u0000${key}`;
}

/** The path of a slot at `segments`, under the root's path "". */
export function pathOf(segments: readonly string[]): string {
  return segments.map((segment) => `\u0000${segment}`).join("");
}

/** A slot that takes its value from `slot`, past slots that do no more than that themselves. */
export function copySlot(slot: Slot, path: string | undefined): Slot {
  const copy = newSlot(path, slot.keyAt);
  const only = slot.writes.length === 1 ? slot.writes[0] : undefined;
  copy.writes.push(only?.kind === "copy" ? only : { kind: "copy", slot });
  return copy;
}

/** Adds a write to a slot; one that was read already keeps its value and is superseded. */
export function addWrite(slot: Slot, write: Write): Slot {
  const target = slot.state === "fresh" ? slot : copySlot(slot, slot.path);
  target.writes.push(write);
  return target;
}
