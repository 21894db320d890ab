/** Message digests, all from one audited library. Source: expressions §4.8. */
import { blake2b, blake2s } from "@noble/hashes/blake2.js";
import { md5, ripemd160, sha1 } from "@noble/hashes/legacy.js";
import { sha224, sha256, sha384, sha512, sha512_224, sha512_256 } from "@noble/hashes/sha2.js";
import { sha3_224, sha3_256, sha3_384, sha3_512, shake128, shake256 } from "@noble/hashes/sha3.js";
import { ERR_EXPR_HASH } from "../../../assembly/abi.ts";
import { showText, toHex } from "../../text.ts";
import { bigEndian, nonEmptyText, rangeOf } from "./numbers.ts";
import { bytesOf, type HostFunction, integerOf, piecesOf, textBytes } from "./types.ts";

const DIGESTS: Readonly<Record<string, (message: Uint8Array) => Uint8Array>> = {
  md5,
  ripemd160,
  sha: sha1,
  sha1,
  sha224,
  sha256,
  sha384,
  sha512,
  sha512_224,
  sha512_256,
  sha3_224,
  sha3_256,
  sha3_384,
  sha3_512,
  shake128: (message) => shake128(message, { dkLen: 16 }),
  shake256: (message) => shake256(message, { dkLen: 32 }),
  blake2b,
  blake2s,
};

export const hash: HostFunction = ([name, message]) => {
  const algorithm = showText(textBytes(name));
  const digest = Object.hasOwn(DIGESTS, algorithm) ? DIGESTS[algorithm] : undefined;
  if (digest === undefined) return ERR_EXPR_HASH;
  return bytesOf(toHex(digest(piecesOf(message!))));
};

/** SHA-256 of the text as a big-endian integer, into [min, max]. */
export const hashToRange: HostFunction = ([text, min, max]) => {
  const message = nonEmptyText(text);
  const [low, range] = rangeOf(min, max);
  return integerOf(low + (bigEndian(sha256(message)) % range));
};
