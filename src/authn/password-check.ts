/**
 * Checking a password against an account that may not exist, so that the time it takes does not tell.
 * Source: authentication §4, §8 porting notes.
 */
import type { PasswordAlgorithm } from "../config/config.ts";
import { bcryptPassword, isBcryptHash, parseBcrypt } from "../crypto/bcrypt.ts";
import { type PasswordAnswer, verifyPassword } from "../crypto/password.ts";
import type { PasswordPrimitives } from "../ports/password-primitives.ts";
import { encodeUtf8 } from "../text.ts";

/** What an account has; texts as they are stored. */
export interface StoredPassword {
  readonly hash: string;
  readonly salt: string;
}

/** LIMIT: a stored hash of a higher cost does not make unknown users as dear: anybody can be one. */
const PRETENDED_COST_MAX = 14;

/** As long as generated ones. */
const PRETENDED: StoredPassword = { hash: "-".repeat(64), salt: "0".repeat(32) };
const PRETENDED_BCRYPT_SALT = new Uint8Array(16);

/** Checks for one authenticator; remembers the dearest bcrypt cost it met. */
export class PasswordCheck {
  readonly #algorithm: PasswordAlgorithm;
  readonly #primitives: PasswordPrimitives | undefined;
  #cost: number;

  constructor(algorithm: PasswordAlgorithm, primitives: PasswordPrimitives | undefined) {
    this.#algorithm = algorithm;
    this.#primitives = primitives;
    this.#cost = algorithm.name === "bcrypt" ? algorithm.saltRounds : 0;
  }

  /**
   * Is this the account's password? A wrong one costs as much as `pretend`, whatever is stored; only
   * a bcrypt hash of a higher cost than any before, or above 2¹⁴, takes longer.
   */
  async verify(stored: StoredPassword, password: Uint8Array): Promise<PasswordAnswer<boolean>> {
    const bcrypt = this.#primitives?.bcrypt;
    if (this.#algorithm.name !== "bcrypt" || !bcrypt) return this.#compare(stored, password);
    const setting = isBcryptHash(stored.hash) ? parseBcrypt(stored.hash) : undefined;
    if (!setting || !bcryptPassword(password, this.#algorithm.overlong)) {
      await this.pretend(password);
      return { ok: true, value: false };
    }
    this.#cost = Math.max(this.#cost, Math.min(setting.cost, PRETENDED_COST_MAX));
    const answer = await this.#compare(stored, password);
    if (answer.ok && !answer.value) {
      // 2^c and then 2^c + 2^(c+1) + … + 2^(n-1) are 2^n.
      for (let cost = setting.cost; cost < this.#cost; cost += 1) {
        await bcrypt(NO_PASSWORD, cost, PRETENDED_BCRYPT_SALT);
      }
    }
    return answer;
  }

  /** Does the work of checking a wrong password, for an account that does not exist. */
  async pretend(password: Uint8Array): Promise<void> {
    if (this.#algorithm.name !== "bcrypt") {
      // The answer is not looked at: with `plain`, somebody may guess even this.
      await this.#compare(PRETENDED, password);
      return;
    }
    await this.#primitives?.bcrypt?.(NO_PASSWORD, this.#cost, PRETENDED_BCRYPT_SALT);
  }

  #compare({ hash, salt }: StoredPassword, password: Uint8Array): Promise<PasswordAnswer<boolean>> {
    return verifyPassword(
      this.#algorithm,
      encodeUtf8(salt),
      password,
      encodeUtf8(hash),
      this.#primitives,
    );
  }
}

/** bcrypt's time does not depend on the password. */
const NO_PASSWORD = new Uint8Array();
