/** Key pairs for tests. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

type Kind =
  | ["rsa", { modulusLength: number }]
  | ["ec", { namedCurve: string }]
  | ["ed25519" | "ed448"];

/** With these encodings it answers with texts; its type has that for each kind of key apart. */
const generate = generateKeyPairSync as unknown as (
  type: string,
  options: object,
) => { readonly publicKey: string; readonly privateKey: string };

/**
 * A new pair, by way of PEM texts: Node 20 can stop for ever where a generated key is exported while
 * the job that made it is collected, because both hold the lock of the same key.
 */
export function makeKeyPair(...[type, options]: Kind): KeyPair {
  const { publicKey, privateKey } = generate(type, {
    ...options,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return { publicKey: createPublicKey(publicKey), privateKey: createPrivateKey(privateKey) };
}
