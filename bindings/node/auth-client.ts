/**
 * The client's part of an enhanced authentication, for trying out what would happen: SCRAM with a
 * password (RFC 5802), and methods whose Authentication Data is a token.
 */
import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { ConnectAnswer, ConnectDecision, Session } from "../../src/types.ts";

export interface AuthClient {
  /** Authentication Data of CONNECT. */
  readonly first: Uint8Array;
  /** Authentication Data of the AUTH that answers `data`; undefined when there is no answer. */
  answer(data: Uint8Array): Promise<Uint8Array | undefined>;
  /** Has the server shown that it knows the client, where the method asks for that? */
  trusts(last: Uint8Array | undefined): boolean;
}

/** LIMIT: what a server may ask for. */
const ITERATIONS_MAX = 10_000_000;

const HASHES: Readonly<Record<string, { readonly name: string; readonly bytes: number }>> = {
  "SCRAM-SHA-256": { name: "sha256", bytes: 32 },
  "SCRAM-SHA-512": { name: "sha512", bytes: 64 },
};

/** A client of this method. For one that is not known here the password is all it has to say. */
export function authClientFor(method: string, username = "", password = ""): AuthClient {
  const hash = Object.hasOwn(HASHES, method) ? HASHES[method] : undefined;
  if (!hash) {
    const first = Buffer.from(password);
    return { first, answer: async () => undefined, trusts: () => true };
  }
  const name = username.replaceAll("=", "=3D").replaceAll(",", "=2C");
  const bare = `n=${name},r=${randomBytes(18).toString("base64")}`;
  let expected: string | undefined;
  return {
    first: Buffer.from(`n,,${bare}`),
    async answer(data) {
      const said = await answerScram(Buffer.from(data).toString(), { bare, password, hash });
      expected = said?.serverFinal;
      return said && Buffer.from(said.clientFinal);
    },
    trusts: (last) => expected !== undefined && Buffer.from(last ?? []).toString() === expected,
  };
}

async function answerScram(
  serverFirst: string,
  own: { readonly bare: string; readonly password: string; readonly hash: ScramHash },
): Promise<{ clientFinal: string; serverFinal: string } | undefined> {
  const [, nonce, salt = "", iterations] =
    /^r=([^,]+),s=([^,]+),i=([0-9]+)$/.exec(serverFirst) ?? [];
  const count = Number(iterations);
  const isOurs = nonce?.startsWith(own.bare.slice(own.bare.lastIndexOf("r=") + 2));
  if (!isOurs || !(count >= 1 && count <= ITERATIONS_MAX)) return undefined;
  const { name, bytes } = own.hash;
  const hmac = (key: Uint8Array, text: string): Buffer =>
    createHmac(name, key).update(text).digest();
  const saltBytes = Buffer.from(salt, "base64");
  const salted = await promisify(pbkdf2)(own.password, saltBytes, count, bytes, name);
  const clientKey = hmac(salted, "Client Key");
  const withoutProof = `c=biws,r=${nonce}`;
  const storedKey = createHash(name).update(clientKey).digest();
  const signed = `${own.bare},${serverFirst},${withoutProof}`;
  const signature = hmac(storedKey, signed);
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!));
  return {
    clientFinal: `${withoutProof},p=${proof.toString("base64")}`,
    serverFinal: `v=${hmac(hmac(salted, "Server Key"), signed).toString("base64")}`,
  };
}

type ScramHash = (typeof HASHES)[string];

/**
 * Goes on until there is a decision. `onStep` hears of each AUTH the client answers. Undefined when
 * the client does not know what to say.
 */
export async function converse<S extends Session>(
  answer: ConnectAnswer<S>,
  client: AuthClient,
  onStep: (by: string) => void,
): Promise<ConnectDecision<S> | undefined> {
  let current = answer;
  while (current.verdict === "continue") {
    const { exchange, by, data = new Uint8Array() } = current;
    const said = await client.answer(data);
    if (said === undefined) {
      exchange.abandon();
      return undefined;
    }
    onStep(by);
    current = await exchange.step(said);
  }
  return current;
}
