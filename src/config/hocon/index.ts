/**
 * EMQX's dialect of HOCON. Not the HOCON of other tools: texts join without blanks, `${…}` in
 * quotes is text, and list elements are edited by number.
 *
 * Source: authentication §7.1–7.3 and appendix E.
 */
import type { Issue } from "../../errors.ts";
import { IssueList } from "../issues.ts";
import type { Member } from "./ast.ts";
import { LimitReached } from "./fault.ts";
import { TEXT_UNITS_MAX } from "./limits.ts";
import type { HoconObject } from "./node.ts";
import { type IncludeRequest, type ParseContext, parseMembers } from "./parser.ts";
import { resolveDocument } from "./resolve.ts";

export type {
  HoconArray,
  HoconJson,
  HoconMember,
  HoconNode,
  HoconObject,
  HoconScalar,
  HoconText,
  TextLayout,
} from "./node.ts";
export { toJson } from "./node.ts";

/**
 * Reads a file that another file mentions. `path` is as written, relative to the folder of
 * `fromFile`. Undefined: there is no such file. Whatever it throws becomes an issue.
 */
export type ReadText = (path: string, fromFile: string) => string | undefined;

export interface HoconSource {
  readonly text: string;
  /** Name of the file, for positions and for the includes in it. */
  readonly file: string;
  /** Without it every include is a missing file. */
  readonly readInclude?: ReadText | undefined;
  /** Decode `\uXXXX` in quoted text. EMQX does not. Default false. */
  readonly unicodeEscapes?: boolean | undefined;
}

/**
 * Reads a text with its includes. Never throws for what stands in the text: `issues` holds
 * every mistake found, and with an error among them `root` is only what could be read.
 */
export function parseHocon(source: HoconSource): { root: HoconObject; issues: Issue[] } {
  const { file } = source;
  const issues = new IssueList();
  const empty: HoconObject = {
    kind: "object",
    at: { file, line: 1, column: 1 },
    members: new Map(),
  };
  try {
    const members = readFiles(source, issues);
    const root = issues.hasErrors ? empty : resolveDocument(members, file, issues);
    return { root, issues: issues.all() };
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error;
    issues.error("ERR_CONFIG_LIMIT", error.at, error.message, {
      hint: issues.isFull
        ? "is this a configuration of EMQX?"
        : "no real configuration needs this; look for text that repeats itself",
    });
    return { root: empty, issues: issues.all() };
  }
}

function readFiles(source: HoconSource, issues: IssueList): readonly Member[] {
  const openFiles: string[] = [];
  let units = 0;
  const context: ParseContext = {
    unicodeEscapes: source.unicodeEscapes ?? false,
    issues,
    used: { values: 0, includes: 0 },
    include: (request, depth) => {
      const file = besideFile(request.path, request.fromFile);
      if (openFiles.includes(file)) {
        issues.error(INCLUDE, request.at, `\`${file}\` includes itself`, {
          hint: `the circle is ${[...openFiles.slice(openFiles.indexOf(file)), file].join(" → ")}`,
        });
        return [];
      }
      const text = readIncluded(source, request, issues);
      return text === undefined ? [] : parse(text, file, depth);
    },
  };
  const parse = (text: string, file: string, depth: number): readonly Member[] => {
    units += text.length;
    if (units > TEXT_UNITS_MAX) {
      const at = { file, line: 1, column: 1 };
      throw new LimitReached(at, `the configuration has more than ${TEXT_UNITS_MAX} characters`);
    }
    openFiles.push(besideFile(file, ""));
    const members = parseMembers(text, file, context, depth);
    openFiles.pop();
    return members;
  };
  return parse(source.text, source.file, 0);
}

const INCLUDE = "ERR_CONFIG_INCLUDE";

function readIncluded(
  source: HoconSource,
  request: IncludeRequest,
  issues: IssueList,
): string | undefined {
  const { path, fromFile, at, isRequired } = request;
  let text: string | undefined;
  try {
    text = source.readInclude?.(path, fromFile);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unreadable";
    issues.error(INCLUDE, at, `cannot read \`${path}\`: ${reason}`);
    return undefined;
  }
  if (text !== undefined) return text;
  if (isRequired) {
    issues.error(INCLUDE, at, `there is no file \`${path}\` to include`, {
      hint: "the path is relative to the including file",
    });
  } else {
    issues.warning("WARN_CONFIG_INCLUDE", at, `there is no file \`${path}\`, nothing is included`, {
      hint: 'write `include required("…")` to make that an error',
    });
  }
  return undefined;
}

/** `path` as seen from `fromFile`, with `.` and `..` worked out, so that one file has one name. */
export function besideFile(path: string, fromFile: string): string {
  const isAbsolute = /^([/\\]|[A-Za-z]:[/\\])/.test(path);
  const folder = isAbsolute ? "" : fromFile.slice(0, fromFile.lastIndexOf("/") + 1);
  const full = folder + path;
  const out: string[] = [];
  for (const part of full.split("/")) {
    if (part === "." || (part === "" && out.length > 0)) continue;
    const last = out[out.length - 1];
    if (part === ".." && last !== undefined && last !== ".." && last !== "") out.pop();
    else if (part !== ".." || last !== "") out.push(part);
  }
  return out.join("/");
}
