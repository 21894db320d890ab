/** Laws of what comes before a CONNECT: addresses, and the names in certificates. */
import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileAccessRules } from "../../src/compile/access-rules.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import type { AccessRule } from "../../src/config/config.ts";
import { readSubject } from "../../src/crypto/certificate.ts";
import { makeCertificate, type Rdn } from "../support/certificates.ts";
import { runs } from "../support/runs.ts";

const SWITCHES = resolveSwitches("strict");

/** Few bits differ, so that ranges are hit. */
const v4 = fc
  .tuple(fc.constantFrom(10, 11), fc.nat(3), fc.nat(3), fc.nat(255))
  .map((parts) => parts.join("."));
const v6 = fc
  .tuple(fc.constantFrom("2001:db8", "2001:db9"), fc.nat(3), fc.nat(0xffff))
  .map(([head, a, b]) => `${head}:${a.toString(16)}::${b.toString(16)}`);
const range = fc.oneof(
  fc.tuple(v4, fc.nat(32), fc.constant("ipv4" as const)),
  // A wider range would hold IPv4 addresses for Node, which maps them into IPv6.
  fc.tuple(v6, fc.integer({ min: 3, max: 128 }), fc.constant("ipv6" as const)),
);
const address = fc.oneof(
  v4.map((text) => [text, "ipv4"] as const),
  v6.map((text) => [text, "ipv6"] as const),
);

describe("access rules", () => {
  it("hold the addresses that Node's own lists hold", () => {
    fc.assert(
      fc.property(
        fc.array(range, { minLength: 1, maxLength: 4 }),
        address,
        (ranges, [text, family]) => {
          const list = new BlockList();
          for (const [network, bits, kind] of ranges) list.addSubnet(network, bits, kind);
          const rules = ranges.map(
            ([network, bits]): AccessRule => ({ permission: "deny", who: `${network}/${bits}` }),
          );
          const mayConnect = compileAccessRules(rules, SWITCHES);
          expect(mayConnect(text)).toBe(!list.check(text, family));
          // The same the other way round: only they may connect.
          const allows = rules.map(({ who }): AccessRule => ({ permission: "allow", who }));
          const others: AccessRule = { permission: "deny", who: "all" };
          expect(compileAccessRules([...allows, others], SWITCHES)(text)).toBe(
            list.check(text, family),
          );
        },
      ),
      runs(500),
    );
  });
});

const name = fc.string({ unit: "grapheme-composite", maxLength: 12 });
const subject = fc.array(
  fc
    .tuple(fc.constantFrom("CN", "O", "OU", "L"), name)
    .map(([key, value]): Rdn => ({ [key]: value })),
  { maxLength: 4 },
);

describe("the subject of a certificate", () => {
  it("is told from every other subject by its text", () => {
    const one = makeCertificate({ subject: [] });
    fc.assert(
      fc.property(subject, subject, (first, second) => {
        const [a, b] = [first, second].map((rdns) =>
          readSubject(makeCertificate({ subject: rdns, issuer: one }).der),
        );
        fc.pre(a !== undefined && b !== undefined);
        expect(a?.text === b?.text).toBe(JSON.stringify(first) === JSON.stringify(second));
      }),
      runs(60),
    );
  });

  it("is refused or printable, whatever becomes of the bytes", () => {
    const { der } = makeCertificate({ subject: [{ O: "plant" }, { CN: "dev-1", OU: "x" }] });
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), fc.nat(der.length), (at, byte, length) => {
        const bytes = Uint8Array.from(der);
        bytes[at] = byte;
        for (const mutant of [bytes, bytes.subarray(0, length)]) {
          expect(readSubject(mutant)?.text ?? "").toMatch(/^[^\x00-\x1f\x7f-\x9f]*$/);
        }
      }),
      runs(1_000),
    );
  });
});
