import { describe, expect, it } from "vitest";
import { compileExpression, type ExpressionPlace } from "../../../../src/compile/expr/index.ts";
import { type Preset, resolveSwitches } from "../../../../src/config/compatibility.ts";
import { formatIssue } from "../../../../src/errors.ts";

function issuesOf(
  value: string,
  { preset = "strict", place = "cinfo" }: { preset?: Preset; place?: ExpressionPlace } = {},
): readonly string[] {
  const at = { file: "p.conf", line: 3, column: 10 };
  const switches = resolveSwitches(preset);
  return compileExpression({ value, at }, { switches, place, path: "x" }).issues.map(formatIssue);
}

/** Has a blob and nothing to say. */
function isClean(value: string, place: ExpressionPlace = "cinfo"): boolean {
  const result = compileExpression({ value }, { switches: resolveSwitches("strict"), place });
  return result.blob !== undefined && result.issues.length === 0;
}

describe("what can never work is an error at load that names place, form and nearest name", () => {
  it.each([
    [
      "lowr(clientid)",
      "p.conf:3:10: error: x: unknown function `lowr`, at character 1 of the expression\n  hint: did you mean `lower`?",
    ],
    [
      "concat(clientid,\n  toekns(username, '-'))",
      "p.conf:4:3: error: x: unknown function `toekns`, at character 20 of the expression\n  hint: did you mean `tokens`?",
    ],
    [
      "lists.nht(1, [clientid])",
      "p.conf:3:10: error: x: unknown function `lists.nht`, at character 1 of the expression\n  hint: did you mean `lists.nth`?",
    ],
    [
      "list.nth(1, [clientid])",
      "p.conf:3:10: error: x: module `list` is unknown to expressions, at character 1 of the expression\n  hint: did you mean `lists`?",
    ],
    [
      "os.cmd('x')",
      "p.conf:3:10: error: x: module `os` may not be used in expressions, at character 1 of the expression\n  hint: built-in functions have no prefix",
    ],
    [
      "a.b.c('x')",
      "p.conf:3:10: error: x: `a.b.c` is no function name, at character 1 of the expression\n  hint: write `function(…)` or `module.function(…)`",
    ],
    [
      "nth(tokens(clientid, '-'))",
      "p.conf:3:10: error: x: `nth` takes 2 arguments, found 1, at character 1 of the expression\n  hint: write nth(position, list)",
    ],
    [
      "iif(clientid, 'a')",
      "p.conf:3:10: error: x: `iif` takes 3 arguments, found 2, at character 1 of the expression\n  hint: write iif(condition, then, else)",
    ],
    [
      "nth(0, tokens(clientid, '-'))",
      "p.conf:3:14: error: x: argument 1 of `nth` must be a position, counted from 1, found the integer `0`, at character 5 of the expression",
    ],
    [
      "upper(42)",
      "p.conf:3:16: error: x: argument 1 of `upper` must be a text, found the integer `42`, at character 7 of the expression\n  hint: put it in quotes, or use `any_to_str`",
    ],
    [
      "pad(clientid, 8, 'lead')",
      "p.conf:3:27: error: x: argument 3 of `pad` must be one of `'trailing'`, `'leading'`, `'both'`, found the text `lead`, at character 18 of the expression",
    ],
    [
      "find(clientid, 'x', 'tailing')",
      "p.conf:3:30: error: x: argument 3 of `find` must be one of `'trailing'`, `'leading'`, found the text `tailing`, at character 21 of the expression\n  hint: did you mean `'trailing'`?",
    ],
    [
      "hash('SHA256', clientid)",
      "p.conf:3:15: error: x: argument 1 of `hash` must be the name of a digest, found the text `SHA256`, at character 6 of the expression\n  hint: did you mean `'sha256'`?",
    ],
    [
      "hash('md4', clientid)",
      "p.conf:3:15: error: x: argument 1 of `hash` must be the name of a digest, found the text `md4`, at character 6 of the expression\n  hint: did you mean `'md5'`?",
    ],
    [
      "coalesce('x')",
      "p.conf:3:19: error: x: `coalesce` with one argument needs a list, found the text `x`, at character 10 of the expression\n  hint: coalesce(a, b, …) or coalesce(list)",
    ],
  ])("%s", (text, message) => {
    expect(issuesOf(text)).toEqual([message]);
  });

  it("points into a bad regular expression", () => {
    const [issue] = issuesOf("regex_match(clientid, 'ab(c')");
    expect(issue).toMatch(/^p\.conf:3:\d+: error: x: bad regular expression: /);
    const [refused] = issuesOf("regex_match(clientid, '^(?!.*admin)')");
    expect(refused).toContain("p.conf:3:34: error: x: bad regular expression: ");
    expect(refused).toContain("not(regex_match(x, 'admin'))");
  });

  it("finds all mistakes, in the order of the text", () => {
    const issues = issuesOf("concat([lowr(clientid), uper(clientid), nth(clientid)])");
    expect(issues.map((issue) => /`(\w+)`/.exec(issue)?.[1])).toEqual(["lowr", "uper", "nth"]);
  });

  it("only warns in emqx mode, where such an expression fails each time it runs", () => {
    const { blob, issues } = compileExpression(
      { value: "lowr(clientid)" },
      { switches: resolveSwitches("emqx"), place: "cinfo" },
    );
    expect(blob).toBeDefined();
    expect(issues).toMatchObject([
      { severity: "warning", code: "WARN_CONFIG_FUNCTION_UNKNOWN", hint: "did you mean `lower`?" },
    ]);
  });
});

describe("syntax errors are errors in both modes", () => {
  it.each([
    ["", "the expression is empty, at character 1"],
    ["'abc", "the string that starts here has no closing `'`, at character 1"],
    ["a\r\nb", "carriage return between tokens, at character 2"],
    ["${clientid}", "unexpected `$`, at character 1"],
    ["lower('A'", "expected `,` or `)`, found the end of the text, at character 10"],
    ["[clientid]", "an array can only be an argument of a function, at character 1"],
    ["nth(1, [])", "an array cannot be empty, at character 8"],
    ["1e5", "expected the end of the expression, found `e5`, at character 2"],
    ["1.0e999", "the number `1.0e999` is too large for a float, at character 1"],
    ["'é' ü", "unexpected U+00FC, at character 5"],
    ["a , b", "expected the end of the expression, found `,`, at character 3"],
  ])("%s", (text, message) => {
    for (const preset of ["strict", "emqx"] as const) {
      const issues = issuesOf(text, { preset });
      expect(issues).toHaveLength(1);
      expect(issues[0]).toContain(`error: x: ${message} of the expression`);
    }
  });

  it("refuses bytes that are not UTF-8, and lone surrogates", () => {
    for (const value of [Uint8Array.of(0x27, 0xff, 0x27), "'\ud800'"]) {
      const result = compileExpression(
        { value },
        { switches: resolveSwitches("emqx"), place: "cinfo" },
      );
      expect(result.blob).toBeUndefined();
      expect(result.issues[0]?.message).toContain("not valid UTF-8");
    }
  });
});

describe("lints", () => {
  it("warns of a condition that is always true", () => {
    for (const text of ["iif(false, 'a', 'b')", "iif(not(true), 'a', 'b')"]) {
      expect(issuesOf(text)[0]).toContain("warning: x: this condition is always true");
    }
    expect(isClean("iif(is_empty(username), 'a', 'b')")).toBe(true);
  });

  it("says where a concat of three works here and fails on EMQX", () => {
    expect(issuesOf("concat(clientid, '-', username)")[0]).toContain(
      "warning: x: `concat` with 3 arguments fails on EMQX 6.2",
    );
    expect(isClean("concat([clientid, '-', username])")).toBe(true);
  });

  it("warns of a float that meets an integer", () => {
    expect(issuesOf("num_eq(1.0, sockport)")[0]).toContain("never equal to an integer");
    expect(isClean("num_eq(1, sockport)")).toBe(true);
    expect(isClean("num_gt(sockport, 1.5)")).toBe(true);
  });

  it("warns of doubled backslashes, with the mended spelling", () => {
    const text = "regex_match(clientid, 'a\\\\d')";
    expect(issuesOf(text)[0]).toMatch(
      /:34: warning: x: doubled backslash .* read as one.*\n.*`a\\d`/,
    );
    expect(issuesOf(text, { preset: "emqx" })[0]).toContain("matches a backslash, not the class");
    expect(isClean("regex_match(clientid, 'a\\d')")).toBe(true);
  });

  it("names the variable that was meant", () => {
    expect(issuesOf("clietnid")[0]).toContain("hint: did you mean `clientid`?");
    expect(issuesOf("flavour")[0]).toContain("hint: known are `clientid`");
  });

  it("says which variables a place never binds", () => {
    const place = "clientid_override";
    expect(issuesOf("jwt_value(password, 'sub')", { place })[0]).toContain(
      "variable `password` is never bound in `clientid_override`",
    );
    expect(issuesOf("user_property.site", { place: "cinfo" })[0]).toContain("never bound");
    expect(isClean("user_property.site", "client_attrs")).toBe(true);
  });

  it("says what works here only", () => {
    expect(issuesOf("peerhost", { place: "client_attrs" })[0]).toContain(
      "cannot be used in `client_attrs_init` on EMQX 6.2",
    );
    expect(issuesOf("cert_common_name", { place: "clientid_override" })[0]).toContain("EMQX 6.2");
    expect(issuesOf("cn", { place: "precondition" })[0]).toContain("EMQX 6.2");
    expect(isClean("peerhost", "cinfo")).toBe(true);
    const emqx = issuesOf("peerhost", { place: "client_attrs", preset: "emqx" })[0];
    expect(emqx).toContain("which no function accepts");
  });
});
