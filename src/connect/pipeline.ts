/**
 * The life of a CONNECT, from the resolved packet to an accepted client. The order is the one of
 * authentication §1.1, steps 13 to 18.
 */
import { SLOT_CLIENT_ATTRS } from "../../assembly/abi.ts";
import type { AuthnData, AuthnRequest } from "../authn/authenticator.ts";
import type { ChainVerdict } from "../authn/chain.ts";
import type { SessionFacts, SessionOrigin } from "../authz/session.ts";
import type { ListenerConfig, MqttConfig } from "../config/config.ts";
import { slotsRead } from "../core/expressions.ts";
import { encodeRequest } from "../core/request.ts";
import { quoteText, type Trace } from "../observe/trace.ts";
import type { LoadedPolicy } from "../policy.ts";
import { isUtf8, showText, toBytes } from "../text.ts";
import type { ClientInfo, ConnectDenied, Fault, Reason, Text } from "../types.ts";
import {
  attributeText,
  initClientAttrs,
  mergeClientAttrs,
  NO_ATTRS,
  unverifiedNames,
  withoutAttrs,
} from "./client-attrs.ts";
import { overrideClientId } from "./client-id-override.ts";
import { EXCHANGE_STEPS_MAX, type Pending } from "./exchange.ts";
import { type ConnectFields, connectFields, DEFAULT_ZONE, hasCertificate } from "./fields.ts";
import { type Identity, type NoIdentity, resolveIdentity } from "./identity.ts";
import { renderClientMountpoint } from "./mountpoint.ts";
import { renew } from "./renew.ts";
import {
  type Report,
  reportTo,
  shown,
  traceChain,
  traceClientAttrs,
  traceDrop,
  traceIdentity,
} from "./report.ts";
import { isLonger, textRecord } from "./text.ts";
import { tokenRulesOf } from "./token-rules.ts";

/** An accepted client that has no session yet. */
export interface ConnectAccepted {
  readonly verdict: "allow";
  readonly reason: Reason;
  readonly by: string;
  readonly faults: readonly Fault[];
  readonly authData: Uint8Array | undefined;
  readonly facts: SessionFacts;
}

export type ConnectOutcome = ConnectAccepted | ConnectDenied | Pending<ConnectAccepted>;

/** What the steps hand on to each other. */
interface Connecting {
  readonly policy: LoadedPolicy;
  readonly client: ClientInfo;
  readonly listener: ListenerConfig | undefined;
  readonly identity: Identity;
  readonly report: Report | undefined;
  /** Of this CONNECT alone, so they change in place: two dozen of them are dear to copy. */
  readonly fields: ConnectFields;
  clientAttrs: Readonly<Record<string, Text>>;
  clientId: Text;
  /** `mqtt.clientid_override` made the id, of attributes among other things. */
  isIdOfAttrs?: boolean;
  /** The session that is authenticated anew. */
  readonly renews?: SessionFacts | undefined;
}

/**
 * Decides on a CONNECT, at once where the chain does. Throws or rejects only for what the core does: the
 * engine turns that into a deny.
 */
export function connectClient(
  policy: LoadedPolicy,
  client: ClientInfo,
  trace?: Trace | undefined,
): ConnectOutcome | Promise<ConnectOutcome> {
  const { mqtt, switches } = policy.config;
  const { randomBytes } = policy.ports;
  const identity = checkIdentity(resolveIdentity(client, { mqtt, switches, randomBytes }), mqtt);
  if ("reason" in identity) {
    const { reason, code, detail } = identity;
    trace?.({ stage: "identity", at: "mqtt", outcome: "deny", detail });
    return denied(reason, "mqtt", code);
  }
  const listener = policy.listener(client.listener);
  const connecting: Connecting = {
    policy,
    client,
    listener,
    identity,
    report: trace && reportTo(trace, policy.config, client),
    fields: connectFields(client, identity, listener, switches),
    clientAttrs: NO_ATTRS,
    clientId: identity.clientId,
  };
  if (client.peerHost !== undefined && connecting.fields.peerHost === null) {
    // No rule and no check about addresses would see the client.
    const detail = "the peer address is none";
    trace?.({ stage: "identity", at: "peerhost", outcome: "deny", detail });
    return denied("malformed_peer_address", "peerhost", 0x87);
  }
  if (connecting.report) traceIdentity(connecting.report, client, identity);
  setClientAttrs(connecting);
  setClientId(connecting);
  return decide(connecting);
}

/**
 * Authenticates an accepted client anew: the CONNECT once more, with other data. The client comes
 * with the id and the attributes of before its authentication, or, without the switch
 * `reauthentication_replaces`, the attributes it has now.
 *
 * Source: authentication §6.1, §8 item 33.
 */
export function reauthenticateClient(
  policy: LoadedPolicy,
  facts: SessionFacts,
  origin: SessionOrigin,
  authData: Uint8Array | undefined,
): ConnectOutcome | Promise<ConnectOutcome> {
  const { switches } = policy.config;
  const { identity, clientId } = origin;
  const client = { ...origin.client, authData };
  const listener = policy.listener(client.listener);
  const clientAttrs = switches.reauthentication_replaces ? origin.clientAttrs : facts.clientAttrs;
  const fields = connectFields(client, identity, listener, switches);
  fields.clientId = clientId;
  fields.clientAttrs = clientAttrs;
  return decide({
    ...{ policy, client, listener, identity, fields, clientAttrs, clientId },
    report: undefined,
    renews: facts,
  });
}

function decide(connecting: Connecting): ConnectOutcome | Promise<ConnectOutcome> {
  const answer = authenticate(connecting);
  return answer instanceof Promise
    ? answer.then((verdict) => conclude(connecting, verdict, 0))
    : conclude(connecting, answer, 0);
}

/** `stepsTaken` by the client since the exchange began. */
function conclude(
  connecting: Connecting,
  verdict: ChainVerdict,
  stepsTaken: number,
): ConnectOutcome {
  if (connecting.report) traceChain(connecting.report, verdict);
  switch (verdict.verdict) {
    case "allow":
      return accept(connecting, verdict);
    case "deny":
      return denied(verdict.reason, verdict.by, verdict.code, verdict.faults);
    case "continue": {
      const { by, faults, data, resume } = verdict;
      // Nobody could answer.
      if (connecting.client.authMethod === undefined) {
        return denied("exchange_not_possible", by, 0x8c, faults);
      }
      if (stepsTaken >= EXCHANGE_STEPS_MAX) return denied("too_many_steps", by, 0x87, faults);
      const step: Pending<ConnectAccepted>["step"] = async (authData) =>
        conclude(connecting, await resume(nextRequest(connecting, authData)), stepsTaken + 1);
      return { verdict: "continue", by, faults, data, step };
    }
  }
}

/** The identity, unless its client id may not be one. */
function checkIdentity(identity: Identity | NoIdentity, mqtt: MqttConfig): Identity | NoIdentity {
  if ("reason" in identity) return identity;
  const { clientId } = identity;
  if (!isLonger(clientId, mqtt.maxClientIdLen) && isUtf8(clientId)) return identity;
  const detail = "the client id is not valid";
  return { reason: "client_identifier_not_valid", code: 0x85, detail };
}

/** The reference has no certificate any more by now. Source: authentication §1.6. */
function nextRequest(connecting: Connecting, authData: Uint8Array | undefined): AuthnRequest {
  const { client, fields } = requestOf(connecting);
  const { exchange_has_owner: keepsAll } = connecting.policy.config.switches;
  const certDer = keepsAll ? client.certDer : undefined;
  return {
    client: { ...client, authData, certDer },
    clientAttrs: connecting.clientAttrs,
    fields: { ...fields, authData, certPem: certDer },
  };
}

/** `mqtt.client_attrs_init`: expressions over what the client sent, its unverified token included. */
function setClientAttrs(connecting: Connecting): void {
  const { policy, fields, report } = connecting;
  const { memory, attributeInits, attributeSlots } = policy;
  if (attributeInits.length > 0) {
    encodeRequest(memory, fields, attributeSlots);
    connecting.clientAttrs = initClientAttrs(memory, attributeInits, (entry, drop) =>
      traceDrop(report, entry, drop),
    );
  }
  fields.clientAttrs = connecting.clientAttrs;
  if (report) traceClientAttrs(report, attributeInits, connecting.clientAttrs);
}

/** `mqtt.clientid_override`. */
function setClientId(connecting: Connecting): void {
  const { policy, fields, report } = connecting;
  const { config, memory } = policy;
  if (!config.mqtt.clientIdOverride) return;
  const at = "mqtt.clientid_override";
  const isChecked = config.switches.client_id_override_checked;
  const result = overrideClientId(memory, policy.program(at), fields, isChecked);
  if ("kept" in result) {
    report?.trace({ stage: "identity", at, outcome: "kept", detail: result.kept });
    return;
  }
  if (report) {
    const detail = shown(result.clientId, report.secrets);
    report.trace({ stage: "identity", at, outcome: "overridden", detail });
  }
  const slots = slotsRead(memory, [policy.program(at)]);
  connecting.isIdOfAttrs = (slots & (1 << SLOT_CLIENT_ATTRS)) !== 0;
  connecting.clientId = result.clientId;
  fields.clientId = result.clientId;
}

function authenticate(connecting: Connecting): ChainVerdict | Promise<ChainVerdict> {
  const { policy, client, listener } = connecting;
  const enable = listener?.enableAuthn ?? true;
  if (enable === false) {
    const data: AuthnData = { isSuperuser: false, clientAttrs: {} };
    return {
      verdict: "allow",
      reason: "anonymous",
      by: "enable_authn",
      data,
      faults: [],
      steps: [],
    };
  }
  if (enable === "quick_deny_anonymous" && isAnonymous(connecting)) {
    return {
      verdict: "deny",
      reason: "anonymous_refused",
      by: "enable_authn",
      code: 0x87,
      faults: [],
      steps: [],
    };
  }
  return policy.chainOf(client.listener).authenticate(requestOf(connecting));
}

function requestOf({ client, clientId, identity, clientAttrs, fields }: Connecting): AuthnRequest {
  const isAsSent = clientId === client.clientId && identity.username === client.username;
  return {
    client: isAsSent ? client : { ...client, clientId, username: identity.username },
    clientAttrs,
    fields,
  };
}

/** What quick_deny_anonymous refuses. Source: authentication §1.6, §8 item 26. */
function isAnonymous({ policy, client, identity }: Connecting): boolean {
  const isNameless = identity.username === undefined || identity.username.length === 0;
  if (!policy.config.switches.quick_deny_spares_tokens) return isNameless;
  return (
    isNameless &&
    (client.password === undefined || client.password.length === 0) &&
    client.authMethod === undefined &&
    !hasCertificate(client)
  );
}

/** Joins what was known with what the chain found out; the mountpoint sees the result. */
function accept(
  connecting: Connecting,
  verdict: ChainVerdict & { verdict: "allow" },
): ConnectAccepted | ConnectDenied {
  const { policy, client, identity, report } = connecting;
  const { switches } = policy.config;
  const { data, reason, by, faults } = verdict;
  const clientId = data.clientIdOverride ?? connecting.clientId;
  if (!isUsableId(clientId, connecting, data.clientIdOverride !== undefined)) {
    const detail = "the new client id is not valid";
    report?.trace({ stage: "identity", at: by, outcome: "deny", detail });
    return denied("client_identifier_not_valid", by, 0x85, faults);
  }
  const username = data.username ?? identity.username;
  const trusted = trustedAttrs(connecting, verdict);
  if (trusted !== connecting.clientAttrs && connecting.isIdOfAttrs) {
    // The id may say what the attributes may not.
    return denied("unverified_identity", "mqtt.clientid_override", 0x86, faults);
  }
  const clientAttrs = mergeClientAttrs(trusted, data.clientAttrs);
  // The chain is done: nobody reads them any more as they were.
  const { fields } = connecting;
  fields.password = undefined;
  fields.authData = undefined;
  fields.clientId = clientId;
  fields.username = username ?? null;
  fields.clientAttrs = clientAttrs;
  fields.isSuperuser = data.isSuperuser;
  if (data.zoneOverride !== undefined) setZone(connecting, data.zoneOverride, by);
  const mountpoint = renderClientMountpoint(connecting.listener, fields, switches);
  if (!mountpoint.ok) {
    const detail = `no safe value for ${mountpoint.names.join(", ")}`;
    report?.trace({ stage: "mountpoint", at: mountpoint.at, outcome: "deny", detail });
    const fault = { code: "ERR_MOUNTPOINT", at: mountpoint.at, message: detail };
    return denied("bad_mountpoint", "mountpoint", 0x87, [...faults, fault]);
  }
  const isChanged = switches.tell_overridden_client_id
    ? clientId !== client.clientId
    : client.clientId.length === 0;
  const facts: SessionFacts = {
    fields,
    clientId: showText(clientId),
    assignedClientId: isChanged ? showText(clientId) : undefined,
    username: username === undefined ? undefined : showText(username),
    isSuperuser: data.isSuperuser,
    clientAttrs: textRecord(clientAttrs),
    mountpoint: mountpoint.value,
    expireAtMs: data.expireAtMs === undefined ? undefined : Number(data.expireAtMs),
    tokenRules: tokenRulesOf(data.acl, policy.failureMode),
    origin: originOf(connecting),
  };
  const renewed = connecting.renews ? renew(connecting.renews, facts, switches) : facts;
  if (renewed === undefined) return denied("identity_changed", by, 0x86, faults);
  return { verdict: "allow", reason, by, faults, authData: data.authData, facts: renewed };
}

/** A zone of the configuration takes the place of the client's, any other is disregarded. Source: authentication §0.1. */
function setZone({ policy, fields, report }: Connecting, zone: string, by: string): void {
  const isKnown = zone === DEFAULT_ZONE || policy.config.listeners.some((one) => one.zone === zone);
  if (isKnown) fields.zone = { type: "atom", name: zone };
  report?.trace({
    stage: "identity",
    at: by,
    outcome: isKnown ? "zone replaced" : "zone kept",
    detail: isKnown ? quoteText(zone) : "the new one is not that of a listener",
  });
}

/**
 * The attributes of before authentication, without those made of a token that nobody verified where
 * they are not to be kept. Source: authentication §8 item 38.
 */
function trustedAttrs(
  { policy, client, clientAttrs, report }: Connecting,
  { verifies }: ChainVerdict & { verdict: "allow" },
): Readonly<Record<string, Text>> {
  if (policy.config.unverifiedClientAttrs === "keep") return clientAttrs;
  // With an Authentication Method the token was in the Authentication Data.
  const verified = client.authMethod === undefined ? verifies : undefined;
  const names = unverifiedNames(policy.attributeInits, verified);
  const trusted = withoutAttrs(clientAttrs, names);
  if (trusted !== clientAttrs) {
    for (const at of names) {
      if (!Object.hasOwn(clientAttrs, at)) continue;
      const detail = "no authenticator has verified the token that it is made of";
      report?.trace({ stage: "client_attrs", at, outcome: "dropped", detail });
    }
  }
  return trusted;
}

/** What to authenticate anew from; only clients with an Authentication Method can. */
function originOf({
  client,
  identity,
  clientId,
  clientAttrs,
}: Connecting): SessionOrigin | undefined {
  if (client.authMethod === undefined) return undefined;
  const kept = { ...client, password: undefined, authData: undefined };
  return { client: kept, identity, clientId, clientAttrs };
}

/**
 * May the final id stand? One that is not UTF-8 could not be told from others [MQTT5 3.1.3-4]; one
 * from an authenticator is held to the same as an expression's.
 */
function isUsableId(clientId: Text, { policy }: Connecting, isGiven: boolean): boolean {
  if (!isUtf8(clientId)) return false;
  if (!isGiven || !policy.config.switches.client_id_override_checked) return true;
  return attributeText(toBytes(clientId)) !== undefined;
}

function denied(
  reason: Reason,
  by: string,
  code: ConnectDenied["code"],
  faults: readonly Fault[] = [],
): ConnectDenied {
  return { verdict: "deny", reason, by, code, faults };
}
