/** What every authenticator answers, and what it is asked. Mechanisms never import each other. */
import type { RequestFields } from "../core/request.ts";
import type { JsonArray, JsonNumber, JsonObject } from "../json/parse.ts";
import type { ClientInfo, ConnectCode, Reason, Text } from "../types.ts";

/** One connecting client, its identity already resolved (authentication §1.4). */
export interface AuthnRequest {
  /** With the final clientId and username of before authentication. */
  readonly client: ClientInfo;
  readonly clientAttrs: Readonly<Record<string, Text>>;
  /** What expressions see of the client, for mechanisms that evaluate them in the core. */
  readonly fields?: RequestFields | undefined;
  /** What the last `continue` of this exchange left; undefined at its beginning. */
  readonly cache?: unknown;
}

/** What an accepting authenticator knows about the client. */
export interface AuthnData {
  readonly isSuperuser: boolean;
  /** Merged over the attributes the client already has. */
  readonly clientAttrs: Readonly<Record<string, Text>>;
  /** When the session has to end, ms since the epoch. A bigint only where no number can hold it. */
  readonly expireAtMs?: number | bigint | undefined;
  /** The client's private rules, checked as far as the mode wants. */
  readonly acl?: AclClaim | undefined;
  /** Whom the authenticator found the client to be; replaces the username. */
  readonly username?: string | undefined;
  /** Enhanced authentication: the server's last word, for CONNACK or AUTH 0x00. */
  readonly authData?: Uint8Array | undefined;
  /** Never empty. */
  readonly clientIdOverride?: string | undefined;
  readonly zoneOverride?: string | undefined;
}

/** Private rules as an authenticator received them. */
export interface AclClaim {
  readonly form: "map" | "list";
  readonly claim: JsonObject | JsonArray;
  /** Last second (inclusive) in which they hold; absent: for ever. A float denies everything. */
  readonly expireAt: JsonNumber | undefined;
  /** What `ReadAcl` made of the claim. */
  readonly rules?: unknown;
}

export const NO_DATA: AuthnData = { isSuperuser: false, clientAttrs: {} };

export type AuthnResult =
  /** Accept; the chain stops. */
  | { readonly type: "ok"; readonly data: AuthnData; readonly detail?: Detail }
  /** No opinion; the next one is asked. If nobody has one, `otherwise` is the answer. */
  | {
      readonly type: "ignore";
      readonly reason: Reason;
      readonly detail?: Detail;
      readonly otherwise?: AuthnContinue;
    }
  /** Refuse; the chain stops. */
  | {
      readonly type: "deny";
      readonly reason: Reason;
      readonly code: ConnectCode;
      readonly detail?: Detail;
    }
  /** It could not find out. What that means is the chain's policy. Never holds a secret. */
  | {
      readonly type: "failure";
      readonly reason: Reason;
      readonly message: string;
      readonly detail?: Detail;
    }
  | AuthnContinue;

/** Enhanced authentication: send AUTH with this data; the chain stops. */
export interface AuthnContinue {
  readonly type: "continue";
  readonly data?: Uint8Array | undefined;
  /** What the next step has to know; comes back as `AuthnRequest.cache`. */
  readonly cache?: unknown;
}

/** What it was found out with, for explanations. Never holds a secret. */
type Detail = string | undefined;

export interface Authenticator {
  /** `<mechanism>:<backend>` or `<mechanism>`; unique in its chain. */
  readonly id: string;
  /** Authentication Methods it knows, in exact spelling; clients with another are none of its business. */
  readonly methods?: readonly string[] | undefined;
  /** Answers at once where it can. A throw or rejection counts as `failure`. */
  authenticate(request: AuthnRequest): AuthnResult | Promise<AuthnResult>;
  /** The field whose token it has verified when it says `ok`, for clients without an Authentication Method. */
  readonly verifies?: "password" | "username" | undefined;
  /** Stops what runs in the background. */
  close?(): void;
}

/** What reading an `acl` claim at login gave. */
export type AclReading =
  | { readonly ok: true; readonly rules: unknown }
  /** `rule`: a rule with a recognised defect. `crash`: a defect the reference does not catch. */
  | { readonly ok: false; readonly kind: "rule" | "crash"; readonly message: string };

/** Reads private rules at login. Supplied by whoever knows the rules. */
export type ReadAcl = (claim: JsonObject | JsonArray) => AclReading;

/** MQTT 5 reason codes that authenticators use. Source: authentication §1.7. */
export const BAD_CREDENTIALS = 0x86;
export const NOT_AUTHORIZED = 0x87;
export const SERVER_UNAVAILABLE = 0x88;
export const SERVER_BUSY = 0x89;
export const BAD_AUTHENTICATION_METHOD = 0x8c;
