/** Whose rules have changed, as it stands in the store: one entry a change, under its number. */
import type { RuleChanges, RuleOwner } from "../../../src/ports/rule-database.ts";
import type { StoredListName } from "../../../src/types.ts";
import { decodeKey } from "./keys.ts";
import type { LmdbFile } from "./lmdb.ts";

/** LIMIT: read in one go, a few milliseconds; whoever is further behind takes everything as changed. */
export const RULE_CHANGES_KEPT_MAX = 4096;

/** The key of a change; big-endian, so that changes lie in their order. */
export function changeKey(version: number): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(BigInt(version));
  return key;
}

/**
 * What has changed from one version to another, both of one snapshot. Nothing is known when an entry is
 * missing: of too long ago, or by an earlier release, which counted changes and did not keep them.
 */
export function changesBetween(
  { ruleChanges }: LmdbFile,
  before: number,
  version: number,
): RuleChanges {
  const count = version - before;
  if (count < 0 || count > RULE_CHANGES_KEPT_MAX) return { version, owners: undefined };
  const range = { start: changeKey(before + 1), end: changeKey(version + 1) };
  const owners = Array.from(ruleChanges.getRange(range), ({ value }) => ownerOf(value));
  return { version, owners: owners.length === count ? owners : undefined };
}

function ownerOf(key: Buffer): RuleOwner {
  const { group, namespace, id } = decodeKey(key);
  return { list: group as StoredListName, id, namespace };
}
