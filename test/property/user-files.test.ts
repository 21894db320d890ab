/** Readers of user files: any bytes give rows or places of mistakes, and chunks make no difference. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brief, type RowFormat, readRows } from "../support/import-rows.ts";
import { runs } from "../support/runs.ts";
import "../support/seed.ts";

const FORMATS: readonly RowFormat[] = ["csv", "csv without quotes", "json"];

/** Pieces that mean something to a reader, and some that do not. */
const pieces = fc.constantFrom(
  ...["a", "b,c", ",", '"', '""', "\n", "\r", "\r\n", " ", "\t", "é", "😀", "\ufeff", "\\", "\0"],
  ...["{", "}", "[", "]", ":", '"a":', '{"a":"b"}', '{"user_id":1}', "null", "[{", "}]", "},{"],
);

const content = fc.oneof(
  fc.array(pieces, { maxLength: 40 }).map((all) => Buffer.from(all.join(""))),
  fc.array(pieces, { maxLength: 40 }).map((all) => Buffer.from(`a,b\n${all.join("")}`)),
  fc.array(pieces, { maxLength: 40 }).map((all) => Buffer.from(`[${all.join("")}]`)),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
);

describe.each(FORMATS)("a reader of %s", (format) => {
  it("answers the same whatever the chunks, and tells a place inside of the file", () => {
    fc.assert(
      fc.property(content, fc.integer({ min: 1, max: 9 }), (bytes, chunkBytes) => {
        const whole = readRows(format, bytes);
        expect(brief(readRows(format, bytes, chunkBytes))).toEqual(brief(whole));
        const lines = bytes.toString("latin1").split(/\r\n|\r|\n/).length;
        for (const read of whole) {
          const { line, column } = read.ok ? read.row : read.problem;
          expect(line).toBeGreaterThan(0);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThan(0);
          expect(column).toBeLessThanOrEqual(bytes.length + 1);
        }
      }),
      runs(500),
    );
  });
});

/** Any text that is UTF-8. */
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`;

describe("what was written", () => {
  it("is what is read of quoted CSV", () => {
    const table = fc.array(fc.tuple(text, text, text), { maxLength: 8 });
    fc.assert(
      fc.property(table, fc.constantFrom("\n", "\r\n", "\r"), (rows, lineEnd) => {
        const lines = ["a,b,c", ...rows.map((row) => row.map(quoted).join(","))];
        const read = brief(readRows("csv", lines.join(lineEnd) + lineEnd, 5));
        expect(read).toEqual(rows.map(([a, b, c]) => ({ a, b, c })));
      }),
      runs(300),
    );
  });

  it("is what is read of JSON", () => {
    const objects = fc.array(fc.dictionary(fc.constantFrom("a", "b", "c"), text), { maxLength: 8 });
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 1, "\t"), (rows, indent) => {
        const read = brief(readRows("json", JSON.stringify(rows, null, indent), 5));
        expect(read).toEqual(rows.map((row) => ({ ...row })));
      }),
      runs(300),
    );
  });
});
