import { describe, expect, it } from "vitest";
import { ROW_BYTES_MAX } from "../../../../../../bindings/node/store/import/rows.ts";
import { brief, type RowFormat, readRows } from "../../../../../support/import-rows.ts";

const rows = (format: RowFormat, content: string | Uint8Array) => {
  const whole = brief(readRows(format, content));
  for (const chunkBytes of [1, 2, 3, 7]) {
    expect(brief(readRows(format, content, chunkBytes))).toEqual(whole);
  }
  return whole;
};

describe.each(["csv", "csv without quotes"] as const)("%s", (format) => {
  it("names its columns in the first line, with commas or blanks between", () => {
    const row = { user_id: "ann", password: "pw" };
    expect(rows(format, "user_id,password\nann,pw\n")).toEqual([row]);
    expect(rows(format, "user_id password\nann,pw")).toEqual([row]);
    expect(rows(format, " user_id ,\tpassword \nann,pw")).toEqual([row]);
    expect(rows(format, "\ufeffuser_id,password\nann,pw")).toEqual([row]);
  });

  it.each(["\n", "\r\n", "\r", "\n\n", "\r\n\r\n \t\r\n"])("ends lines with %j", (end) => {
    const text = ["a,b", "1,2", "3,4", ""].join(end);
    expect(rows(format, text)).toEqual([
      { a: "1", b: "2" },
      { a: "3", b: "4" },
    ]);
  });

  it("trims fields, and takes an empty one for no value", () => {
    expect(rows(format, "a,b,c\n x y ,, \t\n,,\n")).toEqual([
      { a: "x y", b: undefined, c: undefined },
      { a: undefined, b: undefined, c: undefined },
    ]);
  });

  it("tells where a row has another number of fields than the first line", () => {
    expect(rows(format, "a,b\n\n1,2\n1\r\n1,2,3\n3,4")).toEqual([
      { a: "1", b: "2" },
      "4:1 the row has 1 field, the first line names 2",
      "5:1 the row has 3 fields, the first line names 2",
      { a: "3", b: "4" },
    ]);
  });

  it("is UTF-8", () => {
    expect(rows(format, "a\n日本é😀\n")).toEqual([{ a: "日本é😀" }]);
    const broken = Buffer.concat([Buffer.from("a,b\nx,"), Buffer.of(0xff), Buffer.from("\ny,z\n")]);
    expect(rows(format, broken)).toEqual(["2:1 not UTF-8", { a: "y", b: "z" }]);
  });

  it("needs a first line, with names that differ", () => {
    expect(rows(format, "")).toEqual(["1:1 the line with the names is missing"]);
    expect(rows(format, "\n\n")).toEqual(["3:1 the line with the names is missing"]);
    expect(rows(format, "a,b,a\n1,2,3")).toEqual(["1:1 a column is named twice"]);
    expect(rows(format, Buffer.of(0x61, 0xff, 0x0a, 0x62))).toEqual(["1:1 not UTF-8"]);
  });

  it("has rows of a mebibyte and not of one byte more", () => {
    const fits = "x".repeat(ROW_BYTES_MAX);
    const read = (row: string) => readRows(format, `a\n${row}\n`, 65_536)[0]!;
    const { ok } = read(fits);
    expect(ok).toBe(true);
    const message = `2:1 the row has more than ${ROW_BYTES_MAX} bytes`;
    expect(brief([read(`${fits}x`)])).toEqual([message]);
  });

  it("takes `__proto__` for a name like others", () => {
    const [read] = readRows(format, "__proto__,b\n1,2");
    expect(read?.ok && Object.keys(read.row.cells)).toEqual(["__proto__", "b"]);
  });
});

describe("csv with quotes", () => {
  const read = (content: string) => rows("csv", content);

  it("keeps commas, blanks, line ends and doubled quotes inside of quotes", () => {
    expect(read('a,b\n" x,""y"" ", 2 \n"1\r\n2\n3" ,4\n')).toEqual([
      { a: ' x,"y" ', b: "2" },
      { a: "1\r\n2\n3", b: "4" },
    ]);
  });

  it("tells a quoted empty field from none", () => {
    expect(read('a,b\n"",\n')).toEqual([{ a: "", b: undefined }]);
    expect(read('a\n""\n')).toEqual([{ a: "" }]);
  });

  it("takes a quote inside of an unquoted field as it is", () => {
    expect(read('a,b\nx"y,5"\n')).toEqual([{ a: 'x"y', b: '5"' }]);
  });

  it("tells where a quote is not closed, or followed by something", () => {
    expect(read('a,b\n1,"2\n3,4\n')).toEqual(["2:3 the quote is not closed"]);
    expect(read('a,b\n"1"x,2\n3,4')).toEqual([
      "2:4 something follows the closing quote",
      { a: "3", b: "4" },
    ]);
    expect(read('a,b\n"1\né" x,2\n3,4')).toEqual([
      "3:4 something follows the closing quote",
      { a: "3", b: "4" },
    ]);
  });

  it("counts the lines inside of quotes", () => {
    expect(read('a,b\n"1\n\n2",3\nx\n')).toEqual([
      { a: "1\n\n2", b: "3" },
      "5:1 the row has 1 field, the first line names 2",
    ]);
  });

  it("may quote the names, which may then hold blanks", () => {
    expect(read('"a b","c"\n1,2')).toEqual([{ "a b": "1", c: "2" }]);
  });
});

describe("csv without quotes", () => {
  it("takes quotes for characters like others", () => {
    expect(rows("csv without quotes", 'a,b\n"x,"y""\n')).toEqual([{ a: '"x', b: '"y""' }]);
  });
});

describe("json", () => {
  const read = (content: string | Uint8Array) => rows("json", content);

  it("is a list of objects", () => {
    expect(read('[{"a":"1"},\n {"a":{"b":["}"]},"c":null}]\n')).toEqual([
      { a: "1" },
      { a: { b: ["}"] }, c: undefined },
    ]);
    expect(read(" \n[ ] \n")).toEqual([]);
    expect(read('\ufeff[{"a":"\\"}{\\\\"}]')).toEqual([{ a: '"}{\\' }]);
  });

  it.each([
    ["", "1:1 the file ends here: expected a list: `[ {…}, … ]`"],
    ["{}", "1:1 expected a list: `[ {…}, … ]`"],
    ["[\n 1]", "2:2 expected an object, or `]`"],
    ["[{}\n{}]", "2:1 expected `,` or `]`"],
    ["[{},]", "1:5 expected an object"],
    ["[{}", "1:4 the file ends here: expected `,` or `]`"],
    ['[{"é":1}, {"a"', "1:11 the object is not closed"],
    ["[{}]x", "1:5 something follows the list"],
    ["[{}][]", "1:5 something follows the list"],
  ])("refuses %j", (content, problem) => {
    expect(read(content).at(-1)).toBe(problem);
  });

  it("goes on after an object that is none", () => {
    const secret = '[{"a" "secret"},\n {"b":"\\ud800"}, {"c":1.5e999}, {"d":"x"}]';
    expect(read(secret)).toEqual([
      "1:2 the object is not JSON",
      "2:2 the object is not JSON",
      "2:18 the object is not JSON",
      { d: "x" },
    ]);
    const broken = Buffer.concat([Buffer.from('[{"a":"'), Buffer.of(0xff), Buffer.from('"},{}]')]);
    expect(read(broken)).toEqual(["1:2 not UTF-8", {}]);
  });

  it("has objects of a mebibyte and not of one byte more", () => {
    const object = (bytes: number) => `{"a":"${"x".repeat(bytes - 8)}"}`;
    expect(readRows("json", `[${object(ROW_BYTES_MAX)}]`, 65_536)[0]?.ok).toBe(true);
    const message = `1:2 the object has more than ${ROW_BYTES_MAX} bytes`;
    const longer = `[${object(ROW_BYTES_MAX + 1)}]`;
    expect(brief(readRows("json", longer, 65_536))).toEqual([message]);
  });
});
