/** Inline options in force; they hold to the end of their group. */
export interface Options {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  /** Blanks and # comments are ignored. */
  readonly extended: boolean;
  /** Blanks between brackets as well. */
  readonly extendedMore: boolean;
  /** Plain parentheses do not capture. */
  readonly noCapture: boolean;
  /** Greedy and lazy change places. */
  readonly ungreedy: boolean;
  /** Groups may share a name. */
  readonly duplicateNames: boolean;
}

export const NO_OPTIONS: Options = {
  ignoreCase: false,
  multiline: false,
  dotAll: false,
  extended: false,
  extendedMore: false,
  noCapture: false,
  ungreedy: false,
  duplicateNames: false,
};
