/** Recorded answers of EMQX 6.2 for password hashes (authentication §4, appendix C). */
import { describe, expect, it } from "vitest";
import { nodePasswords } from "../../bindings/node/passwords.ts";
import {
  answerPasswordHash,
  type PasswordBatch,
  type PasswordLine,
} from "../../src/batch/password-hash.ts";
import { readVectors } from "../support/vectors.ts";

type RecordedLine = PasswordLine & {
  readonly id: string;
  readonly match?: boolean;
  readonly error?: string;
};

/** What EMQX does with a password that bcrypt cannot hold. */
const BATCH: PasswordBatch = { primitives: nodePasswords, overlong: "cut" };

describe("password_hash.jsonl", () => {
  const lines = readVectors<RecordedLine>("password_hash");
  const isBcrypt = (line: RecordedLine): boolean =>
    line.algorithm.name === "bcrypt" && line.password !== null;

  it("has all its lines", () => {
    expect(lines).toHaveLength(478);
    expect(lines.filter(isBcrypt)).toHaveLength(20);
  });

  it.each(lines)("$id $algorithm", async (line) => {
    expect(await answerPasswordHash(inputOf(line), BATCH)).toEqual(answerOf(line));
  });

  it.each(lines.filter((line) => !isBcrypt(line)))(
    "$id $algorithm without the host's primitives",
    async (line) => {
      const answer = await answerPasswordHash(inputOf(line), { overlong: "cut" });
      expect(answer).toEqual(answerOf(line));
    },
  );

  it.each(lines.filter(isBcrypt))(
    "$id bcrypt is refused where the host has none, never taken for a match",
    async (line) => {
      const { hash, salt, password, algorithm } = line;
      expect(
        await answerPasswordHash({ hash, salt, password, algorithm }, { overlong: "cut" }),
      ).toEqual({ error: { code: "unsupported" } });
    },
  );
});

function inputOf({ algorithm, salt, password, hash, match }: RecordedLine): PasswordLine {
  return { algorithm, salt, password, ...(match !== undefined && { hash }) };
}

function answerOf({ hash, match, error }: RecordedLine): object {
  if (match !== undefined) return { match };
  return error === undefined ? { hash } : { error: expect.anything() };
}
