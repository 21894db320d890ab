/** Puts the cases of a test file to the engine and compares. */
import { PolicySession } from "../../../src/authz/session.ts";
import { withoutExchange } from "../../../src/connect/exchange.ts";
import { connectFields } from "../../../src/connect/fields.ts";
import { renderClientMountpoint } from "../../../src/connect/mountpoint.ts";
import { explainRules } from "../../../src/observe/rule-trace.ts";
import type { Action, ClientInfo, ConnectDecision, Decision } from "../../../src/types.ts";
import { askedTopic } from "../asked-topic.ts";
import { mintToken } from "../token.ts";
import type {
  ConnectExpectation,
  TestCase,
  TestClient,
  TestFile,
  TestRequest,
} from "./case-file.ts";
import type { PolicyUnderTest } from "./policy.ts";

/** One thing that came out otherwise. */
export interface Difference {
  /** What was asked: `connect`, `publish "a/b" with QoS 1`. */
  readonly question: string;
  readonly expected: string;
  readonly got: string;
  /** What decided, where a rule did: `acl.conf:3: {deny, all}`. */
  readonly decidedBy?: string | undefined;
  /** Of an unexpected denial: the rules that nearly allowed it, and what differs. */
  readonly closest?: readonly string[] | undefined;
}

export interface CaseResult {
  readonly case: TestCase;
  readonly differences: readonly Difference[];
  readonly durationMs: number;
}

export interface FileResult {
  readonly file: TestFile;
  readonly policy: string;
  readonly results: readonly CaseResult[];
}

/** Runs the cases in order. `reached` is told every rule of the policy that decided, from 1. */
export async function runTestFile(
  file: TestFile,
  policy: PolicyUnderTest,
  reached: (rule: number) => void,
): Promise<FileResult> {
  const results: CaseResult[] = [];
  for (const one of file.cases) {
    const started = performance.now();
    policy.nowMs = one.nowMs;
    const differences = await runCase(one, policy, reached);
    results.push({ case: one, differences, durationMs: performance.now() - started });
  }
  return { file, policy: policy.file, results };
}

async function runCase(
  one: TestCase,
  policy: PolicyUnderTest,
  reached: (rule: number) => void,
): Promise<Difference[]> {
  const differences: Difference[] = [];
  const opened = await openSession(one, policy);
  if ("decision" in opened && one.connect) {
    differences.push(...compareConnect(opened.decision, one.connect));
  }
  const session = "decision" in opened ? sessionOf(opened.decision) : opened.session;
  try {
    if (!one.request) return differences;
    if (!session) {
      if (!one.connect) differences.push(refusedAtConnect(opened, one.request));
      return differences;
    }
    for (const topic of one.request.topics) {
      const { action } = one.request;
      const asked = askedTopic(action, topic);
      const decision =
        "refused" in asked ? asked.refused : await session.authorize(action, asked.topic);
      if (decision.by === "file" && decision.rule) reached(decision.rule.number);
      const difference = compareRequest(decision, one.request, topic);
      if (!difference) continue;
      const isExplained = "topic" in asked && decision.verdict === "deny";
      const isWanted = one.request.verdict === "allow";
      const closest =
        isExplained && isWanted ? await closestRules(policy, session, action, asked.topic) : [];
      differences.push({ ...difference, closest });
    }
    return differences;
  } finally {
    session?.close();
  }
}

/** LIMIT: rules of a policy whose denials are explained; each costs a small compilation. */
const EXPLAINED_RULES_MAX = 1_000;

async function closestRules(
  { engine, rules }: PolicyUnderTest,
  session: PolicySession,
  action: Action,
  topic: string,
): Promise<readonly string[]> {
  if (rules.length > EXPLAINED_RULES_MAX) return [];
  return (await explainRules(engine, rules, session, { action, topic })).closest;
}

type Opened =
  | { readonly decision: ConnectDecision<PolicySession> }
  /** Without a session there is no safe value for the mountpoint, which refuses the connection. */
  | { readonly session: PolicySession | undefined };

/**
 * A client with credentials, or with an expectation on connecting, goes the whole way. Any other is
 * taken as accepted, with the facts that the test gives.
 */
async function openSession(
  { client, connect }: TestCase,
  policy: PolicyUnderTest,
): Promise<Opened> {
  const hasCredentials = client.password !== undefined || client.claims !== undefined;
  if (connect || hasCredentials) {
    return { decision: withoutExchange(await policy.engine.connect(clientInfo(client, policy))) };
  }
  return { session: acceptedSession(client, policy) };
}

function clientInfo(client: TestClient, policy: PolicyUnderTest): ClientInfo {
  const token = client.claims && makeToken(client.claims, policy);
  const isUsername = policy.tokenFrom === "username";
  return {
    clientId: client.clientId,
    username: token !== undefined && isUsername ? token : client.username,
    password: token !== undefined && !isUsername ? token : client.password,
    peerHost: client.peerHost ?? "127.0.0.1",
    listener: client.listener ?? "tcp:default",
    certCommonName: client.certCommonName,
    certSubject: client.certSubject,
    userProperties: client.userProperties,
    protocolVersion: 5,
    cleanStart: true,
  };
}

const TIME_CLAIMS = ["exp", "nbf", "iat"];
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `exp = "+1h"` and the like count from the test's clock. */
function makeToken(claims: Readonly<Record<string, unknown>>, policy: PolicyUnderTest): string {
  const now = Math.floor((policy.nowMs ?? Date.now()) / 1000);
  const entries = Object.entries(claims).map(([name, value]) => {
    const match = TIME_CLAIMS.includes(name) ? /^([+-]\d+)([smhd])$/.exec(String(value)) : null;
    if (!match) return [name, value];
    return [name, now + Number(match[1]) * (UNIT_SECONDS[match[2] ?? ""] ?? 1)];
  });
  return mintToken({ algorithm: "HS256", key: policy.secret, claims: Object.fromEntries(entries) });
}

function acceptedSession(client: TestClient, policy: PolicyUnderTest): PolicySession | undefined {
  const { engine } = policy;
  const { switches } = engine.config;
  const info = clientInfo(client, policy);
  const listener = engine.policy.listener(info.listener);
  const { clientId, username, attrs = {}, isSuperuser } = client;
  const identity = { clientId, username, isGenerated: false };
  const fields = {
    ...connectFields(info, identity, listener, switches),
    password: undefined,
    clientAttrs: attrs,
    isSuperuser,
  };
  const mountpoint = renderClientMountpoint(listener, fields, switches);
  if (!mountpoint.ok) return undefined;
  return new PolicySession(engine, {
    fields,
    clientId,
    assignedClientId: undefined,
    username,
    isSuperuser,
    clientAttrs: attrs,
    mountpoint: mountpoint.value,
    expireAtMs: undefined,
    tokenRules: undefined,
  });
}

function sessionOf(decision: ConnectDecision<PolicySession>): PolicySession | undefined {
  return decision.verdict === "allow" ? decision.session : undefined;
}

function compareConnect(
  decision: ConnectDecision<PolicySession>,
  expected: ConnectExpectation,
): Difference[] {
  const code = decision.verdict === "deny" ? decision.code : undefined;
  const attrs: Readonly<Record<string, string>> =
    decision.verdict === "allow" ? decision.session.clientAttrs : {};
  const wanted = describe(expected.verdict, { ...expected, code: expected.code });
  const isRight =
    decision.verdict === expected.verdict &&
    (expected.reason ?? decision.reason) === decision.reason &&
    (expected.by ?? decision.by) === decision.by &&
    (expected.code ?? code) === code;
  const differences: Difference[] = [];
  if (!isRight) {
    const got = describe(decision.verdict, { ...decision, code });
    differences.push({ question: "connect", expected: wanted, got });
  }
  for (const [name, value] of Object.entries(expected.attrs ?? {})) {
    if (decision.verdict !== "allow" || attrs[name] === value) continue;
    const got = attrs[name] === undefined ? "not set" : JSON.stringify(attrs[name]);
    const question = `attribute \`${name}\``;
    differences.push({ question, expected: JSON.stringify(value), got });
  }
  return differences;
}

function compareRequest(
  decision: Decision,
  request: TestRequest,
  topic: string,
): Difference | undefined {
  const { rule } = decision;
  const isRight =
    decision.verdict === request.verdict &&
    (request.reason ?? decision.reason) === decision.reason &&
    (request.by ?? decision.by) === decision.by &&
    (request.rule ?? rule?.number) === rule?.number &&
    (request.line ?? rule?.at?.line) === rule?.at?.line;
  if (isRight) return undefined;
  const place = rule?.at ? `${rule.at.file}:${rule.at.line}: ` : "";
  const { reason, by } = decision;
  // What a rule says goes without saying, unless the test asks for it.
  const isShown = rule === undefined || request.reason !== undefined || request.by !== undefined;
  const said = isShown ? { reason, by } : {};
  return {
    question: describeRequest(request, topic),
    expected: describe(request.verdict, request),
    got: describe(decision.verdict, { ...said, rule: rule?.number, line: rule?.at?.line }),
    decidedBy: rule?.text === undefined ? undefined : `${place}${rule.text}`,
  };
}

function refusedAtConnect(opened: Opened, request: TestRequest): Difference {
  const decision =
    "decision" in opened ? opened.decision : { reason: "bad_mountpoint", by: "mountpoint" };
  return {
    question: describeRequest(request, request.topics[0] ?? ""),
    expected: describe(request.verdict, request),
    got: `${describe("refused at connect", decision)}; if that is meant, expect it of \`connect\``,
  };
}

function describeRequest({ action }: TestRequest, topic: string): string {
  const retain = action.type === "publish" && action.retain ? ", retained" : "";
  const qos = action.qos > 0 ? ` with QoS ${action.qos}` : "";
  return `${action.type} ${JSON.stringify(topic)}${qos}${retain}`;
}

interface Details {
  readonly reason?: string | undefined;
  readonly by?: string | undefined;
  readonly rule?: number | undefined;
  readonly line?: number | undefined;
  readonly code?: number | undefined;
}

/** `deny, reason no_match, by default`; only what is known, or expected. */
function describe(verdict: string, { reason, by, rule, line, code }: Details): string {
  return [
    verdict,
    reason === undefined ? undefined : `reason ${reason}`,
    by === undefined ? undefined : `by ${by}`,
    rule === undefined ? undefined : `rule ${rule}`,
    line === undefined ? undefined : `line ${line}`,
    code === undefined ? undefined : `code 0x${code.toString(16)}`,
  ]
    .filter((one) => one !== undefined)
    .join(", ");
}
