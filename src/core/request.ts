/**
 * The one encoder of the request record (layout: assembly/abi/request.ts): what is known
 * of a client, as values the core reads in place. Expressions, templates and client_open share it.
 */
import {
  CLIENT_SLOTS,
  INPUT_BYTES_MAX,
  REQUEST_HEADER_BYTES,
  REQUEST_WRITTEN,
  SLOT_AUTH_DATA,
  SLOT_AUTH_METHOD,
  SLOT_CERT_COMMON_NAME,
  SLOT_CERT_PEM,
  SLOT_CERT_SUBJECT,
  SLOT_CLIENT_ATTRS,
  SLOT_CLIENTID,
  SLOT_ENABLE_AUTHN,
  SLOT_IS_BRIDGE,
  SLOT_IS_SUPERUSER,
  SLOT_LISTENER,
  SLOT_MOUNTPOINT,
  SLOT_OTHER,
  SLOT_PASSWORD,
  SLOT_PEERHOST,
  SLOT_PEERHOST_TEXT,
  SLOT_PEERPORT,
  SLOT_PEERSNI,
  SLOT_PROTOCOL,
  SLOT_SOCKPORT,
  SLOT_USER_PROPERTY,
  SLOT_USERNAME,
  SLOT_ZONE,
  SLOTS_ALL,
  TAG_ATOM,
  TAG_BIGINT,
  TAG_BYTES,
  TAG_FALSE,
  TAG_FLOAT,
  TAG_INT,
  TAG_LIST,
  TAG_MAP,
  TAG_NULL,
  TAG_OPAQUE,
  TAG_TRUE,
  TAG_TUPLE,
  TAG_UNBOUND,
  TAG_UNDEFINED,
  VALUE_BYTES,
} from "../../assembly/abi.ts";
import { CoreError } from "../errors.ts";
import type { Text } from "../types.ts";
import type { Value } from "./core.ts";
import type { CoreMemory } from "./wasm.ts";

/**
 * One value of a request. Left out or `undefined`: no such variable. `null`: the variable exists
 * and has no value (an anonymous client's username).
 */
export type FieldValue = Text | number | boolean | Value | null | undefined;

/** Names and values, in order; of equal names the last counts. */
export type FieldMap =
  | Readonly<Record<string, FieldValue>>
  | readonly (readonly [Text, FieldValue])[];

/** What is known of a client, by slot. Numbers that are integers become integers. */
export interface RequestFields {
  readonly clientId?: FieldValue;
  readonly username?: FieldValue;
  readonly password?: FieldValue;
  /** Address, 4 or 16 bytes. */
  readonly peerHost?: Uint8Array | null | undefined;
  readonly peerHostText?: FieldValue;
  readonly peerPort?: FieldValue;
  readonly peerSni?: FieldValue;
  readonly zone?: FieldValue;
  readonly listener?: FieldValue;
  readonly protocol?: FieldValue;
  readonly certCommonName?: FieldValue;
  readonly certSubject?: FieldValue;
  readonly certPem?: FieldValue;
  readonly clientAttrs?: FieldMap | null | undefined;
  readonly userProperty?: FieldMap | null | undefined;
  readonly mountpoint?: FieldValue;
  readonly sockPort?: FieldValue;
  readonly isSuperuser?: FieldValue;
  readonly isBridge?: FieldValue;
  readonly enableAuthn?: FieldValue;
  readonly authMethod?: FieldValue;
  readonly authData?: FieldValue;
  /** Everything else a caller binds. */
  readonly other?: FieldMap | null | undefined;
}

/**
 * Writes the request record to the start of the input buffer and returns its length in bytes. Only
 * the given slots are written (bits; see slotsRead in expressions.ts). An expression that reads
 * another one is given up: it never sees what was known of the client before.
 *
 * The record holds until the next write to the input buffer. Throws CoreError ERR_LIMIT_INPUT when
 * it does not fit. Cost: one pass over the texts that are written.
 */
export function encodeRequest(
  memory: CoreMemory,
  fields: RequestFields,
  slots: number = SLOTS_ALL,
): number {
  const writer = new RecordWriter(memory);
  // The password first: the longest text always goes to the same place then, see writeAt.
  if (slots & (1 << SLOT_PASSWORD)) writer.field(SLOT_PASSWORD, fields.password);
  if (slots & (1 << SLOT_CLIENTID)) writer.field(SLOT_CLIENTID, fields.clientId);
  if (slots & (1 << SLOT_USERNAME)) writer.field(SLOT_USERNAME, fields.username);
  if (slots & (1 << SLOT_PEERHOST)) writer.address(SLOT_PEERHOST, fields.peerHost);
  if (slots & (1 << SLOT_PEERHOST_TEXT)) writer.field(SLOT_PEERHOST_TEXT, fields.peerHostText);
  if (slots & (1 << SLOT_PEERPORT)) writer.field(SLOT_PEERPORT, fields.peerPort);
  if (slots & (1 << SLOT_PEERSNI)) writer.field(SLOT_PEERSNI, fields.peerSni);
  if (slots & (1 << SLOT_ZONE)) writer.field(SLOT_ZONE, fields.zone);
  if (slots & (1 << SLOT_LISTENER)) writer.field(SLOT_LISTENER, fields.listener);
  if (slots & (1 << SLOT_PROTOCOL)) writer.field(SLOT_PROTOCOL, fields.protocol);
  if (slots & (1 << SLOT_CERT_COMMON_NAME))
    writer.field(SLOT_CERT_COMMON_NAME, fields.certCommonName);
  if (slots & (1 << SLOT_CERT_SUBJECT)) writer.field(SLOT_CERT_SUBJECT, fields.certSubject);
  if (slots & (1 << SLOT_CERT_PEM)) writer.field(SLOT_CERT_PEM, fields.certPem);
  if (slots & (1 << SLOT_CLIENT_ATTRS)) writer.map(SLOT_CLIENT_ATTRS, fields.clientAttrs);
  if (slots & (1 << SLOT_USER_PROPERTY)) writer.map(SLOT_USER_PROPERTY, fields.userProperty);
  if (slots & (1 << SLOT_MOUNTPOINT)) writer.field(SLOT_MOUNTPOINT, fields.mountpoint);
  if (slots & (1 << SLOT_SOCKPORT)) writer.field(SLOT_SOCKPORT, fields.sockPort);
  if (slots & (1 << SLOT_IS_SUPERUSER)) writer.field(SLOT_IS_SUPERUSER, fields.isSuperuser);
  if (slots & (1 << SLOT_IS_BRIDGE)) writer.field(SLOT_IS_BRIDGE, fields.isBridge);
  if (slots & (1 << SLOT_ENABLE_AUTHN)) writer.field(SLOT_ENABLE_AUTHN, fields.enableAuthn);
  if (slots & (1 << SLOT_AUTH_METHOD)) writer.field(SLOT_AUTH_METHOD, fields.authMethod);
  if (slots & (1 << SLOT_AUTH_DATA)) writer.field(SLOT_AUTH_DATA, fields.authData);
  if (slots & (1 << SLOT_OTHER)) writer.map(SLOT_OTHER, fields.other);
  return writer.finish(slots);
}

/** The same with only what a client record keeps (client_open reads no more). */
export function encodeClient(memory: CoreMemory, fields: RequestFields): void {
  encodeRequest(memory, fields, CLIENT_SLOTS);
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Writes values into slots and whatever they point at behind everything written so far. */
class RecordWriter {
  readonly #memory: CoreMemory;
  readonly #view: DataView;
  readonly #start: number;
  /** First free byte. */
  #at: number;

  /** Begins a record. Until it is finished none of its slots counts as written. */
  constructor(memory: CoreMemory) {
    this.#memory = memory;
    this.#view = memory.view;
    this.#start = memory.inputPtr;
    this.#at = this.#start + REQUEST_HEADER_BYTES;
    this.#view.setUint32(this.#start + REQUEST_WRITTEN, 0, true);
  }

  /** Says which slots were written, and returns the record's length. */
  finish(slots: number): number {
    this.#view.setUint32(this.#start + REQUEST_WRITTEN, slots, true);
    return this.#at - this.#start;
  }

  field(slot: number, value: FieldValue): void {
    this.#field(this.#start + slot * VALUE_BYTES, value);
  }

  address(slot: number, value: Uint8Array | null | undefined): void {
    const to = this.#start + slot * VALUE_BYTES;
    if (value) this.#text(to, TAG_OPAQUE, value);
    else this.#tag(to, value === null ? TAG_UNDEFINED : TAG_UNBOUND);
  }

  map(slot: number, value: FieldMap | null | undefined): void {
    const to = this.#start + slot * VALUE_BYTES;
    if (!value) {
      this.#tag(to, value === null ? TAG_UNDEFINED : TAG_UNBOUND);
      return;
    }
    if (isPairs(value)) {
      let at = this.#elements(to, TAG_MAP, value.length, value.length * 2);
      for (const [name, element] of value) at = this.#pair(at, name, element);
    } else {
      const names = namesOf(value);
      let at = this.#elements(to, TAG_MAP, names.length, names.length * 2);
      for (const name of names) at = this.#pair(at, name, value[name]);
    }
  }

  /** Writes a pair of a map and returns the next one's address. */
  #pair(at: number, name: Text, element: FieldValue): number {
    this.#field(at, name);
    this.#field(at + VALUE_BYTES, element);
    return at + 2 * VALUE_BYTES;
  }

  #field(to: number, value: FieldValue): void {
    if (typeof value === "string" || value instanceof Uint8Array) {
      this.#text(to, TAG_BYTES, value);
    } else if (value === undefined) this.#tag(to, TAG_UNBOUND);
    else if (value === null) this.#tag(to, TAG_UNDEFINED);
    else if (typeof value === "number") this.#number(to, value);
    else if (typeof value === "boolean") this.#tag(to, value ? TAG_TRUE : TAG_FALSE);
    else this.#value(to, value);
  }

  #value(to: number, value: Value): void {
    switch (value.type) {
      case "bytes":
        this.#text(to, TAG_BYTES, value.value);
        break;
      case "integer":
        this.#integer(to, value.value);
        break;
      case "float":
        this.#tag(to, TAG_FLOAT);
        this.#view.setFloat64(to + 8, value.value, true);
        break;
      case "boolean":
        this.#tag(to, value.value ? TAG_TRUE : TAG_FALSE);
        break;
      case "null":
        this.#tag(to, TAG_NULL);
        break;
      case "undefined":
        this.#tag(to, TAG_UNDEFINED);
        break;
      case "atom":
        this.#text(to, TAG_ATOM, value.name);
        break;
      case "tuple":
        if (value.items) this.#items(to, TAG_TUPLE, value.items);
        else this.#text(to, TAG_OPAQUE, value.bytes ?? new Uint8Array(0));
        break;
      case "list":
        this.#items(to, TAG_LIST, value.items);
        break;
      case "map": {
        const { length } = value.entries;
        let at = this.#elements(to, TAG_MAP, length, length * 2);
        for (const [key, element] of value.entries) {
          this.#value(at, key);
          this.#value(at + VALUE_BYTES, element);
          at += 2 * VALUE_BYTES;
        }
        break;
      }
    }
  }

  #items(to: number, tag: number, items: readonly Value[]): void {
    let at = this.#elements(to, tag, items.length, items.length);
    for (const item of items) {
      this.#value(at, item);
      at += VALUE_BYTES;
    }
  }

  #tag(to: number, tag: number): void {
    this.#range(to, tag, 0, 0);
  }

  #text(to: number, tag: number, text: Text): void {
    const at = this.#at;
    const length = this.#memory.writeAt(at, text);
    if (length < 0) throw tooLarge();
    this.#range(to, tag, length, at);
    this.#at = at + length;
  }

  #number(to: number, value: number): void {
    if (Number.isSafeInteger(value)) {
      this.#tag(to, TAG_INT);
      this.#view.setUint32(to + 8, value >>> 0, true);
      this.#view.setInt32(to + 12, Math.floor(value / 2 ** 32), true);
    } else {
      this.#tag(to, TAG_FLOAT);
      this.#view.setFloat64(to + 8, value, true);
    }
  }

  #integer(to: number, value: bigint): void {
    if (value < INT64_MIN || value > INT64_MAX) {
      this.#text(to, TAG_BIGINT, value.toString());
      return;
    }
    this.#tag(to, TAG_INT);
    this.#view.setBigInt64(to + 8, value, true);
  }

  /** Room for a list's or map's elements, 8-aligned; returns the first one's address. */
  #elements(to: number, tag: number, length: number, values: number): number {
    const at = (this.#at + 7) & ~7;
    const behind = at + values * VALUE_BYTES;
    if (behind > this.#start + INPUT_BYTES_MAX) throw tooLarge();
    this.#range(to, tag, length, at);
    this.#at = behind;
    return at;
  }

  #range(to: number, tag: number, length: number, at: number): void {
    const view = this.#view;
    view.setUint32(to, tag, true);
    view.setUint32(to + 4, length, true);
    view.setUint32(to + 8, at, true);
    view.setUint32(to + 12, 0, true);
  }
}

type FieldPairs = Extract<FieldMap, readonly unknown[]>;
type FieldRecord = Exclude<FieldMap, FieldPairs>;

/** Are the names and values a list? */
export function isPairs(map: FieldMap): map is FieldPairs {
  return Array.isArray(map);
}

const NO_NAMES: readonly string[] = [];

/** Most clients have no attributes, and Object.keys is dear even then. */
function namesOf(record: FieldRecord): readonly string[] {
  for (const name in record) if (Object.hasOwn(record, name)) return Object.keys(record);
  return NO_NAMES;
}

function tooLarge(): CoreError {
  return new CoreError("ERR_LIMIT_INPUT", `the request is over ${INPUT_BYTES_MAX} bytes`);
}
