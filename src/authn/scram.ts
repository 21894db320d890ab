/**
 * `mechanism = scram`: the client proves that it knows its password, and the server that it knows
 * the account, without either being sent. Where the accounts are is somebody else's business.
 *
 * Source: authentication §6.2, §8 items 24 and 46; RFC 5802, RFC 7677.
 */
import { encodeBase64 } from "../crypto/base64.ts";
import {
  clientProofHolds,
  type ScramAlgorithm,
  scramHmac,
  serverSignature,
} from "../crypto/scram.ts";
import { encodeUtf8, toHex } from "../text.ts";
import type { Reason, Text } from "../types.ts";
import {
  type Authenticator,
  type AuthnData,
  type AuthnRequest,
  type AuthnResult,
  BAD_CREDENTIALS,
  NOT_AUTHORIZED,
} from "./authenticator.ts";
import {
  type ClientFirst,
  readClientFinal,
  readClientFirst,
  writeServerFinal,
  writeServerFirst,
} from "./scram/message.ts";

/** What has to be known of a user. */
export interface ScramAccount {
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
  readonly salt: Uint8Array;
  /** Those that the keys were made with. */
  readonly iterations: number;
  /** What the user gets, once it has proved to be who it says. */
  readonly data: AuthnData;
}

export interface ScramOptions {
  /** `scram:built_in_database`, `scram:http`. */
  readonly id: string;
  readonly algorithm: ScramAlgorithm;
  /** `iteration_count`. */
  readonly iterations: number;
  /** `bind_identity`: the user becomes the username, and CONNECT may not have named another. */
  readonly bindsIdentity: boolean;
  /** Clients are told the iterations of the account. Switch scram_iterations_from_user. */
  readonly takesAccountIterations: boolean;
  /**
   * Keeps an unknown user from being told apart by the server's first answer: the same salt for the
   * same name, from a secret. Undefined: an unknown user is ignored. Switch
   * unknown_scram_user_hidden.
   */
  readonly decoySecret: Uint8Array | undefined;
  readonly randomBytes: (count: number) => Uint8Array;
  /** The account of a user, or what to answer instead; `unknown` when there is none. */
  readonly lookUp: (user: string, request: AuthnRequest) => Found | Promise<Found>;
}

export type Found = ScramAccount | AuthnResult | "unknown";

/** 12 bytes make 16 characters of base64: 96 bits that nobody has seen before. */
const NONCE_BYTES = 12;
/** Characters of a salt that was made here. */
const SALT_CHARS = 32;

const METHODS: Readonly<Record<ScramAlgorithm, string>> = {
  sha256: "SCRAM-SHA-256",
  sha512: "SCRAM-SHA-512",
};

/** What is remembered between the two messages of a client. */
class ScramExchange {
  readonly method: string;
  readonly first: ClientFirst;
  /** The client's nonce and ours. */
  readonly nonce: string;
  readonly serverFirst: string;
  /** Undefined for a user that nobody knows. */
  readonly account: ScramAccount | undefined;

  constructor(fields: ScramExchange) {
    this.method = fields.method;
    this.first = fields.first;
    this.nonce = fields.nonce;
    this.serverFirst = fields.serverFirst;
    this.account = fields.account;
  }
}

export function createScramAuthenticator(options: ScramOptions): Authenticator {
  const { id, algorithm } = options;
  const method = METHODS[algorithm];

  function authenticate(request: AuthnRequest): AuthnResult | Promise<AuthnResult> {
    const { authMethod, authData } = request.client;
    if (authMethod !== method) return { type: "ignore", reason: "other_auth_method" };
    if (authData === undefined) return { type: "ignore", reason: "missing_auth_data" };
    const { cache } = request;
    if (cache instanceof ScramExchange && cache.method === method) {
      return finish(cache, authData, request);
    }
    const first = readClientFirst(authData);
    if (!first) return refuse("malformed_exchange", "the first message is not one of SCRAM");
    const found = options.lookUp(first.user, request);
    return found instanceof Promise
      ? found.then((account) => begin(first, account))
      : begin(first, found);
  }

  function begin(first: ClientFirst, found: Found): AuthnResult {
    if (found !== "unknown") return "type" in found ? found : challenge(first, found, found);
    const { decoySecret } = options;
    if (!decoySecret) return { type: "ignore", reason: "unknown_user" };
    const decoy = decoyFor(first.user, decoySecret);
    return {
      type: "ignore",
      reason: "unknown_user",
      otherwise: challenge(first, decoy, undefined),
    };
  }

  function challenge(
    first: ClientFirst,
    shown: Pick<ScramAccount, "salt" | "iterations">,
    account: ScramAccount | undefined,
  ): AuthnResult & { type: "continue" } {
    const nonce = first.nonce + encodeBase64(options.randomBytes(NONCE_BYTES));
    const iterations = options.takesAccountIterations ? shown.iterations : options.iterations;
    const serverFirst = writeServerFirst(nonce, shown.salt, iterations);
    const cache = new ScramExchange({ method, first, nonce, serverFirst, account });
    return { type: "continue", data: encodeUtf8(serverFirst), cache };
  }

  function finish(exchange: ScramExchange, data: Uint8Array, request: AuthnRequest): AuthnResult {
    const { first, nonce, serverFirst } = exchange;
    const final = readClientFinal(data);
    if (!final) return refuse("malformed_exchange", "the last message is not one of SCRAM");
    if (final.flag !== first.flag || final.nonce !== nonce) {
      return refuse("malformed_exchange", "the last message belongs to another exchange");
    }
    // The same work for everybody.
    const account = exchange.account ?? NOBODY[algorithm];
    const signed = encodeUtf8(`${first.bare},${serverFirst},${final.withoutProof}`);
    const isProved = clientProofHolds(algorithm, account.storedKey, signed, final.proof);
    const signature = serverSignature(algorithm, account.serverKey, signed);
    if (!exchange.account) return refuse("unknown_user");
    if (!isProved) return refuse("wrong_password");
    if (options.bindsIdentity && !mayBe(first.user, request.client.username)) {
      const detail = "CONNECT has another username than the exchange";
      return { type: "deny", reason: "identity_mismatch", code: BAD_CREDENTIALS, detail };
    }
    const authData = encodeUtf8(writeServerFinal(signature));
    const username = options.bindsIdentity ? first.user : undefined;
    return { type: "ok", data: { ...account.data, authData, username } };
  }

  function decoyFor(user: string, secret: Uint8Array): Pick<ScramAccount, "salt" | "iterations"> {
    const digest = scramHmac("sha256", secret, encodeUtf8(`${method},${user}`));
    return { salt: encodeUtf8(toHex(digest).slice(0, SALT_CHARS)), iterations: options.iterations };
  }

  return { id, methods: [method], authenticate };
}

/** Nobody's proof is ever looked at for its result. */
const NOBODY: Readonly<Record<ScramAlgorithm, ScramAccount>> = {
  sha256: nobody(32),
  sha512: nobody(64),
};

function nobody(keyBytes: number): ScramAccount {
  const key = new Uint8Array(keyBytes);
  const data: AuthnData = { isSuperuser: false, clientAttrs: {} };
  return { storedKey: key, serverKey: key, salt: key, iterations: 1, data };
}

/** An empty username says nothing. */
function mayBe(user: string, username: Text | undefined): boolean {
  if (username === undefined || username.length === 0) return true;
  if (typeof username === "string") return username === user;
  const bytes = encodeUtf8(user);
  return bytes.length === username.length && bytes.every((byte, at) => byte === username[at]);
}

function refuse(reason: Reason, detail?: string): AuthnResult {
  return { type: "deny", reason, code: NOT_AUTHORIZED, detail };
}
