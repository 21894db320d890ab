import { describe, expect, it } from "vitest";
import { formatExpressionTrace, traceExpression } from "../../../src/observe/expression-trace.ts";
import { createVectorContext } from "../../support/expression-batch.ts";

const { memory, switches } = createVectorContext("strict");
const PAYLOAD = btoa('{"sub":"a:b:c:dev-1"}').replaceAll("=", "");
const TOKEN = `eyJhbGciOiJIUzI1NiJ9.${PAYLOAD}.c2ln`;

function trace(value: string): { readonly lines: readonly string[]; readonly result?: string } {
  const { root, result } = traceExpression(
    { value },
    {
      memory,
      switches,
      place: "cinfo",
      fields: { clientId: "dev-1", username: null, password: TOKEN },
    },
  );
  return { lines: root ? formatExpressionTrace(root) : [], ...(result && { result }) };
}

describe("expression trace", () => {
  it("shows every part with its value, and no password", () => {
    const { lines, result } = trace(
      "str_eq(nth(4, tokens(jwt_value(password,'sub'),':')), clientid)",
    );
    expect(lines).toEqual([
      "str_eq(nth(4, tokens(jwt_value(password,'sub'),':')), clientid) → true",
      "  nth(4, tokens(jwt_value(password,'sub'),':')) → \"dev-1\"",
      '    tokens(jwt_value(password,\'sub\'),\':\') → ["a", "b", "c", "dev-1"]',
      "      jwt_value(password,'sub') → \"a:b:c:dev-1\"",
      "        password → (hidden)",
      '  clientid → "dev-1"',
    ]);
    expect(result).toBe('"true"');
  });

  it("hides what is made of a password, however it is wrapped", () => {
    for (const text of [
      "password",
      "upper(password)",
      "concat(clientid, password)",
      "iif(is_empty(username), password, 'x')",
      "hash('sha256', password)",
      "coalesce(username, password)",
    ]) {
      const { lines, result } = trace(text);
      expect(lines[0], text).toBe(`${text} → (hidden)`);
      expect(result, text).toBe("(hidden)");
      expect(lines.join("\n"), text).not.toContain(PAYLOAD);
    }
  });

  it("marks branches and alternatives that were not evaluated", () => {
    expect(trace("iif(is_empty(username), upper(clientid), lower(clientid))").lines).toEqual([
      'iif(is_empty(username), upper(clientid), lower(clientid)) → "DEV-1"',
      "  is_empty(username) → true",
      '    username → ""',
      '  upper(clientid) → "DEV-1"',
      '    clientid → "dev-1"',
      "  lower(clientid) → (not evaluated)",
      "    clientid → (not evaluated)",
    ]);
    expect(trace("coalesce(clientid, username)").lines.at(-1)).toBe("  username → (not evaluated)");
  });

  it("names the part an error arose in", () => {
    const { lines, result } = trace("lower(client_attrs.tns)");
    expect(lines).toEqual([
      "lower(client_attrs.tns) → error var_unbound (client_attrs.tns)",
      "  client_attrs.tns → error var_unbound (client_attrs.tns)",
    ]);
    expect(result).toBe("error var_unbound (client_attrs.tns)");
  });

  it("has only issues for a text that is no expression", () => {
    const result = traceExpression(
      { value: "lower(" },
      { memory, switches, place: "cinfo", fields: {} },
    );
    expect(result.root).toBeUndefined();
    expect(result.issues).toHaveLength(1);
  });
});
