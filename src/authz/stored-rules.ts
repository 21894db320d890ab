/**
 * The source `built_in_database`: rules that are stored by client id, by username and for all.
 *
 * A client's are read when it connects and when they have changed, and compiled into rule sets that
 * the core asks beside the image's. Those for all are compiled once and shared. Whether the database
 * has changed, and for whom, is looked up at an interval, because asking it costs more than a decision.
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
import {
  closeSharedRules,
  openSharedRules,
  setSharedRules,
  setStoredRules,
} from "../core/rules.ts";
import type { CoreMemory } from "../core/wasm.ts";
import type { SetTimer, Timer } from "../ports/ports.ts";
import type { RuleChanges, RuleDatabase, StoredRules } from "../ports/rule-database.ts";
import { tenantOf } from "../tenant.ts";
import { toText } from "../text.ts";
import type { Decision, StoredListName, Verdict } from "../types.ts";
import { DENIED_DATABASE_FAILED, deniedByUnusable, storedDecision } from "./decisions.ts";
import { givenBy, type RuleReader, RuleStamps, type Stamp } from "./rule-stamps.ts";

/**
 * How long a change of stored rules may go unnoticed, in ms. From then on every question is answered
 * by the new rules.
 */
export const STORED_RULES_CHECK_MS = 250;

/** LIMIT: lists for all, one a namespace, that are kept compiled for whoever connects next. */
export const SHARED_SETS_MAX = 1000;

export interface StoredRuleOptions {
  readonly switches: Switches;
  /** The `file` source comes first. */
  readonly isBehindFile: boolean;
  /** A source that fails is passed over. */
  readonly skipsFailures: boolean;
}

/** What a client was given. */
export interface StoredGrant {
  readonly reader: RuleReader;
  /** The last change that was known when they were read; undefined: to be asked for again at once. */
  readonly readAt: Stamp | undefined;
  /** How many of its own rules belong to its client id. The others belong to its username. */
  readonly ofClientId: number;
  readonly ofUsername: number;
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
  /** The last change that was noticed. */
  #now: Stamp = { number: 0 };
  readonly #stamps = new RuleStamps(this.#now);
  /** Rule sets in the core of that epoch, by namespace, with what they were made from. */
  readonly #shared = new Map<string, SharedSet>();
  #sharedEpoch: object | undefined;
  readonly #decisions = new Map<string, Decision>();
  #timer: Timer | undefined;

  constructor(database: RuleDatabase, options: StoredRuleOptions) {
    this.#database = database;
    this.options = options;
    this.#version = this.#readVersion();
  }

  /** Another object when what the client was given may have changed. Cost: a few look-ups. */
  revisionOf({ reader }: StoredGrant): object {
    return this.#stamps.latest(reader);
  }

  /** Has the client the rules that it should have, as far as is known? */
  isCurrent({ readAt, reader }: StoredGrant): boolean {
    if (readAt === this.#now) return true;
    return readAt !== undefined && this.#stamps.latest(reader).number <= readAt.number;
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
    const changes = this.#readChanges();
    this.#now = { number: this.#now.number + 1 };
    if (changes?.owners) this.#stamps.note(changes.owners, this.#now);
    else this.#stamps.noteAll(this.#now);
    this.#version = changes?.version;
    return changes !== undefined;
  }

  /**
   * Gives an open client its stored rules in the place of those it has, which came with `before`. A
   * database that cannot be read is no error: then whatever reaches the source fails. Throws CoreError
   * when memory is short. Cost: reading its own rules and compiling them; where only those for all
   * have changed, two calls.
   */
  grant(
    memory: CoreMemory,
    epoch: object,
    handle: number,
    fields: RequestFields,
    before?: StoredGrant | undefined,
  ): StoredGrant {
    return (
      (before && this.#share(memory, epoch, handle, before)) ??
      this.#read(memory, epoch, handle, fields)
    );
  }

  /** What a client's rule with this number, from 0, in that rule set comes to. Made once a rule. */
  decisionOf(
    { readAt, ofClientId }: StoredGrant,
    verdict: Verdict | "failed",
    origin: "own" | "shared",
    rule: number,
  ): Decision {
    if (readAt === undefined) return DENIED_DATABASE_FAILED;
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
    const found = this.#find(readerOf(fields));
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

  /** Since the last time; undefined when the database cannot be read. */
  #readChanges(): RuleChanges | undefined {
    try {
      // Where there is no last time, everything has changed.
      return this.#version === undefined
        ? { version: this.#database.rulesVersion(), owners: undefined }
        : this.#database.rulesChangedSince(this.#version);
    } catch {
      return undefined;
    }
  }

  #find({ clientId, username, namespace }: RuleReader): StoredRules | undefined {
    try {
      return this.#database.rulesFor(clientId, username, namespace || undefined);
    } catch {
      return undefined;
    }
  }

  #read(memory: CoreMemory, epoch: object, handle: number, fields: RequestFields): StoredGrant {
    // Before it is read: what changes meanwhile is noticed later.
    const readAt = this.#now;
    const { isBehindFile: isBehindImage, skipsFailures } = this.options;
    const how = { isBehindImage, skipsFailures };
    const reader = readerOf(fields);
    const found = this.#find(reader);
    if (!found) {
      setStoredRules(memory, handle, { own: this.#compile([UNUSABLE]), shared: undefined, ...how });
      return { reader, readAt: undefined, ofClientId: 0, ofUsername: 0 };
    }
    const { ofClientId, ofUsername, namespace } = found;
    const shared = this.#sharedSet(memory, epoch, found);
    const own = [...ofClientId, ...ofUsername];
    const blob = own.length > 0 ? this.#compile(this.#readAll(own)) : undefined;
    setStoredRules(memory, handle, { own: blob, shared, ...how });
    return {
      reader: { ...reader, isFallback: namespace !== reader.namespace },
      readAt,
      ofClientId: ofClientId.length,
      ofUsername: ofUsername.length,
    };
  }

  /** Replaces what the client shares, where nothing else of what it has can have changed. */
  #share(
    memory: CoreMemory,
    epoch: object,
    handle: number,
    before: StoredGrant,
  ): StoredGrant | undefined {
    const { reader, readAt, ofClientId, ofUsername } = before;
    const now = this.#now;
    // Without rules of its own it may be somebody else's that it was given, and reading is cheap.
    if (readAt === undefined || ofClientId + ofUsername === 0) return undefined;
    if (this.#stamps.latestOwn(reader).number > readAt.number) return undefined;
    const namespace = givenBy(reader);
    const nobody = { clientId: undefined, username: undefined, namespace, isFallback: false };
    const found = this.#find(nobody);
    // What was committed since the last look may be about its own rules.
    if (!found || found.version !== this.#version) return undefined;
    const isItsOwn = found.namespace === namespace;
    const shared = isItsOwn ? this.#sharedSet(memory, epoch, found) : undefined;
    setSharedRules(memory, handle, shared);
    return { ...before, readAt: now };
  }

  /** The handle of the rule set that all clients of a namespace share. */
  #sharedSet(
    memory: CoreMemory,
    epoch: object,
    { namespace, ofAll }: StoredRules,
  ): number | undefined {
    // Another core has none of them.
    if (this.#sharedEpoch !== epoch) this.#shared.clear();
    this.#sharedEpoch = epoch;
    const known = this.#shared.get(namespace);
    if (known && isSameList(known.values, ofAll)) return known.handle;
    if (known) this.#forgetShared(memory, namespace, known);
    if (ofAll.length === 0) return undefined;
    if (this.#shared.size >= SHARED_SETS_MAX) {
      const [first] = this.#shared;
      this.#forgetShared(memory, ...first!);
    }
    const handle = openSharedRules(memory, this.#compile(this.#readAll(ofAll)));
    this.#shared.set(namespace, { values: ofAll, handle });
    return handle;
  }

  /** The set lives on in the clients that have it. */
  #forgetShared(memory: CoreMemory, namespace: string, { handle }: SharedSet): void {
    this.#shared.delete(namespace);
    closeSharedRules(memory, handle);
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

interface SharedSet {
  readonly values: readonly unknown[];
  readonly handle: number;
}

/** A database may give a list that it has read again. */
function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** What names a client there are texts: no rule is for what is no UTF-8, a tenant included. */
function readerOf({ clientId, username, clientAttrs }: RequestFields): RuleReader {
  return {
    clientId: textOf(clientId),
    username: textOf(username),
    namespace: textOf(tenantOf(clientAttrs)) ?? "",
    isFallback: false,
  };
}

function textOf(value: FieldValue): string | undefined {
  const isText = typeof value === "string" || value instanceof Uint8Array;
  return isText ? toText(value) : undefined;
}
