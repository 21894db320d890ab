/**
 * The one encoder of the request record (layout: assembly/abi.ts, "Request record"): what is known
 * of a client, as values the core reads in place. Expressions, templates and client_open share it.
 */
import {
  INPUT_BYTES_MAX,
  SLOT_AUTH_DATA,
  SLOT_AUTH_METHOD,
  SLOT_CERT_COMMON_NAME,
  SLOT_CERT_PEM,
  SLOT_CERT_SUBJECT,
  SLOT_CLIENT_ATTRS,
  SLOT_CLIENTID,
  SLOT_COUNT,
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
  TAG_UNDEFINED,
  VALUE_BYTES,
} from "../../assembly/abi.ts";
import { CoreError } from "../errors.ts";
import type { Text } from "../types.ts";
import type { Value } from "./core.ts";
import { type CoreMemory, writeText } from "./wasm.ts";

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
 * Writes the request record to the start of the input buffer and returns its length in bytes.
 *
 * The record holds until the next write to the input buffer. Throws CoreError ERR_LIMIT_INPUT when
 * it does not fit. Cost: one pass over the texts.
 */
export function encodeRequest(memory: CoreMemory, fields: RequestFields): number {
  const start = memory.inputPtr;
  const writer = writeClientSlots(memory, start, fields);
  const slot = (index: number): number => start + index * VALUE_BYTES;
  writer.field(slot(SLOT_PASSWORD), fields.password);
  writer.field(slot(SLOT_PEERHOST_TEXT), fields.peerHostText);
  writer.field(slot(SLOT_PEERPORT), fields.peerPort);
  writer.field(slot(SLOT_PEERSNI), fields.peerSni);
  writer.field(slot(SLOT_PROTOCOL), fields.protocol);
  writer.field(slot(SLOT_CERT_SUBJECT), fields.certSubject);
  writer.field(slot(SLOT_CERT_PEM), fields.certPem);
  writer.map(slot(SLOT_USER_PROPERTY), fields.userProperty);
  writer.field(slot(SLOT_MOUNTPOINT), fields.mountpoint);
  writer.field(slot(SLOT_SOCKPORT), fields.sockPort);
  writer.field(slot(SLOT_IS_SUPERUSER), fields.isSuperuser);
  writer.field(slot(SLOT_IS_BRIDGE), fields.isBridge);
  writer.field(slot(SLOT_ENABLE_AUTHN), fields.enableAuthn);
  writer.field(slot(SLOT_AUTH_METHOD), fields.authMethod);
  writer.field(slot(SLOT_AUTH_DATA), fields.authData);
  writer.map(slot(SLOT_OTHER), fields.other);
  return writer.at - start;
}

/** The same with only what a client record keeps (client_open reads no more). */
export function encodeClient(memory: CoreMemory, fields: RequestFields): void {
  writeClientSlots(memory, memory.inputPtr, fields);
}

function writeClientSlots(memory: CoreMemory, start: number, fields: RequestFields): RecordWriter {
  const writer = new RecordWriter(memory, start, start + INPUT_BYTES_MAX);
  writer.clear(start, SLOT_COUNT * VALUE_BYTES);
  const slot = (index: number): number => start + index * VALUE_BYTES;
  writer.field(slot(SLOT_CLIENTID), fields.clientId);
  writer.field(slot(SLOT_USERNAME), fields.username);
  writer.address(slot(SLOT_PEERHOST), fields.peerHost);
  writer.field(slot(SLOT_ZONE), fields.zone);
  writer.field(slot(SLOT_LISTENER), fields.listener);
  writer.field(slot(SLOT_CERT_COMMON_NAME), fields.certCommonName);
  writer.map(slot(SLOT_CLIENT_ATTRS), fields.clientAttrs);
  return writer;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Writes values into slots and whatever they point at behind everything written so far. */
class RecordWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  /** First free byte. */
  at: number;

  constructor(memory: CoreMemory, start: number, end: number) {
    this.#bytes = memory.bytes;
    this.#view = memory.view;
    this.#end = end;
    this.at = start;
  }

  /** Takes `length` zeroed bytes: unbound values until something is written over them. */
  clear(at: number, length: number): void {
    if (length > this.#end - at) throw tooLarge();
    this.#bytes.fill(0, at, at + length);
    this.at = at + length;
  }

  field(slot: number, value: FieldValue): void {
    if (value === undefined) return;
    if (value === null) this.#tag(slot, TAG_UNDEFINED);
    else if (typeof value === "string" || value instanceof Uint8Array) {
      this.#text(slot, TAG_BYTES, value);
    } else if (typeof value === "number") this.#number(slot, value);
    else if (typeof value === "boolean") this.#tag(slot, value ? TAG_TRUE : TAG_FALSE);
    else this.#value(slot, value);
  }

  address(slot: number, value: Uint8Array | null | undefined): void {
    if (value === null) this.#tag(slot, TAG_UNDEFINED);
    else if (value !== undefined) this.#text(slot, TAG_OPAQUE, value);
  }

  map(slot: number, value: FieldMap | null | undefined): void {
    if (value === undefined) return;
    if (value === null) {
      this.#tag(slot, TAG_UNDEFINED);
      return;
    }
    const pairs = pairsOf(value);
    let at = this.#elements(slot, TAG_MAP, pairs.length, pairs.length * 2);
    for (const [name, element] of pairs) {
      this.field(at, name);
      this.field(at + VALUE_BYTES, element);
      at += 2 * VALUE_BYTES;
    }
  }

  #value(slot: number, value: Value): void {
    switch (value.type) {
      case "bytes":
        this.#text(slot, TAG_BYTES, value.value);
        break;
      case "integer":
        this.#integer(slot, value.value);
        break;
      case "float":
        this.#tag(slot, TAG_FLOAT);
        this.#view.setFloat64(slot + 8, value.value, true);
        break;
      case "boolean":
        this.#tag(slot, value.value ? TAG_TRUE : TAG_FALSE);
        break;
      case "null":
        this.#tag(slot, TAG_NULL);
        break;
      case "undefined":
        this.#tag(slot, TAG_UNDEFINED);
        break;
      case "atom":
        this.#text(slot, TAG_ATOM, value.name);
        break;
      case "tuple":
        if (value.items) this.#items(slot, TAG_TUPLE, value.items);
        else this.#text(slot, TAG_OPAQUE, value.bytes ?? new Uint8Array(0));
        break;
      case "list":
        this.#items(slot, TAG_LIST, value.items);
        break;
      case "map": {
        const { length } = value.entries;
        let at = this.#elements(slot, TAG_MAP, length, length * 2);
        for (const [key, element] of value.entries) {
          this.#value(at, key);
          this.#value(at + VALUE_BYTES, element);
          at += 2 * VALUE_BYTES;
        }
        break;
      }
    }
  }

  #items(slot: number, tag: number, items: readonly Value[]): void {
    let at = this.#elements(slot, tag, items.length, items.length);
    for (const item of items) {
      this.#value(at, item);
      at += VALUE_BYTES;
    }
  }

  #tag(slot: number, tag: number): void {
    this.#view.setUint32(slot, tag, true);
  }

  #text(slot: number, tag: number, text: Text): void {
    const length = writeText(this.#bytes, this.at, this.#end, text);
    if (length < 0) throw tooLarge();
    const view = this.#view;
    view.setUint32(slot, tag, true);
    view.setUint32(slot + 4, length, true);
    view.setUint32(slot + 8, this.at, true);
    this.at += length;
  }

  #number(slot: number, value: number): void {
    if (Number.isSafeInteger(value)) {
      this.#tag(slot, TAG_INT);
      this.#view.setUint32(slot + 8, value >>> 0, true);
      this.#view.setInt32(slot + 12, Math.floor(value / 2 ** 32), true);
    } else {
      this.#tag(slot, TAG_FLOAT);
      this.#view.setFloat64(slot + 8, value, true);
    }
  }

  #integer(slot: number, value: bigint): void {
    if (value < INT64_MIN || value > INT64_MAX) {
      this.#text(slot, TAG_BIGINT, value.toString());
      return;
    }
    this.#tag(slot, TAG_INT);
    this.#view.setBigInt64(slot + 8, value, true);
  }

  /** Room for a list's or map's elements, 8-aligned; returns the first one's address. */
  #elements(slot: number, tag: number, length: number, values: number): number {
    const at = (this.at + 7) & ~7;
    this.clear(at, values * VALUE_BYTES);
    this.#view.setUint32(slot, tag, true);
    this.#view.setUint32(slot + 4, length, true);
    this.#view.setUint32(slot + 8, at, true);
    return at;
  }
}

const NO_PAIRS: readonly (readonly [Text, FieldValue])[] = [];

/** Most clients have no attributes, and Object.entries is dear even then. */
function pairsOf(map: FieldMap): readonly (readonly [Text, FieldValue])[] {
  if (Array.isArray(map)) return map;
  for (const name in map) if (Object.hasOwn(map, name)) return Object.entries(map);
  return NO_PAIRS;
}

function tooLarge(): CoreError {
  return new CoreError("ERR_LIMIT_INPUT", `the request is over ${INPUT_BYTES_MAX} bytes`);
}
