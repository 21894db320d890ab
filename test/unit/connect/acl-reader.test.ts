import { describe, expect, it } from "vitest";
import { TOKEN_PATTERN_BYTES_MAX, TOKEN_PATTERNS_MAX } from "../../../assembly/abi.ts";
import { compileRegex } from "../../../src/compile/regex/index.ts";
import { resolveSwitches } from "../../../src/config/compatibility.ts";
import { aclReader } from "../../../src/connect/acl-reader.ts";

const rule = (pattern: string) => ({
  permission: "allow",
  action: "publish",
  topic: "t",
  clientid_re: pattern,
});

/** `ok`, or what is wrong with rules of these patterns. */
function read(patterns: readonly string[], preset: "strict" | "emqx" = "strict"): string {
  const reading = aclReader(resolveSwitches(preset))(patterns.map(rule));
  return reading.ok ? "ok" : `${reading.kind}: ${reading.message}`;
}

const REFUSED = "rule: invalid_clientid_re";
const different = (count: number): string[] => Array.from({ length: count }, (_, i) => `^c${i}$`);

function programBytes(pattern: string): number {
  const compiled = compileRegex(pattern);
  if (!compiled.ok) throw new Error(compiled.message);
  return compiled.program.length;
}

describe("the patterns of a token's own rules", () => {
  it("are few, however many rules have them", () => {
    for (const preset of ["strict", "emqx"] as const) {
      expect(read(different(TOKEN_PATTERNS_MAX), preset)).toBe("ok");
      expect(read(different(TOKEN_PATTERNS_MAX + 1), preset)).toBe(REFUSED);
    }
    expect(read(Array.from({ length: 900 }, (_, i) => `^c${i % TOKEN_PATTERNS_MAX}$`))).toBe("ok");
  });

  it("are small together", () => {
    const small = "\\w{100}";
    let count = 1900;
    const large = (): string => `\\w{${count}}`;
    while (programBytes(large()) + programBytes(small) <= TOKEN_PATTERN_BYTES_MAX) count += 1;
    expect(read([small, large()])).toBe(REFUSED);
    expect(read([large(), large()])).toBe("ok");
    count -= 1;
    expect(read([small, large()])).toBe("ok");
    expect(read([small, large(), "a"])).toBe(REFUSED);
  });

  it("have to be patterns", () => {
    expect(read(["("])).toBe(REFUSED);
    expect(read(["(", "("])).toBe(REFUSED);
  });
});
