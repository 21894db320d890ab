/** Sets of addresses as intervals on one line: IPv4 first, IPv6 far behind it. */
import type { AddressRange } from "../compile/rule/ast.ts";

/** Both ends belong to it. */
export interface Interval {
  readonly from: bigint;
  readonly to: bigint;
}

/** Ascending and disjoint. */
export type AddressSet = readonly Interval[];

/** Behind every IPv4 address. */
const IPV6_BASE = 1n << 40n;

/** The addresses that are in any of the ranges. */
export function addressSet(ranges: readonly AddressRange[]): AddressSet {
  const intervals = ranges.map(intervalOf).sort((a, b) => (a.from < b.from ? -1 : 1));
  const merged: Interval[] = [];
  for (const one of intervals) {
    const last = merged.at(-1);
    if (!last || one.from > last.to) merged.push(one);
    else if (one.to > last.to) merged[merged.length - 1] = { from: last.from, to: one.to };
  }
  return merged;
}

export function intersectAddresses(a: AddressSet, b: AddressSet): AddressSet {
  const shared: Interval[] = [];
  for (const left of a) {
    for (const right of b) {
      // Math.min and Math.max take no bigint.
      const [, from] = ordered(left.from, right.from);
      const [to] = ordered(left.to, right.to);
      if (from <= to) shared.push({ from, to });
    }
  }
  return shared;
}

/** The addresses of `set` that are not in `taken`. */
export function subtractAddresses(set: AddressSet, taken: AddressSet): AddressSet {
  let rest = [...set];
  for (const hole of taken) {
    rest = rest.flatMap((one) => {
      if (hole.to < one.from || hole.from > one.to) return [one];
      const left = hole.from > one.from ? [{ from: one.from, to: hole.from - 1n }] : [];
      const right = hole.to < one.to ? [{ from: hole.to + 1n, to: one.to }] : [];
      return [...left, ...right];
    });
  }
  return rest;
}

function ordered(a: bigint, b: bigint): [smaller: bigint, larger: bigint] {
  return a < b ? [a, b] : [b, a];
}

function intervalOf({ network, prefixLength }: AddressRange): Interval {
  let value = 0n;
  for (const byte of network) value = (value << 8n) | BigInt(byte);
  const free = BigInt(network.length * 8 - prefixLength);
  const base = network.length === 4 ? 0n : IPV6_BASE;
  return { from: base + value, to: base + value + (1n << free) - 1n };
}
