/** The client's side of SCRAM, on node:crypto, so that the server is not checked against itself. */
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

export type ScramHash = "sha256" | "sha512";

const BYTES = { sha256: 32, sha512: 64 } as const;

/** What the server keeps of a password (RFC 5802 §3). */
export function scramKeys(
  hash: ScramHash,
  password: string,
  salt: string | Uint8Array,
  iterations: number,
): { storedKey: Buffer; serverKey: Buffer } {
  const salted = pbkdf2Sync(password, salt, iterations, BYTES[hash], hash);
  const clientKey = createHmac(hash, salted).update("Client Key").digest();
  return {
    storedKey: createHash(hash).update(clientKey).digest(),
    serverKey: createHmac(hash, salted).update("Server Key").digest(),
  };
}

export interface ScramLogin {
  readonly user: string;
  readonly password: string;
  readonly hash?: ScramHash;
  readonly nonce?: string;
  /** Default `n,,`. */
  readonly header?: string;
}

/** One login, message by message. */
export class ScramClient {
  readonly method: string;
  readonly first: Buffer;
  readonly #hash: ScramHash;
  readonly #password: string;
  readonly #header: string;
  readonly #bare: string;
  #expected = "";

  constructor({ user, password, hash = "sha256", nonce = "abcXYZ", header = "n,," }: ScramLogin) {
    this.method = hash === "sha256" ? "SCRAM-SHA-256" : "SCRAM-SHA-512";
    this.#hash = hash;
    this.#password = password;
    this.#header = header;
    const name = user.replaceAll("=", "=3D").replaceAll(",", "=2C");
    this.#bare = `n=${name},r=${nonce}`;
    this.first = Buffer.from(header + this.#bare);
  }

  /** client-final, to what the server said first. */
  answer(serverFirst: Uint8Array | undefined): Buffer {
    const text = Buffer.from(serverFirst ?? []).toString();
    const match = /^r=([^,]+),s=([^,]+),i=([0-9]+)$/.exec(text);
    if (!match) throw new Error(`not a server-first message: ${text}`);
    const [, nonce, salt, iterations] = match;
    const hash = this.#hash;
    const saltBytes = Buffer.from(salt!, "base64");
    const salted = pbkdf2Sync(this.#password, saltBytes, Number(iterations), BYTES[hash], hash);
    const hmac = (key: Uint8Array, data: string): Buffer =>
      createHmac(hash, key).update(data).digest();
    const clientKey = hmac(salted, "Client Key");
    const stored = createHash(hash).update(clientKey).digest();
    const withoutProof = `c=${Buffer.from(this.#header).toString("base64")},r=${nonce}`;
    const signed = `${this.#bare},${text},${withoutProof}`;
    const signature = hmac(stored, signed);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!));
    this.#expected = `v=${hmac(hmac(salted, "Server Key"), signed).toString("base64")}`;
    return Buffer.from(`${withoutProof},p=${proof.toString("base64")}`);
  }

  /** Is this what only a server could say that knows the account? */
  trusts(serverFinal: Uint8Array | undefined): boolean {
    return this.#expected !== "" && Buffer.from(serverFinal ?? []).toString() === this.#expected;
  }
}
