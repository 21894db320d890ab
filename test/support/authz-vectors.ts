/** The client records and actions of the authorization vectors, as the reference takes them. */
import type { Action } from "../../src/types.ts";
import type { ReferenceClient } from "../reference/client.ts";
import { type VectorText, vectorText } from "./vectors.ts";

export interface VectorClient {
  readonly clientid: VectorText;
  readonly username?: VectorText | null;
  readonly peerhost?: string | null;
  readonly zone?: string;
  readonly listener?: string;
  readonly cn?: VectorText | null;
  readonly client_attrs?: Readonly<Record<string, VectorText>>;
}

export interface AuthzQuestion {
  readonly id: string;
  readonly client: VectorClient;
  readonly action: Action;
  readonly topic: VectorText;
  readonly security_profile?: "legacy" | "hardened";
}

export function referenceClient(client: VectorClient): ReferenceClient {
  const { clientid, username, peerhost, zone, listener, cn, client_attrs } = client;
  const maybe = (value: VectorText | null) => (value === null ? null : vectorText(value));
  return {
    clientId: vectorText(clientid),
    ...(username === undefined ? {} : { username: maybe(username) }),
    ...(peerhost === undefined ? {} : { peerHost: peerhost }),
    ...(zone === undefined ? {} : { zone }),
    ...(listener === undefined ? {} : { listener }),
    ...(cn === undefined ? {} : { certCommonName: maybe(cn) }),
    clientAttrs: Object.fromEntries(
      Object.entries(client_attrs ?? {}).map(([name, value]) => [name, vectorText(value)]),
    ),
  };
}
