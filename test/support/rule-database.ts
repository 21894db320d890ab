/** Stored rules in memory, as the authorization source reads them. */
import type {
  RuleChanges,
  RuleDatabase,
  RuleOwner,
  StoredRules,
} from "../../src/ports/rule-database.ts";
import type { StoredListName } from "../../src/types.ts";

export class FakeRuleDatabase implements RuleDatabase {
  readonly #lists = new Map<string, readonly unknown[]>();
  readonly #changes: RuleOwner[] = [];
  #version = 1;
  isBroken = false;
  /** Knows that something has changed, and not what. */
  isForgetful = false;
  /** Times that somebody's rules were read. */
  reads = 0;

  /** Puts rules in the place of somebody's; the id of `all` is empty. */
  put(list: StoredListName, id: string, rules: readonly unknown[], namespace: string = ""): this {
    this.#lists.set(`${namespace}/${list}/${id}`, rules);
    this.#version++;
    this.#changes.push({ list, id, namespace });
    return this;
  }

  rulesChangedSince(version: number): RuleChanges {
    this.#check();
    const owners = this.isForgetful ? undefined : this.#changes.slice(version - 1);
    return { version: this.#version, owners };
  }

  rulesVersion(): number {
    this.#check();
    return this.#version;
  }

  rulesFor(
    clientId: string | undefined,
    username: string | undefined,
    namespace: string = "",
  ): StoredRules {
    this.#check();
    this.reads++;
    const of = (list: StoredListName, id: string | undefined, tenant: string) =>
      (id === undefined ? undefined : this.#lists.get(`${tenant}/${list}/${id}`)) ?? NONE;
    const all = (tenant: string) => ({
      version: this.#version,
      namespace: tenant,
      ofClientId: of("clientid", clientId, tenant),
      ofUsername: of("username", username, tenant),
      ofAll: of("all", "", tenant),
    });
    const own = all(namespace);
    const isEmpty = own.ofClientId.length + own.ofUsername.length + own.ofAll.length === 0;
    return isEmpty ? all("") : own;
  }

  #check(): void {
    if (this.isBroken) throw new Error("the disk is on fire: /var/lib/secret-place");
  }
}

const NONE: readonly unknown[] = [];
