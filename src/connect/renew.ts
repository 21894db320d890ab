/** What re-authentication changes of a session, and what it must not. Source: authentication §8.33. */
import type { SessionFacts } from "../authz/session.ts";
import type { Switches } from "../config/compatibility.ts";

/**
 * The facts of a session after re-authentication: `found` anew, under the identity it has. Undefined
 * when another identity was found: under it the client would have other subscriptions, another
 * queue and another will, so it has to connect again. With `reauthentication_replaces` the
 * mountpoint is part of the identity: it keeps tenants apart. Without, the reference's way: it
 * stays as it is, and so do token rules that have no successor.
 */
export function renew(
  session: SessionFacts,
  found: SessionFacts,
  { reauthentication_replaces: replaces }: Switches,
): SessionFacts | undefined {
  const { clientId, assignedClientId, username, mountpoint, tokenRules, origin } = session;
  if (found.clientId !== clientId || found.username !== username) return undefined;
  if (replaces && found.mountpoint !== mountpoint) return undefined;
  return {
    ...found,
    assignedClientId,
    mountpoint,
    origin,
    tokenRules: replaces ? found.tokenRules : (found.tokenRules ?? tokenRules),
  };
}
