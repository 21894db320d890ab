/** A read document: JSON's shapes, each with its place. */
import type { SourcePosition } from "../../types.ts";

export type HoconNode = HoconScalar | HoconArray | HoconObject;
export type HoconScalar = HoconText | HoconNumber | HoconBoolean | HoconNull;

export interface HoconText {
  readonly kind: "text";
  readonly value: string;
  readonly at: SourcePosition;
  /** The value's first character: behind the opening quote, where there is one. */
  readonly contentAt: SourcePosition;
  readonly layout?: TextLayout | undefined;
}

/** How a text stands in its file, where it is not written character by character as it reads. */
export type TextLayout =
  /** On one line; from `offset` (UTF-16 units of the value) on, `extra` more characters are written. */
  | {
      readonly kind: "escaped";
      readonly escapes: readonly (readonly [offset: number, extra: number])[];
    }
  /** Every line has so many more characters in front. */
  | { readonly kind: "indented"; readonly indent: number }
  /** Made of several texts. */
  | { readonly kind: "joined" };

export interface HoconNumber {
  readonly kind: "number";
  readonly value: number;
  /** Its digits without leading zeros or `+`; what a setting that wants text gets. */
  readonly text: string;
  readonly at: SourcePosition;
}

export interface HoconBoolean {
  readonly kind: "boolean";
  readonly value: boolean;
  readonly at: SourcePosition;
}

/** `null`: the key counts as not written. */
export interface HoconNull {
  readonly kind: "null";
  readonly at: SourcePosition;
}

export interface HoconArray {
  readonly kind: "array";
  readonly items: readonly HoconNode[];
  readonly at: SourcePosition;
}

export interface HoconObject {
  readonly kind: "object";
  /** A map, so `__proto__` and `constructor` are keys like any other. */
  readonly members: ReadonlyMap<string, HoconMember>;
  readonly at: SourcePosition;
}

export interface HoconMember {
  readonly keyAt: SourcePosition;
  readonly value: HoconNode;
}

/** Plain data; objects have no prototype. */
export type HoconJson =
  | string
  | number
  | boolean
  | null
  | HoconJson[]
  | { [key: string]: HoconJson };

/** The document as plain data, without places. */
export function toJson(node: HoconNode): HoconJson {
  switch (node.kind) {
    case "null":
      return null;
    case "array":
      return node.items.map(toJson);
    case "object": {
      const out: { [key: string]: HoconJson } = Object.create(null);
      for (const [key, member] of node.members) out[key] = toJson(member.value);
      return out;
    }
    default:
      return node.value;
  }
}
