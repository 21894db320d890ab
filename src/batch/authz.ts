/** `batch authz_rules`, `authz_chain` and the authorization of `jwt_acl`. */
import { ENTRY_RULES } from "../../assembly/abi.ts";
import type { AclClaim } from "../authn/authenticator.ts";
import { type AuthzSource, decideSources, type SourceResult } from "../authz/chain.ts";
import { readAddress } from "../compile/acl/address.ts";
import { readAcl, readTokenAcl, type TokenAcl } from "../compile/acl/index.ts";
import { packImage } from "../compile/image.ts";
import type { Rule } from "../compile/rule/ast.ts";
import { compileRules } from "../compile/rule/compile.ts";
import { validatePattern } from "../compile/rule/pattern.ts";
import { coreSwitches } from "../compile/switches.ts";
import type { Switches } from "../config/compatibility.ts";
import type { SecurityProfile } from "../config/config.ts";
import { failureDenies, tokenRulesOf } from "../connect/token-rules.ts";
import type { RuleAnswer } from "../core/core.ts";
import type { FieldValue, RequestFields } from "../core/request.ts";
import { actionBit, decide, openClient } from "../core/rules.ts";
import { type CoreMemory, loadImage } from "../core/wasm.ts";
import type { Action, Text } from "../types.ts";
import { decodeText, TermError } from "./terms.ts";

type Line = Readonly<Record<string, unknown>>;

export interface AuthzBatchContext {
  readonly memory: CoreMemory;
  readonly switches: Switches;
}

/** `{acl, client, action, topic, security_profile?}` → `{result}` or `{load_error}`. */
export function answerAuthzRules(line: Line, context: AuthzBatchContext): object {
  const securityProfile = profileOf(line);
  const rules = readRules(decodeText(line.acl), securityProfile, context.switches);
  if (typeof rules === "string") return { load_error: rules };
  const { verdict } = ask(rules, questionOf(line), context);
  return { result: verdict === "no_match" ? "nomatch" : raised(verdict) };
}

/** `{sources, client, client_acl?, action, topic, no_match, security_profile}` → `{result, from}`. */
export function answerAuthzChain(line: Line, context: AuthzBatchContext): object {
  const { switches } = context;
  const securityProfile = profileOf(line);
  const question = questionOf(line);
  const sources: AuthzSource[] = [];
  const preset = readTokenAcl(line.client_acl ?? undefined, {
    switches,
    validatePattern,
  });
  sources.push({ name: "client_info", check: () => askPreset(preset, question, context) });
  for (const given of listOf(line.sources)) {
    if (given.enable === false) continue;
    const name = String(given.type);
    sources.push({ name, check: () => askSource(given, securityProfile, question, context) });
  }
  const { verdict, by } = decideSources(sources, {
    isSuperuser: (line.client as Line).is_superuser === true,
    noMatch: line.no_match === "allow" ? "allow" : "deny",
    failureDenies: failureDenies({ switches, securityProfile, ignoreBackendFailures: false }),
  });
  return { result: verdict, from: by };
}

/** The verdict of a token's own rules alone, as `jwt_acl` records it. */
export function answerTokenRules(
  acl: AclClaim | undefined,
  line: Line,
  nowMs: number,
  context: AuthzBatchContext,
): string {
  const preset = (acl?.rules as TokenAcl | undefined) ?? { type: "none" };
  const securityProfile = profileOf(line);
  const config = { switches: context.switches, securityProfile, ignoreBackendFailures: false };
  const { expireAtMs } = tokenRulesOf(acl, config) ?? {};
  if (expireAtMs !== undefined && nowMs > expireAtMs) return "deny";
  const result = askPreset(preset, questionOf(line), context);
  if (result !== "failure") return result;
  return failureDenies(config) ? "deny" : "ignore";
}

interface Question {
  readonly fields: RequestFields;
  readonly action: Action;
  readonly topic: Text;
}

function questionOf(line: Line): Question {
  return {
    fields: fieldsOf(line.client as Line),
    action: line.action as Action,
    topic: decodeText(line.topic),
  };
}

function profileOf({ security_profile }: Line): SecurityProfile {
  return security_profile === "hardened" ? "hardened" : "legacy";
}

function listOf(value: unknown): readonly Line[] {
  return Array.isArray(value) ? (value as Line[]) : [];
}

/** The rules, or the code of the first error. */
function readRules(
  text: Text,
  securityProfile: SecurityProfile,
  switches: Switches,
): readonly Rule[] | string {
  const { rules, issues } = readAcl(text, {
    file: "acl.conf",
    switches,
    securityProfile,
    validatePattern,
  });
  return issues.find(({ severity }) => severity === "error")?.code ?? rules;
}

function ask(rules: readonly Rule[], question: Question, context: AuthzBatchContext): RuleAnswer {
  const { memory, switches } = context;
  const { blob, issues } = compileRules(rules, { switches });
  const [error] = issues.filter(({ severity }) => severity === "error");
  if (error) throw new TermError(error.message);
  loadImage(memory, packImage([{ kind: ENTRY_RULES, id: 0, blob }], coreSwitches(switches)));
  const handle = openClient(memory, question.fields);
  return decide(memory, handle, actionBit(question.action), question.topic);
}

function askPreset(preset: TokenAcl, question: Question, context: AuthzBatchContext): SourceResult {
  if (preset.type === "none") return "ignore";
  if (preset.type !== "rules") return "failure";
  const { verdict } = ask(preset.rules, question, context);
  if (verdict === "failed") return "failure";
  if (verdict !== "no_match") return verdict;
  return preset.otherwise === "no_match" ? "nomatch" : preset.otherwise;
}

/** A scripted source, or the rules of a file. */
function askSource(
  given: Line,
  securityProfile: SecurityProfile,
  question: Question,
  context: AuthzBatchContext,
): SourceResult {
  if (given.acl !== undefined) {
    const rules = readRules(decodeText(given.acl), securityProfile, context.switches);
    if (typeof rules === "string") throw new TermError(rules);
    const { verdict } = ask(rules, question, context);
    if (verdict === "failed") return "failure";
    return verdict === "no_match" ? "nomatch" : verdict;
  }
  switch (given.r) {
    case "allow":
    case "deny":
    case "nomatch":
    case "ignore":
      return given.r;
    case "matched_ignore":
      return "ignore";
    default:
      return "failure";
  }
}

/** What the reference calls a rule whose evaluation raised. */
function raised(verdict: RuleAnswer["verdict"]): string {
  return verdict === "failed" ? "exception" : verdict;
}

/** The recorded client as a request; a top-level null is present without a value. */
function fieldsOf(client: Line): RequestFields {
  const text = (value: unknown): FieldValue => {
    if (value === undefined || value === null) return value;
    return decodeText(value);
  };
  const { peerhost, client_attrs: attrs } = client;
  return {
    clientId: text(client.clientid),
    username: text(client.username),
    zone: text(client.zone),
    listener: text(client.listener),
    certCommonName: text(client.cn),
    certSubject: text(client.dn),
    peerHost:
      typeof peerhost === "string" ? (readAddress(peerhost, { standard: true }) ?? null) : null,
    clientAttrs: attrs
      ? Object.entries(attrs).map(([name, value]) => [name, text(value)] as const)
      : undefined,
  };
}
