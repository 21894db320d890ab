/** The boolean reading of `is_superuser`, the same for every backend. */
import type { JsonValue } from "../json/parse.ts";

const INTEGER = /^[+-]?[0-9]+$/;
/** LIMIT: longer digit strings are not worth a big integer. */
const DIGITS_MAX = 64;

/**
 * Does this value make a superuser? `true`, integers from 1, the text `true` and texts that are
 * wholly such an integer do; nothing else does, `1.0` and `TRUE` included.
 *
 * Source: authentication §2.5.
 */
export function readSuperuser(value: JsonValue | undefined): boolean {
  switch (typeof value) {
    case "boolean":
      return value;
    case "number":
    case "bigint":
      return value >= 1;
    case "string":
      if (value === "true") return true;
      return (
        value.length <= DIGITS_MAX && INTEGER.test(value) && BigInt(value.replace("+", "")) >= 1n
      );
    default:
      return false;
  }
}
