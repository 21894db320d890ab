/** SCRAM messages of any kind: nothing raises, and nobody gets in without the password. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AuthnResult } from "../../src/authn/authenticator.ts";
import { readClientFinal, readClientFirst } from "../../src/authn/scram/message.ts";
import { createScramDatabaseAuthenticator } from "../../src/authn/scram-database.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { runs } from "../support/runs.ts";
import { ScramClient } from "../support/scram-client.ts";
import { FakeUserDatabase } from "../support/user-database.ts";

const PASSWORD = "pencil";
const users = new FakeUserDatabase().addScram("/dev", PASSWORD, { iterations: 1 });
const creation = createScramDatabaseAuthenticator(
  {
    mechanism: "scram",
    backend: "built_in_database",
    id: "scram:built_in_database",
    path: "authentication[1]",
    enable: true,
    algorithm: "sha256",
    iterationCount: 1,
    bindsIdentity: true,
  },
  {
    mode: { switches: resolveSwitches("strict"), securityProfile: "legacy" },
    users,
    randomBytes: (count) => new Uint8Array(count).fill(9),
    decoySecret: new Uint8Array(32),
  },
);
if (!creation.ok) throw new Error("not made");
const scram = creation.authenticator;

function ask(authData: Uint8Array, cache?: unknown): AuthnResult {
  const client = { clientId: "c", authMethod: "SCRAM-SHA-256", authData };
  return scram.authenticate({ client, clientAttrs: {}, cache }) as AuthnResult;
}

/** Pieces that messages are made of, and what could be mistaken for them. */
const piece = fc.oneof(
  fc.constantFrom("n", "y", "p=x", "", "a=b", "m=1", "x=1", "n=dev", "n==2C", "n=", "r=", "r=abc"),
  fc.constantFrom("c=biws", "c=eSws", "c=", "p=AAAA", "p=", `p=${"A".repeat(43)}=`, "=", "\0"),
  fc.string({ maxLength: 5 }),
);
const message = fc.oneof(
  fc.array(piece, { maxLength: 7 }).map((parts) => Buffer.from(parts.join(","))),
  fc.uint8Array({ maxLength: 100 }),
);
const printable = fc
  .string({ minLength: 1, maxLength: 30 })
  .filter((text) => /^[\x21-\x2b\x2d-\x7e]+$/.test(text));
const name = fc
  .string({ minLength: 1, maxLength: 20, unit: "grapheme" })
  .filter((text) => !text.includes("\0"));

describe("any message", () => {
  it("is read or not, and never lets anybody in", () => {
    fc.assert(
      fc.property(message, message, (first, last) => {
        const begun = ask(first);
        expect(begun.type).not.toBe("ok");
        const started = begun.type === "ignore" ? begun.otherwise : begun;
        if (started?.type === "continue") {
          expect(["deny"]).toContain(ask(last, started.cache).type);
        }
        readClientFinal(first);
      }),
      runs(2000),
    );
  });

  it("that follows a good beginning must hold the proof", () => {
    const client = new ScramClient({ user: "dev", password: PASSWORD });
    const begun = ask(client.first);
    if (begun.type !== "continue") throw new Error(begun.type);
    const answer = client.answer(begun.data);
    expect(ask(answer, begun.cache).type).toBe("ok");
    const at = fc.nat(answer.length - 1);
    fc.assert(
      fc.property(at, fc.integer({ min: 1, max: 255 }), (position, flip) => {
        const changed = Buffer.from(answer);
        changed[position]! ^= flip;
        expect(ask(changed, begun.cache).type).toBe("deny");
      }),
      runs(500),
    );
    fc.assert(
      fc.property(at, (length) => {
        expect(ask(answer.subarray(0, length), begun.cache).type).toBe("deny");
      }),
      runs(200),
    );
  });

  it("written by a client is read back as it was meant", () => {
    fc.assert(
      fc.property(name, printable, fc.constantFrom("n,,", "y,,"), (user, nonce, header) => {
        const { first } = new ScramClient({ user, password: "p", nonce, header });
        expect(readClientFirst(first)).toMatchObject({ user, nonce, flag: header[0] });
      }),
      runs(500),
    );
  });
});
