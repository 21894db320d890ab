/** What the host's functions for the core have in common. */
import { ERR_EXPR_ARGUMENT, ERR_EXPR_BADARG } from "../../../assembly/abi.ts";
import { decodeUtf8, encodeUtf8, joinBytes } from "../../text.ts";
import type { Value } from "../core.ts";

/** The outside world, as far as expressions may see it. */
export interface HostPorts {
  /** Milliseconds since the epoch. */
  now(): number;
  /** An environment variable by its full name. */
  env(name: string): string | undefined;
  /** Cryptographically random bytes; default: the platform's. */
  randomBytes?(length: number): Uint8Array;
  /** Compiles a regular expression that is no literal; undefined when it is refused. */
  compilePattern?(pattern: Uint8Array): Uint8Array | undefined;
}

export interface HostContext {
  readonly ports: HostPorts;
  /** Switch text_functions_keep_utf8 of the running expression. */
  readonly keepsUtf8: boolean;
  /** Switch quotes_are_exact: floats of any size print. */
  readonly printsLargeFloats: boolean;
}

/** A negative expression error (ERR_EXPR_… in assembly/abi/status.ts) instead of a value. */
export type HostFunction = (args: readonly Value[], context: HostContext) => Value | number;

/** Thrown by helpers below a HostFunction; the table turns it into its status. */
export class HostRefusal extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** Refuses a value of a type or form the function cannot take. */
export function refuse(status: number = ERR_EXPR_ARGUMENT): never {
  throw new HostRefusal(status);
}

export function bytesOf(text: string): Value {
  return { type: "bytes", value: encodeUtf8(text) };
}

export function integerOf(value: bigint | number): Value {
  return { type: "integer", value: BigInt(value) };
}

/** Bytes, or the name of an atom; anything else is refused. */
export function textBytes(value: Value | undefined): Uint8Array {
  switch (value?.type) {
    case "bytes":
      return value.value;
    case "atom":
      return encodeUtf8(value.name);
    case "boolean":
      return encodeUtf8(String(value.value));
    case "null":
    case "undefined":
      return refuse(ERR_EXPR_BADARG);
    default:
      return refuse();
  }
}

/** The same as text; bytes that are not UTF-8 are refused. */
export function textOf(value: Value | undefined): string {
  return decodeStrict(textBytes(value));
}

export function decodeStrict(bytes: Uint8Array): string {
  return decodeUtf8(bytes) ?? refuse();
}

/** One byte for each code point; refuses those that need more. */
export function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => {
    const code = character.codePointAt(0)!;
    return code <= 255 ? code : refuse();
  });
}

export function integerArgument(value: Value | undefined): bigint {
  return value?.type === "integer" ? value.value : refuse();
}

export function listArgument(value: Value | undefined): readonly Value[] {
  return value?.type === "list" ? value.items : refuse();
}

/** A text, or a list of texts and bytes (0 to 255) put together. */
export function piecesOf(value: Value): Uint8Array {
  if (value.type !== "list") return textBytes(value);
  const parts: Uint8Array[] = [];
  const collect = (items: readonly Value[]): void => {
    for (const item of items) {
      if (item.type === "bytes") parts.push(item.value);
      else if (item.type === "list") collect(item.items);
      else if (item.type === "integer" && item.value >= 0n && item.value <= 255n) {
        parts.push(Uint8Array.of(Number(item.value)));
      } else refuse();
    }
  };
  collect(value.items);
  return joinBytes(parts);
}
