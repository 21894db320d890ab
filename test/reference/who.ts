/** Plain reference: conditions on the client. Source: authorization §3.3. */
import { foldMappedAddress, readAddress } from "../../src/compile/acl/address.ts";
import type { AddressRange, Who, WhoField } from "../../src/compile/rule/ast.ts";
import type { Switches } from "../../src/config/compatibility.ts";
import { byteString, type ReferenceClient } from "./client.ts";

/** Thrown by a condition that cannot be evaluated. */
export class ReferenceFailure extends Error {}

export function whoMatches(who: Who, client: ReferenceClient, switches: Switches): boolean {
  switch (who.type) {
    case "all":
      return true;
    case "constant":
      return who.value;
    case "raise":
      throw new ReferenceFailure();
    case "and":
      return who.of.every((condition) => whoMatches(condition, client, switches));
    case "or":
      return who.of.some((condition) => whoMatches(condition, client, switches));
    case "equal":
      return fieldOf(who.field, client) === byteString(who.value);
    case "pattern": {
      const value = fieldOf(who.field, client);
      return value !== undefined && patternFinds(byteString(who.pattern), value);
    }
    case "address":
      return who.ranges.some((range) => isInRange(range, client.peerHost, switches));
  }
}

function fieldOf(field: WhoField, client: ReferenceClient): string | undefined {
  if (field.name === "client_attr") {
    const attr = byteString(field.attr);
    const found = Object.entries(client.clientAttrs ?? {}).find(
      ([key]) => byteString(key) === attr,
    );
    return found && byteString(found[1]);
  }
  const fields = {
    username: client.username,
    clientid: client.clientId,
    zone: client.zone,
    listener: client.listener,
  };
  const value = fields[field.name];
  return value === undefined || value === null ? undefined : byteString(value);
}

/**
 * Is the pattern found anywhere in the value? Both are byte strings.
 *
 * Goes through JavaScript's own engine, so it serves only patterns that mean the same in both: no
 * inline flags but a leading `(?i)` (and that with ASCII letters), no POSIX classes, possessive
 * quantifiers, `\A` or `\z`. `$` and `.` are given their PCRE meaning.
 */
export function patternFinds(pattern: string, value: string): boolean {
  const isCaseless = pattern.startsWith("(?i)");
  const source = isCaseless ? pattern.slice("(?i)".length) : pattern;
  let translated = "";
  let isInClass = false;
  for (let at = 0; at < source.length; at++) {
    const character = source[at] as string;
    if (character === "\\") {
      translated += source.slice(at, at + 2);
      at += 1;
      continue;
    }
    if (character === "[") isInClass = true;
    if (character === "]") isInClass = false;
    if (character === "$" && !isInClass) translated += "(?=\\n?(?![^]))";
    else if (character === "." && !isInClass) translated += "[^\\n]";
    else translated += character;
  }
  return new RegExp(translated, isCaseless ? "i" : "").test(value);
}

function isInRange(
  range: AddressRange,
  peerHost: string | null | undefined,
  switches: Switches,
): boolean {
  const read = peerHost ? readAddress(peerHost, { standard: true }) : undefined;
  if (!read) return false;
  const peer = switches.standard_addresses ? foldMappedAddress(read) : read;
  if (peer.length !== range.network.length) return false;
  return bitsOf(peer).startsWith(bitsOf(range.network).slice(0, range.prefixLength));
}

function bitsOf(address: Uint8Array): string {
  return Array.from(address, (byte) => byte.toString(2).padStart(8, "0")).join("");
}
