/** Mechanism → what makes an authenticator of it. The one list of what there is. */

import type { Switches } from "../config/compatibility.ts";
import type { SecurityProfile } from "../config/config.ts";
import type { Crypto } from "../crypto/crypto.ts";
import type { JwksPorts } from "../crypto/jwks.ts";
import type { Issue } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ports } from "../ports/ports.ts";
import type { Authenticator, ReadAcl } from "./authenticator.ts";

/** What authenticators may use. */
export interface AuthnPorts {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly readAcl: ReadAcl;
  /** Without it nobody can be asked and no key set fetched. */
  readonly remote?: RemotePorts | undefined;
}

export type RemotePorts = Pick<JwksPorts, "fetch" | "setTimer" | "random" | "store"> &
  Pick<Ports, "openHttp">;

/** The mode an authenticator is created for. */
export interface AuthnMode {
  readonly switches: Switches;
  readonly securityProfile: SecurityProfile;
}

/** An authenticator, or the issues that prevent it. Warnings can come with both. */
export type Creation =
  | {
      readonly ok: true;
      readonly authenticator: Authenticator;
      readonly issues: readonly Issue[];
    }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Makes an authenticator of a checked configuration. Never throws for what the operator wrote. */
export type AuthenticatorFactory<C> = (
  config: C,
  mode: AuthnMode,
  ports: AuthnPorts,
) => Creation | Promise<Creation>;
