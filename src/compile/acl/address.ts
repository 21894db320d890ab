/**
 * Peer address conditions: `A` or `A/len`, IPv4 or IPv6.
 *
 * Two readings. `standard`: full dotted quads and RFC 4291 text only, and IPv4-mapped IPv6 ranges
 * are IPv4 ranges. Otherwise the reading of Erlang and the C library, in which `127.1` is 127.0.0.1,
 * `999` is 0.0.3.231, parts may be octal or hexadecimal, and a lone slash is overlooked.
 */
import type { AddressRange } from "../rule/ast.ts";

export interface AddressOptions {
  readonly standard: boolean;
}

export type RangeReading =
  | { readonly range: AddressRange }
  /** What is wrong, to follow the quoted input: `is not an address`. */
  | { readonly problem: string };

/**
 * Reads an address or CIDR range; host bits beyond the prefix are cleared.
 *
 * Source: authorization §2.3, §9 item 18; RFC 4291 §2.2, RFC 4632 §3.1.
 *
 * @example readRange("10.9.9.9/8", { standard: true }) // 10.0.0.0/8
 */
export function readRange(text: string, options: AddressOptions): RangeReading {
  const { standard } = options;
  const parts = text.split("/").filter((part) => standard || part !== "");
  const [addressText = "", lengthText] = parts;
  const address = readAddress(addressText, options);
  if (!address) return { problem: "is not an IPv4 or IPv6 address" };
  if (parts.length > 2) return { problem: "has more than one prefix length" };
  const bits = address.length * 8;
  if (lengthText === undefined) return { range: foldRange(address, bits, standard) };
  const isLength = (standard ? /^(0|[1-9]\d{0,2})$/ : /^[+-]?\d{1,9}$/).test(lengthText);
  const prefixLength = Number(lengthText);
  if (!isLength || prefixLength < 0 || prefixLength > bits) {
    return { problem: `has a prefix length that is not a number from 0 to ${bits}` };
  }
  return { range: foldRange(maskBits(address, prefixLength), prefixLength, standard) };
}

/** Reads an address to its 4 or 16 bytes; `undefined` when it is none. */
export function readAddress(text: string, options: AddressOptions): Uint8Array | undefined {
  if (text.includes(":")) return readIpv6(text, options);
  return options.standard ? readDottedQuad(text) : readLooseIpv4(text);
}

/** `::ffff:a.b.c.d` as the four bytes it stands for; other addresses as they are. */
export function foldMappedAddress(address: Uint8Array): Uint8Array {
  return isMapped(address) ? address.slice(12) : address;
}

function foldRange(network: Uint8Array, prefixLength: number, standard: boolean): AddressRange {
  if (!standard || prefixLength < 96 || !isMapped(network)) return { network, prefixLength };
  return { network: network.slice(12), prefixLength: prefixLength - 96 };
}

function isMapped(address: Uint8Array): boolean {
  return (
    address.length === 16 && address.every((byte, at) => at >= 12 || byte === (at < 10 ? 0 : 255))
  );
}

function maskBits(address: Uint8Array, prefixLength: number): Uint8Array {
  return address.map((byte, at) => {
    const kept = Math.min(8, Math.max(0, prefixLength - at * 8));
    return byte & (0xff << (8 - kept));
  });
}

function readDottedQuad(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  const isQuad = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part));
  if (!isQuad || parts.some((part) => Number(part) > 255)) return undefined;
  return Uint8Array.from(parts, Number);
}

/** One to four parts; the last one fills the bytes that are left. */
function readLooseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".").map(readLoosePart);
  if (parts.length > 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    if (part === undefined) return undefined;
    if (index < parts.length - 1) {
      if (part > 255) return undefined;
      bytes[index] = part;
      continue;
    }
    if (part >= 256 ** (4 - index)) return undefined;
    for (let at = 3, rest = part; at >= index; at--, rest = Math.floor(rest / 256))
      bytes[at] = rest;
  }
  return bytes;
}

/** Decimal, `0…` octal or `0x…` hexadecimal. */
function readLoosePart(part: string): number | undefined {
  if (/^0x[0-9a-f]{1,8}$/i.test(part)) return Number.parseInt(part.slice(2), 16);
  if (/^0[0-7]{0,16}$/.test(part)) return Number.parseInt(part, 8);
  return /^[1-9]\d{0,10}$/.test(part) ? Number(part) : undefined;
}

function readIpv6(text: string, options: AddressOptions): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = "", tail] = halves;
  const front = readGroups(head, tail === undefined, options);
  const back = tail === undefined ? [] : readGroups(tail, true, options);
  if (!front || !back) return undefined;
  const missing = 16 - front.length - back.length;
  // `::` stands for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...front, ...new Array<number>(missing).fill(0), ...back]);
}

/** Bytes of colon-separated groups; the very last one of an address may be a dotted quad. */
function readGroups(text: string, isLast: boolean, options: AddressOptions): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
      continue;
    }
    const mayBeQuad = isLast && index === groups.length - 1 && group.split(".").length === 4;
    const quad = mayBeQuad ? readAddress(group, options) : undefined;
    if (!quad) return undefined;
    bytes.push(...quad);
  }
  return bytes;
}
