/** Recorded answers of EMQX 6.2 for password hashes (authentication §4, appendix C). */
import { describe, expect, it } from "vitest";
import { answerPasswordHash, type PasswordLine } from "../../src/batch/password-hash.ts";
import { readVectors } from "../support/vectors.ts";

type RecordedLine = PasswordLine & {
  readonly id: string;
  readonly match?: boolean;
  readonly error?: string;
};

describe("password_hash.jsonl", () => {
  const lines = readVectors<RecordedLine>("password_hash");
  const isBcrypt = (line: RecordedLine): boolean =>
    line.algorithm.name === "bcrypt" && line.password !== null;

  it("has all its lines", () => {
    expect(lines).toHaveLength(478);
    expect(lines.filter(isBcrypt)).toHaveLength(20);
  });

  it.each(lines.filter((line) => !isBcrypt(line)))("$id $algorithm", async (line) => {
    const { id, match, error, hash, ...input } = line;
    if (match !== undefined) {
      expect(await answerPasswordHash({ ...input, hash })).toEqual({ match });
    } else if (error !== undefined) {
      expect(await answerPasswordHash(input)).toHaveProperty("error");
    } else {
      expect(await answerPasswordHash(input)).toEqual({ hash });
    }
  });

  it.each(lines.filter(isBcrypt))(
    "$id bcrypt is refused, never taken for a match",
    async (line) => {
      const { hash, salt, password, algorithm } = line;
      expect(await answerPasswordHash({ hash, salt, password, algorithm })).toEqual({
        error: { code: "unsupported" },
      });
    },
  );
});
