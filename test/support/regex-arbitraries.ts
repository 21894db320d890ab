/** Arbitrary patterns and subjects, biased to what engines get wrong. */
import fc from "fast-check";

/** A pattern in our dialect and the JavaScript one that means the same. */
export interface TwinPattern {
  readonly ours: string;
  readonly javaScript: string;
  /** Matches no empty text, so that a loop over it means the same in both. */
  readonly isSolid: boolean;
  /** JavaScript forgets captures at each iteration, so loops over groups differ. */
  readonly hasGroup: boolean;
}

const twin = (ours: string, javaScript = ours, isSolid = true): TwinPattern => ({
  ours,
  javaScript,
  isSolid,
  hasGroup: false,
});

const atom = fc.constantFrom(
  twin("a"),
  twin("b"),
  twin("ab"),
  twin("."),
  twin("\\d"),
  twin("\\w"),
  twin("\\W"),
  twin("\\s", "[\\t-\\r ]"),
  twin("\\h", "[\\t \\xa0]"),
  twin("\\N", "."),
  twin("[[:alpha:]]", "[A-Za-z]"),
  twin("[^a]"),
  twin("[a-c1]"),
  twin("[\\w-]"),
  twin("\\x62", "b"),
  twin("\\Q.\\E", "\\."),
  twin("\\b", "\\b", false),
  twin("\\B", "\\B", false),
  twin("^", "^", false),
  twin("\\z", "$", false),
  twin("(?=a)", "(?=a)", false),
  twin("(?!ab)", "(?!ab)", false),
  twin("(?=b[a-c]|1)", "(?=b[a-c]|1)", false),
  twin("(?<=a)", "(?<=a)", false),
  twin("(?<!ab|\\b.)", "(?<!ab|\\b.)", false),
  twin("(?<=^|[ab]{2})", "(?<=^|[ab]{2})", false),
  twin("a*+", "(?:a*(?!a))", false),
  twin("(?:ab){1,2}+", "(?:abab|ab(?!ab))"),
  twin("(?>ab|a|b)", "(?:ab|a(?!b)|b)"),
  twin("", "", false),
);

const quantifier = fc.constantFrom("*", "+", "?", "{2}", "{0,2}", "{1,}", "{2,3}");

const { pattern } = fc.letrec<{ pattern: TwinPattern }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 5, depthIdentifier: "regex" },
    { weight: 3, arbitrary: atom },
    {
      weight: 3,
      arbitrary: fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => ({
        ours: a.ours + b.ours,
        javaScript: a.javaScript + b.javaScript,
        isSolid: a.isSolid || b.isSolid,
        hasGroup: a.hasGroup || b.hasGroup,
      })),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => ({
        ours: `(?:${a.ours}|${b.ours})`,
        javaScript: `(?:${a.javaScript}|${b.javaScript})`,
        isSolid: a.isSolid && b.isSolid,
        hasGroup: a.hasGroup || b.hasGroup,
      })),
    },
    {
      weight: 2,
      arbitrary: tie("pattern").map((inner) => ({
        ours: `(${inner.ours})`,
        javaScript: `(${inner.javaScript})`,
        isSolid: inner.isSolid,
        hasGroup: true,
      })),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(tie("pattern"), quantifier, fc.constantFrom("", "?"))
        .map(([inner, times, lazy]) =>
          inner.hasGroup || !inner.isSolid
            ? inner
            : {
                ours: `(?:${inner.ours})${times}${lazy}`,
                javaScript: `(?:${inner.javaScript})${times}${lazy}`,
                isSolid: !/^[*?]|^\{0/.test(times),
                hasGroup: false,
              },
        ),
    },
  ),
}));

export const twinPattern = pattern;

/** Latin-1 subjects without line breaks, which the two dialects treat differently. */
export const plainSubject: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom(
    "a",
    "a",
    "b",
    "b",
    "c",
    "1",
    "_",
    "-",
    ".",
    " ",
    "\t",
    "A",
    "\xe9",
    "\xa0",
  ),
  maxLength: 12,
});

/** Any bytes at all, most of them meaningful in a pattern. */
export const anyPattern: fc.Arbitrary<string> = fc.string({
  unit: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom(
        ..."\\[](){}?*+|^$.-:abz018,<>=!#' \n",
        "\\d",
        "\\b",
        "\\R",
        "\\Q",
        "\\E",
        "\\x",
        "(?:",
        "(?i)",
        "(?x)",
        "(?<n>",
        "(?=",
        "(?<!",
        "(?>",
        "(?|",
        "++",
        "[[:alpha:]]",
        "[^",
        "{2}",
        "{0,9}",
        "{,3}",
        "(a|b*)*",
        "(a+)+",
      ),
    },
    { weight: 1, arbitrary: fc.nat(255).map((byte) => String.fromCharCode(byte)) },
  ),
  maxLength: 30,
});

export const anySubject: fc.Arbitrary<string> = fc.string({
  unit: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(..."aabbz01 .-\n\r\t") },
    { weight: 1, arbitrary: fc.nat(255).map((byte) => String.fromCharCode(byte)) },
  ),
  maxLength: 200,
});
