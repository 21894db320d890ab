/** What the steps of a CONNECT tell a trace, when someone asks for one. */
import type { ChainStep, ChainVerdict } from "../authn/chain.ts";
import type { Config } from "../config/config.ts";
import { HIDDEN, Secrets } from "../observe/secrets.ts";
import { describeError, quoteText, type Trace } from "../observe/trace.ts";
import type { ClientInfo, Text } from "../types.ts";
import {
  type AttributeDrop,
  type AttributeEntry,
  type AttributeInit,
  unverifiedNames,
} from "./client-attrs.ts";
import type { Identity } from "./identity.ts";

/** Where the steps go, and what they must not show. */
export interface Report {
  readonly trace: Trace;
  readonly secrets: Secrets;
}

/** A token in the username is as secret as a password. */
export function reportTo(trace: Trace, config: Config, client: ClientInfo): Report {
  const chains = [config.authentication, ...config.listeners.map((one) => one.authentication)];
  const isNameSecret = chains.some((chain) =>
    chain?.some((one) => one.mechanism === "jwt" && one.from === "username"),
  );
  const { password, authData, username } = client;
  return { trace, secrets: new Secrets([password, authData, isNameSecret ? username : undefined]) };
}

/** The text, unless it is a secret. */
export function shown(text: Text | undefined, secrets: Secrets): string {
  return text !== undefined && secrets.covers(text) ? HIDDEN : quoteText(text);
}

export function traceIdentity(
  { trace, secrets }: Report,
  client: ClientInfo,
  identity: Identity,
): void {
  const made = identity.isGenerated ? " (made up: the client sent none)" : "";
  trace({
    stage: "identity",
    at: client.listener ?? "mqtt",
    outcome: "resolved",
    detail: `clientid ${shown(identity.clientId, secrets)}${made}, username ${shown(identity.username, secrets)}`,
  });
}

/** An attribute that could not be made. */
export function traceDrop(
  report: Report | undefined,
  { name }: AttributeEntry,
  drop: AttributeDrop,
): void {
  const detail =
    drop.reason === "error"
      ? describeError(drop.error)
      : "the result is not UTF-8 or has control characters";
  report?.trace({ stage: "client_attrs", at: name, outcome: "dropped", detail });
}

export function traceClientAttrs(
  { trace, secrets }: Report,
  inits: readonly AttributeInit[],
  clientAttrs: Readonly<Record<string, Text>>,
): void {
  const unverified = unverifiedNames(inits, undefined);
  for (const { name } of inits) {
    const value = clientAttrs[name];
    const outcome = value === undefined ? "not set" : "set";
    const mark = unverified.has(name) ? ", of a token not verified yet" : "";
    const detail = value && `${shown(value, secrets)}${mark}`;
    trace({ stage: "client_attrs", at: name, outcome, detail });
  }
}

/** What each authenticator said, and what came of it where the last of them did not say so itself. */
export function traceChain({ trace }: Report, verdict: ChainVerdict): void {
  for (const step of verdict.steps) {
    trace({
      stage: "authentication",
      at: step.by,
      outcome: step.outcome,
      detail: stepDetail(step),
    });
  }
  const { verdict: outcome, by, steps } = verdict;
  const last = steps.at(-1);
  if (last?.by === by && SAYS[outcome] === last.outcome) return;
  const reason = "reason" in verdict ? verdict.reason : undefined;
  trace({ stage: "authentication", at: by, outcome, detail: reason });
}

/** A verdict → what the authenticator that gives it says. */
const SAYS = { allow: "ok", deny: "deny", continue: "continue" } as const;

function stepDetail({ reason, message, detail }: ChainStep): string | undefined {
  const parts = [message ?? reason, detail].filter((part) => part !== undefined);
  return parts.length > 0 ? parts.join("; ") : undefined;
}
