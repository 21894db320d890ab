/** A built-in database in memory, as authenticators read it. */

import type { PasswordUser, ScramUser, UserDatabase } from "../../src/ports/user-database.ts";
import { type ScramHash, scramKeys } from "./scram-client.ts";

const SALT = "0123456789abcdef0123456789abcdef";

export class FakeUserDatabase implements UserDatabase {
  readonly passwordUsers: Map<string, PasswordUser> = new Map();
  readonly scramUsers: Map<string, ScramUser> = new Map();
  isBroken = false;

  /** Adds an account; `chain/namespace/userId`, the namespace may be empty. */
  add(place: string, user: Partial<PasswordUser>): this {
    const empty: PasswordUser = { passwordHash: "", salt: "", isSuperuser: false };
    this.passwordUsers.set(place, { ...empty, ...user });
    return this;
  }

  passwordUser(chain: string, userId: string, namespace = ""): PasswordUser | undefined {
    if (this.isBroken) throw new Error("the disk is on fire: /var/lib/secret-place");
    const inChain = (tenant: string) => `${chain}/${tenant}/`;
    const hasUsers = [...this.passwordUsers.keys()].some((one) =>
      one.startsWith(inChain(namespace)),
    );
    const tenant = hasUsers ? namespace : "";
    return this.passwordUsers.get(`${inChain(tenant)}${userId}`);
  }

  /** Adds an account with the keys of a password; `namespace/userId`. */
  addScram(
    place: string,
    password: string,
    options: { salt?: string; iterations?: number; isSuperuser?: boolean; hash?: ScramHash } = {},
  ): this {
    const { salt = SALT, iterations = 4096, isSuperuser = false, hash = "sha256" } = options;
    const keys = scramKeys(hash, password, salt, iterations);
    const user = { ...keys, salt: Buffer.from(salt), iterations, isSuperuser };
    this.scramUsers.set(`${hash}/${place}`, user);
    return this;
  }

  scramUser(hash: ScramHash, userId: string, namespace = ""): ScramUser | undefined {
    if (this.isBroken) throw new Error("the disk is on fire: /var/lib/secret-place");
    return this.scramUsers.get(`${hash}/${namespace}/${userId}`);
  }
}
