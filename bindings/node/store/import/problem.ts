/** What is wrong with a file that is imported. Never repeats what stands in it: it may be a password. */
import { EngineError } from "../../../../src/errors.ts";

export interface ImportProblem {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** Lower case, no final stop; names columns and counts, never values. */
  readonly message: string;
}

/** LIMIT: problems that are told of one file. */
export const PROBLEMS_MAX = 20;

/** A file that was refused as a whole, with the places of the first mistakes in it. */
export class ImportError extends EngineError {
  readonly file: string;
  readonly problems: readonly ImportProblem[];

  constructor(file: string, problems: readonly ImportProblem[], isMore = false) {
    const lines = problems.map(
      ({ line, column, message }) => `${file}:${line}:${column}: ${message}`,
    );
    super("ERR_IMPORT", [...lines, ...(isMore ? [`${file}: and more`] : [])].join("\n"));
    this.file = file;
    this.problems = problems;
  }
}
