/** A built-in database in memory, as authenticators read it. */
import type { PasswordUser, ScramUser, UserDatabase } from "../../src/ports/user-database.ts";

export class FakeUserDatabase implements UserDatabase {
  readonly passwordUsers: Map<string, PasswordUser> = new Map();
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

  scramUser(): ScramUser | undefined {
    return undefined;
  }
}
