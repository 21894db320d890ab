/**
 * Regular expressions: pattern → program for the linear-time engine of the core (assembly/regex/).
 *
 * Source: expressions §4.5, §8.3.
 */
import { showText, toBytes } from "../../text.ts";
import { emitProgram } from "./emit.ts";
import { buildGraph } from "./graph.ts";
import { type ParsedRegex, parseRegex } from "./parser.ts";
import { RegexRefusal } from "./refusal.ts";
import { requiredLiteral } from "./required.ts";

export interface RegexOptions {
  /**
   * Read a doubled backslash directly before a class letter (`\\s`, `\\d`, `\\w`, `\\b` …) as the
   * class. Such patterns come from files that escape backslashes where none are needed; PCRE2 takes
   * them for a backslash and a letter.
   */
  readonly doubledBackslashIsClass?: boolean | undefined;
}

export interface CompiledRegex {
  readonly ok: true;
  /** Position-independent program, a multiple of 8 bytes long. */
  readonly program: Uint8Array<ArrayBuffer>;
  /** Number of capture groups. */
  readonly groups: number;
  readonly names: readonly { readonly name: string; readonly group: number }[];
  /** Present when the pattern doubles a backslash before a class letter, however it was read. */
  readonly doubledBackslash?: DoubledBackslash | undefined;
}

export interface DoubledBackslash {
  /** Byte offset of the first one. */
  readonly offset: number;
  /** The pattern with single backslashes there. */
  readonly mended: string;
}

export interface RefusedRegex {
  readonly ok: false;
  /** Lower case, no final stop. */
  readonly message: string;
  /** Byte offset in the pattern. */
  readonly offset: number;
  /** What to write instead. */
  readonly hint?: string | undefined;
  /** The feature that PCRE2 has and this engine does not, when that is why. */
  readonly feature?: string | undefined;
}

/**
 * Compiles a pattern: bytes, or text as UTF-8.
 *
 * `doubledBackslash` covers exactly two backslashes before one of `dDsSwWhHvV`, or `bB` outside
 * brackets; within brackets too (`[\\w-]`), but not within `\Q…\E`, and not a longer run.
 * Cost: linear in the pattern with its counters written out, at most REGEX_PROGRAM_MAX instructions.
 */
export function compileRegex(
  pattern: Uint8Array | string,
  options: RegexOptions = {},
): CompiledRegex | RefusedRegex {
  const bytes = toBytes(pattern);
  try {
    const parsed = parseRegex(bytes, options.doubledBackslashIsClass ?? false);
    const { root, groups } = parsed;
    const program = emitProgram(buildGraph(root), groups, requiredLiteral(root));
    const doubledBackslash = mend(bytes, parsed);
    return {
      ok: true,
      program,
      groups,
      names: parsed.names,
      ...(doubledBackslash && { doubledBackslash }),
    };
  } catch (error) {
    if (!(error instanceof RegexRefusal)) throw error;
    const { message, offset, hint, feature } = error;
    return { ok: false, message, offset, ...(hint && { hint }), ...(feature && { feature }) };
  }
}

function mend(bytes: Uint8Array, { doubled }: ParsedRegex): DoubledBackslash | undefined {
  const offset = doubled[0];
  if (offset === undefined) return undefined;
  const dropped = new Set(doubled);
  const mended = showText(bytes.filter((_, at) => !dropped.has(at)));
  return { offset, mended };
}
