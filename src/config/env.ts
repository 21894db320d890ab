/** `EMQX_…` environment variables over the file. Source: authentication §7.5. */

import type { SourcePosition } from "../types.ts";
import type { HoconMember, HoconNode, HoconObject } from "./hocon/index.ts";
import { parseHoconValue } from "./hocon/value.ts";
import type { IssueList } from "./issues.ts";
import { spellingHint } from "./nearest.ts";
import { ROOTS, UNREAD_ROOTS } from "./schema/roots.ts";
import type { Spec } from "./schema/spec.ts";

const PREFIX = "EMQX_";

/**
 * The document with every override applied, in alphabetical order of the names.
 * `EMQX_MQTT__MAX_QOS_ALLOWED` sets `mqtt.max_qos_allowed`. Variables of no root key that is read
 * are left alone; a key that is unknown below one is a warning.
 */
export function applyEnvironment(
  root: HoconObject,
  env: Readonly<Record<string, string>>,
  options: { readonly issues: IssueList; readonly unicodeEscapes: boolean },
): HoconObject {
  const { issues } = options;
  let document = root;
  for (const name of Object.keys(env).sort()) {
    if (!name.startsWith(PREFIX)) continue;
    const path = name.slice(PREFIX.length).toLowerCase().split("__");
    const rootKey = path[0] as string;
    if (!Object.hasOwn(ROOTS, rootKey) && !Object.hasOwn(UNREAD_ROOTS, rootKey)) continue;
    const file = `env:${name}`;
    const at = { file, line: 1, column: 1 };
    if (path.length > PATH_SEGMENTS_MAX || path.includes("") || isUnknown(path, at, issues))
      continue;
    const { node, isJoined } = parseHoconValue(env[name] as string, file, options);
    if (isJoined) {
      issues.warning("WARN_CONFIG_ENV", at, `blanks between the words of \`${name}\` are dropped`, {
        path: path.join("."),
        hint: "put the value in quotes inside the variable: `NAME='\"two words\"'`",
      });
    }
    const spec = Object.hasOwn(ROOTS, rootKey) ? ROOTS[rootKey as keyof typeof ROOTS] : undefined;
    const old = document.members.get(rootKey)?.value;
    const value = write(old, path.slice(1), { value: node, at, issues, name }, spec);
    document = withMember(document, rootKey, at, value);
  }
  return document;
}

/** Longer paths lead to nothing that is read. */
const PATH_SEGMENTS_MAX = 16;

function isUnknown(path: readonly string[], at: SourcePosition, issues: IssueList): boolean {
  const rootKey = path[0] as string;
  if (!Object.hasOwn(ROOTS, rootKey)) return false;
  let spec: Spec<unknown> | undefined = ROOTS[rootKey as keyof typeof ROOTS];
  for (let index = 1; index < path.length; index += 1) {
    const key = path[index] as string;
    const below: Spec<unknown> | undefined = spec?.below?.(key);
    if (below === undefined) {
      issues.warning(
        "WARN_CONFIG_ENV",
        at,
        `\`${at.file.slice("env:".length)}\` is ignored: there is no key \`${key}\` in \`${path.slice(0, index).join(".")}\``,
        { hint: spellingHint(key, spec?.keys ?? []) },
      );
      return true;
    }
    spec = below;
  }
  return false;
}

interface Override {
  readonly value: HoconNode;
  readonly at: SourcePosition;
  readonly issues: IssueList;
  readonly name: string;
}

/** `node` with the override at `path` below it. */
function write(
  node: HoconNode | undefined,
  path: readonly string[],
  override: Override,
  spec: Spec<unknown> | undefined,
): HoconNode {
  const [key, ...rest] = path;
  if (key === undefined) return merge(node, override.value);
  const below = spec?.below?.(key);
  const isNumber = /^[0-9]+$/.test(key);
  if (node && isNumber && (node.kind === "array" || isSingleOf(node, spec))) {
    const items = node.kind === "array" ? node.items : [node];
    const number = Number(key);
    if (number < 1 || number > items.length + 1) {
      override.issues.error(
        "ERR_CONFIG_INDEX",
        override.at,
        `the list has ${items.length} elements, \`${override.name}\` names number ${key}`,
        { hint: `elements count from 1; ${items.length + 1} appends one` },
      );
      return node;
    }
    const changed = [...items];
    changed[number - 1] = write(items[number - 1], rest, override, below);
    return { kind: "array", at: node.at, items: changed };
  }
  const base: HoconObject =
    node?.kind === "object" ? node : { kind: "object", at: override.at, members: new Map() };
  const value = write(base.members.get(key)?.value, rest, override, below);
  return withMember(base, key, override.at, value);
}

/** Does one object stand for a list of one here? */
function isSingleOf(node: HoconNode, spec: Spec<unknown> | undefined): boolean {
  if (node.kind !== "object" || !spec?.isList || node.members.size === 0) return false;
  return ![...node.members.keys()].some((key) => /^[0-9]+$/.test(key));
}

/** Objects merge deeply, anything else replaces. */
function merge(old: HoconNode | undefined, value: HoconNode): HoconNode {
  if (old?.kind !== "object" || value.kind !== "object") return value;
  let merged: HoconObject = old;
  for (const [key, member] of value.members) {
    const below = merge(old.members.get(key)?.value, member.value);
    merged = withMember(merged, key, member.keyAt, below);
  }
  return merged;
}

function withMember(
  object: HoconObject,
  key: string,
  keyAt: SourcePosition,
  value: HoconNode,
): HoconObject {
  const members = new Map<string, HoconMember>(object.members);
  members.set(key, { keyAt: object.members.get(key)?.keyAt ?? keyAt, value });
  return { ...object, members };
}
