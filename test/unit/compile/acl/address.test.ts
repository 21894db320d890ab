import { describe, expect, test } from "vitest";
import { foldMappedAddress, readAddress, readRange } from "../../../../src/compile/acl/address.ts";

const show = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function range(text: string, standard: boolean): string | undefined {
  const reading = readRange(text, { standard });
  if (!("range" in reading)) return undefined;
  return `${show(reading.range.network)}/${reading.range.prefixLength}`;
}

describe("addresses in both readings", () => {
  test.each([
    ["127.0.0.1", "7f000001"],
    ["255.255.255.255", "ffffffff"],
    ["::", "00".repeat(16)],
    ["::1", `${"00".repeat(15)}01`],
    ["2001:DB8::8:800:200C:417A", "20010db80000000000080800200c417a"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
    ["::ffff:10.1.2.3", `${"00".repeat(10)}ffff0a010203`],
    ["1:2:3:4:5:6:1.2.3.4", "00010002000300040005000601020304"],
  ])("%s", (text, bytes) => {
    expect(show(readAddress(text, { standard: true }))).toBe(bytes);
    expect(show(readAddress(text, { standard: false }))).toBe(bytes);
  });

  test.each([
    "",
    "256.0.0.1",
    "1.2.3.4.5",
    "1.2.3.",
    " 127.0.0.1",
    "1.2.3.4 ",
    "a.b.c.d",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "::1.2.3",
    "1.2.3.4::",
    "::g",
    "fe80::1%eth0",
    "1.2.3.4:80",
    "[::1]",
  ])("`%s` is none", (text) => {
    expect(readAddress(text, { standard: true })).toBeUndefined();
    expect(readAddress(text, { standard: false })).toBeUndefined();
  });
});

describe("addresses only the loose reading knows", () => {
  test.each([
    ["127.1", "7f000001"],
    ["999", "000003e7"],
    ["10.0.0", "0a000000"],
    ["1.2.65535", "0102ffff"],
    ["0x7f.0.0.0x1", "7f000001"],
    ["010.0.0.1", "08000001"],
    ["4294967295", "ffffffff"],
  ])("%s", (text, bytes) => {
    expect(show(readAddress(text, { standard: false }))).toBe(bytes);
    expect(readAddress(text, { standard: true })).toBeUndefined();
  });

  test.each(["4294967296", "1.2.65536", "08.0.0.1", "0x", "256.1"])("`%s` is none", (text) =>
    expect(readAddress(text, { standard: false })).toBeUndefined(),
  );
});

describe("ranges", () => {
  test.each([
    ["10.9.8.7", "0a090807/32"],
    ["10.9.8.7/8", "0a000000/8"],
    ["10.9.8.7/0", "00000000/0"],
    ["10.255.255.255/31", "0afffffe/31"],
    ["2001:db8:ffff::/33", "20010db8800000000000000000000000/33"],
    ["2001:db8:1:2::/48", "20010db8000100000000000000000000/48"],
  ])("`%s` has its host bits cleared", (text, want) => {
    expect(range(text, true)).toBe(want);
    expect(range(text, false)).toBe(want);
  });

  test.each(["10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/x", "/"])(
    "`%s` is none",
    (text) => {
      expect(range(text, true)).toBeUndefined();
      expect(range(text, false)).toBeUndefined();
    },
  );

  test("may have stray slashes in the loose reading only", () => {
    expect(range("127.0.0.1/", false)).toBe("7f000001/32");
    expect(range("127.0.0.0//8", false)).toBe("7f000000/8");
    expect(range("127.0.0.1/", true)).toBeUndefined();
    expect(range("127.0.0.0//8", true)).toBeUndefined();
  });

  test("of mapped addresses are IPv4 ranges in the standard reading only", () => {
    expect(range("::ffff:10.1.2.3", true)).toBe("0a010203/32");
    expect(range("::ffff:10.0.0.0/104", true)).toBe("0a000000/8");
    expect(range("::ffff:0:0/95", true)).toMatch(/\/95$/);
    expect(range("::ffff:10.0.0.0/104", false)).toMatch(/\/104$/);
  });
});

test("only mapped addresses fold", () => {
  const address = (text: string) => readAddress(text, { standard: true })!;
  expect(show(foldMappedAddress(address("::ffff:1.2.3.4")))).toBe("01020304");
  expect(foldMappedAddress(address("::fffe:1.2.3.4"))).toHaveLength(16);
  expect(foldMappedAddress(address("::1.2.3.4"))).toHaveLength(16);
  expect(foldMappedAddress(address("1.2.3.4"))).toHaveLength(4);
});
