/**
 * Keys of the store. All records have the same shape of key, so that a group or a namespace is one
 * range, in the order of its ids' bytes:
 *
 *     1 byte   n bytes   2 bytes, big-endian   n bytes     the rest
 *     length   group     length                namespace   id
 *
 * The group is a chain (`global`, `tcp:default`), a SCRAM algorithm, or a kind of rule list. The
 * empty namespace holds what is no tenant's. A text with half a surrogate pair has no UTF-8, and
 * would share its key with another.
 */
import { isUtf8 } from "../../../src/text.ts";

/** LIMIT: LMDB's keys have at most 1,978 bytes. */
export const GROUP_BYTES_MAX = 255;
export const NAMESPACE_BYTES_MAX = 512;
export const ID_BYTES_MAX = 1024;

export interface RecordPlace {
  readonly group: string;
  /** Empty: no tenant's. */
  readonly namespace: string;
  /** A user id, client id or username; empty only where there is one record for all. */
  readonly id: string;
}

/** The key, or undefined for a place that cannot be stored: too long, or half a surrogate pair in it. */
export function encodeKey({ group, namespace, id }: RecordPlace): Buffer | undefined {
  const prefix = encodePrefix(group, namespace);
  const idBytes = Buffer.from(id);
  if (!prefix || idBytes.length > ID_BYTES_MAX || !isUtf8(id)) return undefined;
  return Buffer.concat([prefix, idBytes]);
}

/** Where the keys of a namespace, or of a whole group, begin. */
export function encodePrefix(group: string, namespace?: string): Buffer | undefined {
  const groupBytes = Buffer.from(group);
  const namespaceBytes = Buffer.from(namespace ?? "");
  if (groupBytes.length > GROUP_BYTES_MAX || namespaceBytes.length > NAMESPACE_BYTES_MAX) {
    return undefined;
  }
  if (!isUtf8(group) || !isUtf8(namespace ?? "")) return undefined;
  const head = Buffer.concat([Buffer.of(groupBytes.length), groupBytes]);
  if (namespace === undefined) return head;
  const length = Buffer.alloc(2);
  length.writeUInt16BE(namespaceBytes.length);
  return Buffer.concat([head, length, namespaceBytes]);
}

/** The place of a key that encodeKey made. */
export function decodeKey(key: Buffer): RecordPlace {
  const groupEnd = 1 + key[0]!;
  const namespaceStart = groupEnd + 2;
  const namespaceEnd = namespaceStart + key.readUInt16BE(groupEnd);
  return {
    group: key.toString("utf8", 1, groupEnd),
    namespace: key.toString("utf8", namespaceStart, namespaceEnd),
    id: key.toString("utf8", namespaceEnd),
  };
}

/** The first key that does not begin with `prefix`; undefined when every later one does. */
export function afterPrefix(prefix: Buffer): Buffer | undefined {
  const end = Buffer.from(prefix);
  for (let index = end.length - 1; index >= 0; index -= 1) {
    if (end[index]! < 0xff) {
      end[index]! += 1;
      return end.subarray(0, index + 1);
    }
  }
  return undefined;
}
