/** Environment, time and randomness, through the ports. Source: expressions §4.10. */
import { ERR_EXPR_BADARG, ERR_EXPR_OUTPUT, EXPR_OUTPUT_BYTES_MAX } from "../../../assembly/abi.ts";
import { bigEndian } from "./numbers.ts";
import {
  bytesOf,
  decodeStrict,
  type HostFunction,
  type HostPorts,
  integerOf,
  refuse,
} from "./types.ts";

/** Expressions see environment variables that start with this, and nothing else. */
const ENV_PREFIX = "EMQXVAR_";

export const getenv: HostFunction = ([name], { ports }) => {
  if (name?.type !== "bytes") return refuse();
  const text = decodeStrict(name.value);
  if (/[\0=]/.test(text)) refuse();
  return bytesOf(ports.env(ENV_PREFIX + text) ?? "");
};

export const timestampMs: HostFunction = (_, { ports }) => integerOf(Math.floor(ports.now()));

export const timestampS: HostFunction = (_, { ports }) => integerOf(Math.floor(ports.now() / 1000));

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ALPHANUMERIC = `${LETTERS}0123456789`;

export const randStr: HostFunction = ([length], { ports }) => {
  if (length?.type !== "integer" || length.value < 1n) return ERR_EXPR_BADARG;
  if (length.value > BigInt(EXPR_OUTPUT_BYTES_MAX)) return ERR_EXPR_OUTPUT;
  const first = pick(ports, LETTERS, 1);
  return bytesOf(first + pick(ports, ALPHANUMERIC, Number(length.value) - 1));
};

/** `count` characters, each as likely as the others. */
function pick(ports: HostPorts, alphabet: string, count: number): string {
  const limit = 256 - (256 % alphabet.length);
  let text = "";
  while (text.length < count) {
    const wanted = Math.min(count - text.length, 16_384);
    let chunk = "";
    for (const byte of random(ports, wanted + (wanted >> 2) + 1)) {
      if (byte < limit && chunk.length < wanted) chunk += alphabet[byte % alphabet.length];
    }
    text += chunk;
  }
  return text;
}

export const randInt: HostFunction = ([max], { ports }) => {
  if (max?.type !== "integer" || max.value < 1n) return ERR_EXPR_BADARG;
  const bits = (max.value - 1n).toString(2).length;
  const bytes = Math.ceil(bits / 8);
  const excess = BigInt(bytes * 8 - bits);
  // Less than one try in two is rejected.
  for (;;) {
    const drawn = bigEndian(random(ports, bytes)) >> excess;
    if (drawn < max.value) return integerOf(drawn + 1n);
  }
};

function random(ports: HostPorts, length: number): Uint8Array {
  return ports.randomBytes?.(length) ?? crypto.getRandomValues(new Uint8Array(length));
}
