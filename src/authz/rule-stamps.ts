/**
 * When whose stored rules changed, as a source noticed it: so that a change is the business of the
 * clients whose rules they are, and of nobody else.
 */
import type { RuleOwner } from "../ports/rule-database.ts";

/** Stands for the moment a change was noticed; a later one has a higher number. */
export interface Stamp {
  readonly number: number;
}

/** Where a client's rules come from. */
export interface RuleReader {
  readonly clientId: string | undefined;
  readonly username: string | undefined;
  /** Its tenant's; empty for none. */
  readonly namespace: string;
  /** Its tenant had no rules for it, so that it got the global ones. */
  readonly isFallback: boolean;
}

/** LIMIT: lists whose changes are told apart; one more, and everybody's have changed once. */
export const STAMPS_MAX = 10_000;

/** The changes within one namespace. */
interface Stamps {
  all: Stamp | undefined;
  readonly clientid: Map<string, Stamp>;
  readonly username: Map<string, Stamp>;
}

export class RuleStamps {
  readonly #namespaces = new Map<string, Stamps>();
  #count = 0;
  /** Everything changed then, or before. */
  #floor: Stamp;

  constructor(floor: Stamp) {
    this.#floor = floor;
  }

  /** Anybody's rules may have changed. */
  noteAll(stamp: Stamp): void {
    this.#namespaces.clear();
    this.#count = 0;
    this.#floor = stamp;
  }

  note(owners: readonly RuleOwner[], stamp: Stamp): void {
    for (const owner of owners) this.#noteOne(owner, stamp);
    if (this.#count > STAMPS_MAX) this.noteAll(stamp);
  }

  /** The last change of what the client was given. */
  latest(reader: RuleReader): Stamp {
    return later(this.latestOwn(reader), this.#stampsOf(givenBy(reader))?.all);
  }

  /** The last change of the client's own rules, or of whether it has any. */
  latestOwn({ clientId, username, namespace, isFallback }: RuleReader): Stamp {
    if (this.#namespaces.size === 0) return this.#floor;
    const lists = this.#stampsOf(namespace);
    const stamp = laterOwn(this.#floor, lists, clientId, username);
    if (!isFallback) return stamp;
    return laterOwn(later(stamp, lists?.all), this.#stampsOf(""), clientId, username);
  }

  #stampsOf(namespace: string): Stamps | undefined {
    return this.#namespaces.get(namespace);
  }

  #noteOne({ list, id, namespace }: RuleOwner, stamp: Stamp): void {
    let lists = this.#namespaces.get(namespace);
    if (!lists) {
      lists = { all: undefined, clientid: new Map(), username: new Map() };
      this.#namespaces.set(namespace, lists);
    }
    if (list === "all") {
      if (!lists.all) this.#count++;
      lists.all = stamp;
      return;
    }
    if (!lists[list].has(id)) this.#count++;
    lists[list].set(id, stamp);
  }
}

/** The namespace whose lists the client was given. */
export function givenBy({ namespace, isFallback }: RuleReader): string {
  return isFallback ? "" : namespace;
}

function laterOwn(
  stamp: Stamp,
  lists: Stamps | undefined,
  clientId: string | undefined,
  username: string | undefined,
): Stamp {
  if (!lists) return stamp;
  const ofClientId = clientId === undefined ? undefined : lists.clientid.get(clientId);
  const ofUsername = username === undefined ? undefined : lists.username.get(username);
  return later(later(stamp, ofClientId), ofUsername);
}

function later(one: Stamp, other: Stamp | undefined): Stamp {
  return other !== undefined && other.number > one.number ? other : one;
}
