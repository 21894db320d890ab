/** `access_rules` of listeners: which addresses may connect at all. */
import type { Switches } from "../config/compatibility.ts";
import type { AccessRule, Config } from "../config/config.ts";
import type { Issue } from "../errors.ts";
import { foldMappedAddress, readAddress, readRange } from "./acl/address.ts";
import type { AddressRange } from "./rule/ast.ts";

/** May this address connect? `undefined` is an address that nobody knows. */
export type AddressCheck = (address: string | undefined) => boolean;

/** What is wrong with the rules of all listeners, and those that refuse nobody. */
export function accessRuleIssues({ listeners, switches }: Config): Issue[] {
  const issues: Issue[] = [];
  for (const { type, name, accessRules } of listeners) {
    const path = `listeners.${type}.${name}.access_rules`;
    for (const { who, at } of accessRules) {
      const problem = who === "all" ? undefined : problemOf(who, switches);
      if (problem === undefined) continue;
      const message = `\`${who.slice(0, 60)}\` ${problem}`;
      const hint = "write `all`, an address or a range such as `10.0.0.0/8`";
      issues.push({ severity: "error", code: "ERR_CONFIG_VALUE", path, message, hint, at });
    }
    const isIdle = accessRules.every(({ permission }) => permission === "allow");
    if (isIdle && accessRules.some(({ who }) => who !== "all")) {
      issues.push({
        severity: "warning",
        code: "WARN_CONFIG_NO_EFFECT",
        path,
        message: "no rule denies anybody, so every address may connect",
        hint: 'add `"deny all"` at the end',
        at: accessRules[0]?.at,
      });
    }
  }
  return issues;
}

function problemOf(who: string, switches: Switches): string | undefined {
  const reading = readRange(who, { standard: switches.standard_addresses });
  return "problem" in reading ? reading.problem : undefined;
}

/**
 * The rules as one question. The first that holds the address decides, none lets it in. An address
 * that cannot be read is let in by `allow all` before any range alone. Assumes rules without issues;
 * one that cannot be read lets nobody past it.
 *
 * Source: authentication §1.1 step 2.
 */
export function compileAccessRules(
  rules: readonly AccessRule[],
  { standard_addresses: standard }: Switches,
): AddressCheck {
  const compiled = rules.map(({ permission, who }) => {
    const isAllowed = permission === "allow";
    if (who === "all") return { isAllowed, range: "all" as const };
    const reading = readRange(who, { standard });
    return { isAllowed, range: "range" in reading ? reading.range : undefined };
  });
  return (text) => {
    if (compiled.length === 0) return true;
    const read = text === undefined ? undefined : readAddress(text, { standard });
    const address = read && (standard ? foldMappedAddress(read) : read);
    for (const { isAllowed, range } of compiled) {
      if (range === "all") return isAllowed;
      if (range === undefined || address === undefined) return false;
      if (holds(range, address)) return isAllowed;
    }
    return true;
  };
}

function holds({ network, prefixLength }: AddressRange, address: Uint8Array): boolean {
  if (address.length !== network.length) return false;
  return network.every((byte, at) => {
    const kept = Math.min(8, Math.max(0, prefixLength - at * 8));
    return ((byte ^ address[at]!) & (0xff << (8 - kept)) & 0xff) === 0;
  });
}
