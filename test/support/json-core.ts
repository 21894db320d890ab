/** The core's JSON and JWT look-ups, called directly, with their value as plain data. */
import {
  HOST_PARSE_FLOAT,
  TAG_BIGINT,
  TAG_BYTES,
  TAG_FALSE,
  TAG_FLOAT,
  TAG_INT,
  TAG_LIST,
  TAG_MAP,
  TAG_NULL,
  TAG_TRUE,
  TAG_UNDEFINED,
  VALUE_BYTES,
} from "../../assembly/abi.ts";
import { packImage } from "../../src/compile/image.ts";
import { type CoreMemory, instantiate } from "../../src/core/wasm.ts";
import { loadModuleSync } from "../../src/core/wasm-inline.gen.ts";

/** Integers are bigints, floats numbers, maps objects without a prototype, text not UTF-8 bytes. */
export type JsonAnswer =
  | undefined
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | JsonAnswer[]
  | { [key: string]: JsonAnswer };

/** A negative status, so that no value can be taken for one. */
export class JsonStatus {
  readonly status: number;

  constructor(status: number) {
    this.status = status;
  }
}

export interface JsonCore {
  jsonValue(text: string | Uint8Array, path: string | Uint8Array): JsonAnswer | JsonStatus;
  jwtValue(token: string | Uint8Array, path: string | Uint8Array): JsonAnswer | JsonStatus;
  isJwt(token: string | Uint8Array): number;
  /** Host calls so far. */
  readonly hostCalls: number;
}

export function createJsonCore(): JsonCore {
  let hostCalls = 0;
  const memory = instantiate(
    loadModuleSync(),
    (core, op, args, argc, out) => {
      hostCalls++;
      if (op !== HOST_PARSE_FLOAT || argc !== 1) return -1;
      const text = decode(core, args);
      core.view.setUint32(out, TAG_FLOAT, true);
      core.view.setFloat64(out + 8, Number(text), true);
      return 0;
    },
    packImage([], 0),
  );
  const write = (at: number, text: string | Uint8Array): number => {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    memory.bytes.set(bytes, at);
    return bytes.length;
  };
  const look = (
    call: (text: number, path: number) => number,
    text: string | Uint8Array,
    path: string | Uint8Array,
  ): JsonAnswer | JsonStatus => {
    const at = memory.exports.input_ptr();
    const textBytes = write(at, text);
    const status = call(textBytes, write(at + textBytes, path));
    return status ? new JsonStatus(status) : decode(memory, memory.exports.result_ptr());
  };
  return {
    jsonValue: (text, path) => look(memory.exports.json_lookup, text, path),
    jwtValue: (token, path) => look(memory.exports.jwt_lookup, token, path),
    isJwt: (token) => memory.exports.is_jwt(write(memory.exports.input_ptr(), token)),
    get hostCalls() {
      return hostCalls;
    },
  };
}

/** URL-safe base64 without padding. */
export function base64Url(text: string | Uint8Array): string {
  return Buffer.from(text).toString("base64url");
}

function decode(memory: CoreMemory, at: number): JsonAnswer {
  const { view, bytes } = memory;
  const length = view.getUint32(at + 4, true);
  const payload = view.getUint32(at + 8, true);
  switch (view.getUint32(at, true)) {
    case TAG_BYTES: {
      const text = bytes.slice(payload, payload + length);
      try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
      } catch {
        return text;
      }
    }
    case TAG_INT:
      return view.getBigInt64(at + 8, true);
    case TAG_BIGINT:
      return BigInt(new TextDecoder().decode(bytes.slice(payload, payload + length)));
    case TAG_FLOAT:
      return view.getFloat64(at + 8, true);
    case TAG_TRUE:
      return true;
    case TAG_FALSE:
      return false;
    case TAG_NULL:
      return null;
    case TAG_UNDEFINED:
      return undefined;
    case TAG_LIST:
      return Array.from({ length }, (_, i) => decode(memory, payload + i * VALUE_BYTES));
    case TAG_MAP: {
      const map: { [key: string]: JsonAnswer } = Object.create(null);
      for (let i = 0; i < length; i++) {
        const pair = payload + i * 2 * VALUE_BYTES;
        map[decode(memory, pair) as string] = decode(memory, pair + VALUE_BYTES);
      }
      return map;
    }
    default:
      throw new Error(`tag ${view.getUint32(at, true)} is no JSON value`);
  }
}
