/** A file of policy tests: YAML, or HOCON, which JSON is a part of. `portcullis test --help` has the format. */
import { dirname, resolve } from "node:path";
import { type HoconObject, parseHocon } from "../../../src/config/hocon/index.ts";
import { IssueList } from "../../../src/config/issues.ts";
import { ConfigError, EngineError } from "../../../src/errors.ts";
import type { Action, SourcePosition, Verdict } from "../../../src/types.ts";
import { readTextFile } from "../config-files.ts";
import { Fields } from "./fields.ts";
import { readYaml } from "./yaml.ts";

export interface TestFile {
  readonly file: string;
  /** Path of the policy; undefined: the caller's choice. */
  readonly policy: string | undefined;
  readonly compatibility: "strict" | "emqx" | undefined;
  /** Added to the environment while the policy is loaded. */
  readonly env: Readonly<Record<string, string>>;
  /** HMAC secret of tokens; undefined: the policy's. */
  readonly secret: string | undefined;
  readonly cases: readonly TestCase[];
}

export interface TestCase {
  readonly name: string;
  readonly at: SourcePosition;
  readonly client: TestClient;
  /** The clock, in ms since the epoch; undefined: the machine's. */
  readonly nowMs: number | undefined;
  readonly connect: ConnectExpectation | undefined;
  readonly request: TestRequest | undefined;
}

export interface TestClient {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Claims of a token to be made. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  /** Attributes that authentication would have set; such a client is taken as accepted. */
  readonly attrs: Readonly<Record<string, string>> | undefined;
  readonly isSuperuser: boolean;
  readonly peerHost: string | undefined;
  readonly listener: string | undefined;
  readonly certCommonName: string | undefined;
  readonly certSubject: string | undefined;
  readonly userProperties: Readonly<Record<string, string>> | undefined;
}

export interface Expectation {
  readonly verdict: Verdict;
  readonly reason: string | undefined;
  readonly by: string | undefined;
}

export interface ConnectExpectation extends Expectation {
  readonly code: number | undefined;
  readonly attrs: Readonly<Record<string, string>> | undefined;
}

export interface TestRequest extends Expectation {
  readonly action: Action;
  /** Each has to come out as expected. */
  readonly topics: readonly string[];
  /** Number of the deciding rule, from 1; and its line. */
  readonly rule: number | undefined;
  readonly line: number | undefined;
}

const VERDICTS = ["allow", "deny"] as const;
const PRESETS = ["strict", "emqx"] as const;

/** Reads a file; throws ConfigError with everything that is wrong, or EngineError ERR_CONFIG_FILE. */
export function readTestFile(file: string): TestFile {
  const text = readTextFile(file);
  if (text === undefined) throw new EngineError("ERR_CONFIG_FILE", `no such file: \`${file}\``);
  return parseTestFile(text, file);
}

/** The same for a text; the ending of the name says whether it is YAML. */
export function parseTestFile(text: string, file: string): TestFile {
  const issues = new IssueList();
  const isYaml = /\.ya?ml$/i.test(file);
  const document = isYaml ? readYaml(text, file, issues) : readHocon(text, file, issues);
  if (issues.hasErrors) throw new ConfigError(issues.all());
  const root = new Fields(document, issues);
  const policy = root.text("policy");
  const read: TestFile = {
    file,
    policy: policy === undefined ? undefined : resolve(dirname(file), policy),
    compatibility: root.choice("compatibility", PRESETS),
    env: root.record("env") ?? {},
    secret: root.text("secret"),
    cases: readCases(root),
  };
  root.finish("a test file");
  if (read.cases.length === 0 && !issues.hasErrors) {
    root.error("there are no tests in this file: add a list `tests`");
  }
  if (issues.hasErrors) throw new ConfigError(issues.all());
  return read;
}

function readHocon(text: string, file: string, issues: IssueList): HoconObject {
  const readInclude = (path: string, from: string): string | undefined =>
    readTextFile(resolve(dirname(from), path));
  const parsed = parseHocon({ text, file, readInclude, unicodeEscapes: true });
  for (const issue of parsed.issues) issues.add(issue);
  return parsed.root;
}

function readCases(root: Fields): TestCase[] {
  const now = readInstant(root);
  const clients = new Map<string, TestClient>();
  for (const [name, fields] of root.object("clients")?.named() ?? []) {
    clients.set(name, readClient(fields));
  }
  return root.objects("tests").flatMap((fields) => readCase(fields, clients, now) ?? []);
}

function readCase(
  fields: Fields,
  clients: ReadonlyMap<string, TestClient>,
  defaultNow: number | undefined,
): TestCase | undefined {
  const client = readClientOf(fields, clients);
  const connect = readConnect(fields);
  const request = readRequest(fields, connect);
  const nowMs = readInstant(fields) ?? defaultNow;
  const name = fields.text("name");
  fields.finish("a test");
  if (!client) return undefined;
  if (connect && (client.attrs || client.isSuperuser)) {
    fields.error("`attrs` and `superuser` are what authentication finds out: leave out `connect`");
  }
  const fallback = request ? `${request.action.type} ${request.topics.join(", ")}` : "connect";
  return {
    name: name ?? `${client.clientId}: ${fallback}`,
    at: fields.at,
    client,
    nowMs,
    connect,
    request,
  };
}

function readClientOf(
  fields: Fields,
  clients: ReadonlyMap<string, TestClient>,
): TestClient | undefined {
  const node = fields.node("client");
  if (node?.kind === "object") {
    const inner = fields.object("client");
    return inner && readClient(inner);
  }
  const name = fields.text("client");
  const found = name === undefined ? undefined : clients.get(name);
  if (found) return found;
  const known = [...clients.keys()].map((one) => `\`${one}\``).join(", ");
  const message =
    name === undefined
      ? "whose test is this? add `client`: a name from `clients`, or an object with `clientid`"
      : `there is no client \`${name}\`${known ? `, only ${known}` : ": add it to `clients`"}`;
  fields.error(message, fields.placeOf("client"));
  return undefined;
}

function readClient(fields: Fields): TestClient {
  const clientId = fields.text("clientid");
  if (clientId === undefined) fields.error("a client has a `clientid`");
  const token = fields.node("token");
  const raw = token && token.kind !== "object" ? fields.text("token") : undefined;
  const claims =
    token?.kind === "object" ? (fields.json("token") as TestClient["claims"]) : undefined;
  const password = fields.text("password");
  if (token && password !== undefined) fields.error("give `token` or `password`, not both");
  const client: TestClient = {
    clientId: clientId ?? "",
    username: fields.text("username"),
    password: raw ?? password,
    claims,
    attrs: fields.record("attrs"),
    isSuperuser: fields.flag("superuser") ?? false,
    peerHost: fields.text("peerhost"),
    listener: fields.text("listener"),
    certCommonName: fields.text("cn"),
    certSubject: fields.text("dn"),
    userProperties: fields.record("user_properties"),
  };
  if (token && (client.attrs || client.isSuperuser)) {
    fields.error(
      "with a token, attributes come from authentication: leave out `attrs` and `superuser`",
    );
  }
  fields.finish("a client");
  return client;
}

function readConnect(fields: Fields): ConnectExpectation | undefined {
  const node = fields.node("connect");
  if (!node) return undefined;
  if (node.kind !== "object") {
    const verdict = fields.choice("connect", VERDICTS);
    return (
      verdict && { verdict, reason: undefined, by: undefined, code: undefined, attrs: undefined }
    );
  }
  const inner = fields.object("connect");
  const verdict = inner?.choice("expect", VERDICTS);
  if (!inner) return undefined;
  const { reason, by } = { reason: inner.text("reason"), by: inner.text("by") };
  const code = inner.integer("code", 0x80, 0xff);
  const attrs = inner.record("attrs");
  inner.finish("`connect`");
  if (!verdict) inner.error("what is to be expected? add `expect`: allow or deny");
  return verdict && { verdict, reason, by, code, attrs };
}

function readRequest(
  fields: Fields,
  connect: ConnectExpectation | undefined,
): TestRequest | undefined {
  const published = fields.texts("publish");
  const subscribed = fields.texts("subscribe");
  const verdict = fields.choice("expect", VERDICTS);
  const qos = (fields.integer("qos", 0, 2) ?? 0) as 0 | 1 | 2;
  const retain = fields.flag("retain") ?? false;
  const request = {
    rule: fields.integer("rule", 1, 1_000_000),
    line: fields.integer("line", 1, 100_000_000),
    reason: fields.text("reason"),
    by: fields.text("by"),
  };
  const topics = published ?? subscribed;
  if (published && subscribed) fields.error("a test asks for `publish` or `subscribe`, not both");
  if (!topics) {
    if (!connect) fields.error("what is tested? write publish, subscribe or connect");
    else if (verdict)
      fields.error(
        "`expect` is about publish or subscribe; what connecting gives stands in `connect`",
      );
    return undefined;
  }
  if (connect?.verdict === "deny") fields.error("who is refused at connect can ask for nothing");
  if (!verdict) {
    fields.error("what is to be expected? add `expect`: allow or deny");
    return undefined;
  }
  const action: Action = published ? { type: "publish", qos, retain } : { type: "subscribe", qos };
  return { action, topics, verdict, ...request };
}

/** `now`: ISO 8601, or ms since the epoch. */
function readInstant(fields: Fields): number | undefined {
  const text = fields.text("now");
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isFinite(value)) return value;
  fields.error("`now` is a time such as 2026-01-31T12:00:00Z", fields.placeOf("now"));
  return undefined;
}
