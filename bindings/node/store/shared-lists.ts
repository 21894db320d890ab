/** The rules for all of each namespace, decoded once as long as they are the same. */

/** LIMIT: namespaces whose list is kept. */
export const SHARED_LISTS_MAX = 1000;

interface Known {
  /** Of the store, when it was last looked at. */
  version: number;
  readonly bytes: Buffer;
  readonly rules: readonly unknown[];
}

export class SharedLists {
  readonly #known = new Map<string, Known>();

  /**
   * The list of a namespace in the store's present version: the same array as before unless other
   * bytes are stored. `read` gives them; they are kept.
   */
  get(
    namespace: string,
    version: number,
    read: () => Buffer | undefined,
  ): readonly unknown[] | undefined {
    const known = this.#known.get(namespace);
    if (known?.version === version) return known.rules;
    const bytes = read();
    if (known && bytes && known.bytes.equals(bytes)) {
      known.version = version;
      return known.rules;
    }
    this.#known.delete(namespace);
    if (!bytes) return undefined;
    const rules = JSON.parse(bytes.toString()) as readonly unknown[];
    if (this.#known.size >= SHARED_LISTS_MAX) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(namespace, { version, bytes, rules });
    return rules;
  }
}
