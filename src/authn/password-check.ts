/**
 * Checking a password against an account that may not exist, so that the time it takes does not tell.
 * Source: authentication §4, §8 porting notes.
 */
import type { PasswordAlgorithm } from "../config/config.ts";
import { bcryptPassword, isBcryptHash, parseBcrypt } from "../crypto/bcrypt.ts";
import { type PasswordAnswer, verifyPassword } from "../crypto/password.ts";
import type { PasswordPrimitives } from "../ports/password-primitives.ts";
import { encodeUtf8 } from "../text.ts";
import type { WorkQueue } from "../work-queue.ts";

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

export interface PasswordCheckOptions {
  readonly algorithm: PasswordAlgorithm;
  readonly primitives: PasswordPrimitives | undefined;
  /** Shared by all authenticators: derivations take their turns there. */
  readonly queue: WorkQueue;
  /** Checks that may wait in it. */
  readonly waitingMax: number;
}

/** `busy`: too many checks wait, and nothing was done. */
export type CheckAnswer =
  | PasswordAnswer<boolean>
  | { readonly ok: false; readonly problem: "busy" };

const BUSY = { ok: false, problem: "busy" } as const;
const WRONG = { ok: true, value: false } as const;

/** Checks for one authenticator; remembers the dearest bcrypt cost it met. */
export class PasswordCheck {
  readonly #options: PasswordCheckOptions;
  #cost: number;

  constructor(options: PasswordCheckOptions) {
    const { algorithm } = options;
    this.#options = options;
    this.#cost = algorithm.name === "bcrypt" ? algorithm.saltRounds : 0;
  }

  /**
   * Is this the account's password? A wrong one costs as much as `pretend`, whatever is stored; only
   * a bcrypt hash of a higher cost than any before, or above 2¹⁴, takes longer. A check has its turn
   * as a whole: with one for each derivation, those that make several would wait several times.
   */
  verify(stored: StoredPassword, password: Uint8Array): Promise<CheckAnswer> {
    return this.#inTurn(() => this.#verify(stored, password));
  }

  /** Does the work of checking a wrong password, for an account that does not exist. */
  pretend(password: Uint8Array): Promise<CheckAnswer> {
    return this.#inTurn(async () => {
      await this.#pretend(password);
      return WRONG;
    });
  }

  async #inTurn(work: () => Promise<CheckAnswer>): Promise<CheckAnswer> {
    const { algorithm, queue, waitingMax } = this.#options;
    // A digest takes microseconds, on this thread.
    if (algorithm.name !== "bcrypt" && algorithm.name !== "pbkdf2") return work();
    return queue.hasRoom(waitingMax) ? queue.run(work) : BUSY;
  }

  async #verify(stored: StoredPassword, password: Uint8Array): Promise<CheckAnswer> {
    const { algorithm, primitives } = this.#options;
    const bcrypt = primitives?.bcrypt;
    if (algorithm.name !== "bcrypt" || !bcrypt) return this.#compare(stored, password);
    const setting = isBcryptHash(stored.hash) ? parseBcrypt(stored.hash) : undefined;
    if (!setting || !bcryptPassword(password, algorithm.overlong)) {
      await this.#pretend(password);
      return WRONG;
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

  async #pretend(password: Uint8Array): Promise<void> {
    const { algorithm, primitives } = this.#options;
    if (algorithm.name !== "bcrypt") {
      // The answer is not looked at: with `plain`, somebody may guess even this.
      await this.#compare(PRETENDED, password);
      return;
    }
    await primitives?.bcrypt?.(NO_PASSWORD, this.#cost, PRETENDED_BCRYPT_SALT);
  }

  #compare({ hash, salt }: StoredPassword, password: Uint8Array): Promise<PasswordAnswer<boolean>> {
    const { algorithm, primitives } = this.#options;
    return verifyPassword(algorithm, encodeUtf8(salt), password, encodeUtf8(hash), primitives);
  }
}

/** bcrypt's time does not depend on the password. */
const NO_PASSWORD = new Uint8Array();
