/** A single value, as an environment variable holds one. Source: authentication §7.5. */

import type { SourcePosition } from "../../types.ts";
import { IssueList } from "../issues.ts";
import { isOpen, type Member } from "./ast.ts";
import { LimitReached } from "./fault.ts";
import type { HoconMember, HoconNode } from "./node.ts";
import { parseMembers } from "./parser.ts";
import { resolveDocument } from "./resolve.ts";

/**
 * Reads `text` as one HOCON value; what is none, or needs other values to be known, is a plain text.
 * `isJoined`: blanks between texts were dropped. Positions name `file` as if `text` were all of it.
 */
export function parseHoconValue(
  text: string,
  file: string,
  options: { readonly unicodeEscapes: boolean },
): { node: HoconNode; isJoined: boolean } {
  const issues = new IssueList();
  try {
    // The value stands on a line of its own, so that its columns are right.
    const members = parseMembers(`value =\n${text}`, file, {
      unicodeEscapes: options.unicodeEscapes,
      issues,
      used: { values: 0, includes: 0 },
      include: (request) => {
        issues.error("ERR_CONFIG_INCLUDE", request.at, "no includes in a single value");
        return [];
      },
    });
    const [member] = members;
    if (member && isPlain(member) && members.length === 1 && !issues.hasErrors) {
      const root = resolveDocument(members, file, issues);
      const node = root.members.get("value")?.value;
      if (node && !issues.hasErrors) {
        return { node: oneLineUp(node), isJoined: member.value.kind === "join" };
      }
    }
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error;
  }
  const at = { file, line: 1, column: 1 };
  return { node: { kind: "text", value: text, at, contentAt: at }, isJoined: false };
}

function isPlain(member: Member): boolean {
  return member.key.length === 1 && member.key[0] === "value" && !isOpen(member.value);
}

function oneLineUp(node: HoconNode): HoconNode {
  const at = above(node.at);
  switch (node.kind) {
    case "text":
      return { ...node, at, contentAt: above(node.contentAt) };
    case "array":
      return { ...node, at, items: node.items.map(oneLineUp) };
    case "object": {
      const members = new Map<string, HoconMember>();
      for (const [key, member] of node.members) {
        members.set(key, { keyAt: above(member.keyAt), value: oneLineUp(member.value) });
      }
      return { ...node, at, members };
    }
    default:
      return { ...node, at };
  }
}

function above(at: SourcePosition): SourcePosition {
  return { ...at, line: at.line - 1 };
}
