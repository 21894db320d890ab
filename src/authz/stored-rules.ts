/**
 * The source `built_in_database`: rules that are stored by client id, by username and for all.
 *
 * A client's are read when it connects and when the database has changed, and compiled into rule
 * sets that the core asks beside the image's. Those for all are compiled once and shared. Whether the
 * database has changed is looked up at an interval, because asking it costs more than a decision.
 *
 * Source: authorization §4.7.2, §8.5, §9 items 2 and 23.
 */
import { ACTION_ANY, INPUT_BYTES_MAX, STORED_RULES_MAX } from "../../assembly/abi.ts";
import { readJsonRule } from "../compile/acl/json-rules.ts";
import type { Rule } from "../compile/rule/ast.ts";
import { compileRules } from "../compile/rule/compile.ts";
import { validatePattern } from "../compile/rule/pattern.ts";
import type { Switches } from "../config/compatibility.ts";
import type { FieldValue, RequestFields } from "../core/request.ts";
import { closeSharedRules, openSharedRules, setStoredRules } from "../core/rules.ts";
import type { CoreMemory } from "../core/wasm.ts";
import type { SetTimer, Timer } from "../ports/ports.ts";
import type { RuleDatabase, StoredRules } from "../ports/rule-database.ts";
import { tenantOf } from "../tenant.ts";
import { toText } from "../text.ts";
import type { Decision, StoredListName, Verdict } from "../types.ts";
import { DENIED_DATABASE_FAILED, deniedByUnusable, storedDecision } from "./decisions.ts";

/** How long a change of stored rules may go unnoticed, in ms. */
export const STORED_RULES_CHECK_MS = 250;

export interface StoredRuleOptions {
  readonly switches: Switches;
  /** The `file` source comes first. */
  readonly isBehindFile: boolean;
  /** A source that fails is passed over. */
  readonly skipsFailures: boolean;
}

/** What a client was given. */
export interface StoredGrant {
  /** Good as long as this is the source's revision; undefined: to be asked for again at once. */
  readonly revision: object | undefined;
  /** How many of its own rules belong to its client id. The others belong to its username. */
  readonly ofClientId: number;
}

/** Of a client, by whose they are, in the order in which they are tried. */
export type StoredLists = Readonly<Record<StoredListName, readonly Rule[]>>;

/**
 * What stands in the place of a rule that cannot be used: whatever reaches it fails. It is a deny, so
 * that no filter it stands in the way of counts as covered.
 */
export const UNUSABLE: Rule = {
  permission: "deny",
  who: { type: "raise" },
  actions: ACTION_ANY,
  topics: "all",
  text: "a rule that cannot be used",
};

export class StoredRuleSource {
  readonly #database: RuleDatabase;
  readonly options: StoredRuleOptions;
  /** Of the database; undefined when it could not be asked. */
  #version: number | undefined;
  #revision: object = {};
  /** Rule sets in the core of that epoch, read under that revision, by the text of their rules. */
  readonly #shared = new Map<string, number>();
  #sharedEpoch: object | undefined;
  #sharedRevision: object | undefined;
  readonly #decisions = new Map<string, Decision>();
  #timer: Timer | undefined;

  constructor(database: RuleDatabase, options: StoredRuleOptions) {
    this.#database = database;
    this.options = options;
    this.#version = this.#readVersion();
  }

  /** Another object when what clients were given may have changed. */
  get revision(): object {
    return this.#revision;
  }

  /** Looks for changes at an interval, until `close`; calls back when there was one. */
  watch(setTimer: SetTimer, onChange: () => void): void {
    this.#timer = setTimer(() => {
      this.watch(setTimer, onChange);
      if (this.refresh()) onChange();
    }, STORED_RULES_CHECK_MS);
  }

  close(): void {
    this.#timer?.clear();
  }

  /**
   * Looks whether the database has changed. A database that cannot be read has changed as well, but
   * there is nothing to be told of it: it gives false then.
   */
  refresh(): boolean {
    const version = this.#readVersion();
    if (version === this.#version) return false;
    this.#version = version;
    this.#revision = {};
    return version !== undefined;
  }

  /**
   * Gives an open client its stored rules in the place of those it has. A database that cannot be
   * read is no error: then whatever reaches the source fails. Throws CoreError when memory is short.
   */
  grant(memory: CoreMemory, epoch: object, handle: number, fields: RequestFields): StoredGrant {
    const revision = this.#revision;
    const { isBehindFile: isBehindImage, skipsFailures } = this.options;
    const how = { isBehindImage, skipsFailures };
    const found = this.#find(fields);
    if (!found) {
      setStoredRules(memory, handle, { own: this.#compile([UNUSABLE]), shared: undefined, ...how });
      return { revision: undefined, ofClientId: 0 };
    }
    const { ofClientId, ofUsername, ofAll } = found;
    const shared = this.#share(memory, epoch, revision, ofAll);
    const own = [...ofClientId, ...ofUsername];
    const blob = own.length > 0 ? this.#compile(this.#readAll(own)) : undefined;
    setStoredRules(memory, handle, { own: blob, shared, ...how });
    return { revision, ofClientId: ofClientId.length };
  }

  /** What a client's rule with this number, from 0, in that rule set comes to. Made once a rule. */
  decisionOf(
    { revision, ofClientId }: StoredGrant,
    verdict: Verdict | "failed",
    origin: "own" | "shared",
    rule: number,
  ): Decision {
    if (revision === undefined) return DENIED_DATABASE_FAILED;
    const isOfUsername = origin === "own" && rule >= ofClientId;
    const list = origin === "shared" ? "all" : isOfUsername ? "username" : "clientid";
    const number = isOfUsername ? rule - ofClientId : rule;
    const key = `${verdict} ${list} ${number}`;
    const known = this.#decisions.get(key);
    if (known) return known;
    const made =
      verdict === "failed" ? deniedByUnusable(list, number) : storedDecision(verdict, list, number);
    this.#decisions.set(key, made);
    return made;
  }

  /** The same lists, to be looked at; undefined when the database cannot be read. */
  read(fields: RequestFields): StoredLists | undefined {
    const found = this.#find(fields);
    return (
      found && {
        clientid: this.#readAll(found.ofClientId),
        username: this.#readAll(found.ofUsername),
        all: this.#readAll(found.ofAll),
      }
    );
  }

  #readVersion(): number | undefined {
    try {
      return this.#database.rulesVersion();
    } catch {
      return undefined;
    }
  }

  /** What names a client there are texts: no rule is for what is no UTF-8, a tenant included. */
  #find({ clientId, username, clientAttrs }: RequestFields): StoredRules | undefined {
    const namespace = textOf(tenantOf(clientAttrs));
    try {
      return this.#database.rulesFor(textOf(clientId), textOf(username), namespace);
    } catch {
      return undefined;
    }
  }

  /** The handle of the rule set that all clients with these rules share. */
  #share(
    memory: CoreMemory,
    epoch: object,
    revision: object,
    values: readonly unknown[],
  ): number | undefined {
    if (values.length === 0) return undefined;
    this.#forgetShared(memory, epoch, revision);
    const text = JSON.stringify(values);
    const known = this.#shared.get(text);
    if (known !== undefined) return known;
    const handle = openSharedRules(memory, this.#compile(this.#readAll(values)));
    this.#shared.set(text, handle);
    return handle;
  }

  /** Rule sets of an earlier revision live on in the clients that have not been asked since. */
  #forgetShared(memory: CoreMemory, epoch: object, revision: object): void {
    if (this.#sharedEpoch === epoch && this.#sharedRevision === revision) return;
    // Another core has none of them.
    const handles = this.#sharedEpoch === epoch ? [...this.#shared.values()] : [];
    this.#shared.clear();
    this.#sharedEpoch = epoch;
    this.#sharedRevision = revision;
    for (const handle of handles) closeSharedRules(memory, handle);
  }

  #readAll(values: readonly unknown[]): readonly Rule[] {
    const { switches } = this.options;
    return values.map((value) => {
      const reading = readJsonRule(value, { switches, validatePattern });
      return reading.ok ? reading.rule : UNUSABLE;
    });
  }

  /** A list that is too long, or too large for the core, cannot be used as a whole. */
  #compile(rules: readonly Rule[]): Uint8Array {
    const { switches } = this.options;
    if (rules.length <= STORED_RULES_MAX) {
      const { blob, issues } = compileRules(rules, { switches });
      const isUsable = issues.every(({ severity }) => severity !== "error");
      if (isUsable && blob.length <= INPUT_BYTES_MAX) return blob;
    }
    return compileRules([UNUSABLE], { switches }).blob;
  }
}

function textOf(value: FieldValue): string | undefined {
  const isText = typeof value === "string" || value instanceof Uint8Array;
  return isText ? toText(value) : undefined;
}
