/**
 * `portcullis batch`: one function a kind, from a line of JSON to a line of JSON. Every kind goes
 * through the code and the core that the broker uses.
 */
import type { AuthnRequest } from "../authn/authenticator.ts";
import { compileExpression } from "../compile/expr/index.ts";
import { type Preset, resolveSwitches } from "../config/compatibility.ts";
import { aclReader } from "../connect/acl-reader.ts";
import { checkPrecondition as isPreconditionMet } from "../connect/chains.ts";
import { connectFields } from "../connect/fields.ts";
import { loadModule } from "../core/module.ts";
import type { Crypto } from "../crypto/crypto.ts";
import { isJsonObject, type JsonObject, parseJson } from "../json/parse.ts";
import type { PasswordPrimitives } from "../ports/password-primitives.ts";
import type { Ports } from "../ports/ports.ts";
import type { AuthnBatchPorts } from "./authn.ts";
import { answerAuthnChain } from "./authn-chain.ts";
import { answerAuthzChain, answerAuthzRules, answerTokenRules } from "./authz.ts";
import { answerCinfo } from "./cinfo.ts";
import { answerClientAttrs } from "./client-attrs.ts";
import { type BatchContext, createBatchContext, loadExpressions } from "./context.ts";
import { answerJwtAcl } from "./jwt-acl.ts";
import { answerJwtVerify } from "./jwt-verify.ts";
import { answerPasswordHash, type PasswordLine } from "./password-hash.ts";
import { answerTemplate, type TemplateLine } from "./template.ts";
import { TermError } from "./terms.ts";
import { answerTopicMatch, answerTopicParse, answerTopicSet } from "./topic.ts";
import { answerVariform } from "./variform.ts";

type Line = Readonly<Record<string, unknown>>;

/** Answers one line that has been read; JSON as JSON.parse gives it. */
type Answer = (line: Line, context: BatchRun) => object | Promise<object>;

interface BatchRun {
  readonly core: BatchContext;
  readonly authn: AuthnBatchPorts;
  readonly passwords: PasswordPrimitives | undefined;
  /** The line once more, read without losing digits and fractions. */
  readonly exact: JsonObject;
}

const ANSWERS = {
  variform: (line, { core }) => answerVariform(line, core),
  template: (line, { core }) => answerTemplate(line as unknown as TemplateLine, core.switches),
  client_attrs: (line, { core }) => answerClientAttrs(line, core),
  cinfo: (line, { core }) => answerCinfo(line, core),
  topic_match: (line, { core }) => answerTopicMatch(line, core.memory),
  topic_parse: (line) => answerTopicParse(line),
  topic_set: (line) => answerTopicSet(line),
  authz_rules: (line, { core }) => answerAuthzRules(line, core),
  authz_chain: (line, { core }) => answerAuthzChain(line, core),
  jwt_acl: (line, { core, authn, exact }) =>
    answerJwtAcl(exact, {
      ...authn,
      authorize: ({ acl, nowMs }) => answerTokenRules(acl, line, nowMs, core),
    }),
  password_hash: (line, { core, passwords }) =>
    answerPasswordHash(line as unknown as PasswordLine, {
      primitives: passwords,
      overlong: core.switches.overlong_bcrypt_passwords_fail ? "refuse" : "cut",
    }),
  jwt_verify: (_line, { authn, exact }) => answerJwtVerify(exact, authn),
  authn_chain: (_line, { core, authn, exact }) =>
    answerAuthnChain(exact, {
      preset: authn.preset,
      checkPrecondition: (expression, request) => checkPrecondition(expression, request, core),
    }),
} satisfies Record<string, Answer>;

export type BatchKind = keyof typeof ANSWERS;

/** Every kind there is. */
export const BATCH_KINDS: readonly BatchKind[] = Object.keys(ANSWERS) as BatchKind[];

export interface BatchOptions {
  readonly preset: Preset;
  readonly crypto: Crypto;
  readonly ports: Ports;
}

/**
 * A function that answers lines of this kind, one after the other. A line that cannot be read gets
 * `{"id":…,"error":{"code":…}}`; nothing is thrown for what a line holds.
 */
export async function createBatch(
  kind: BatchKind,
  { preset, crypto, ports }: BatchOptions,
): Promise<(line: string) => Promise<string>> {
  const switches = resolveSwitches(preset);
  const core = createBatchContext({ module: await loadModule(), switches, ports });
  const authn: AuthnBatchPorts = {
    preset,
    crypto,
    readAcl: aclReader(switches),
  };
  const answer: Answer = ANSWERS[kind];
  return async (text) => {
    const read = parseJson(text);
    const exact = read.ok && isJsonObject(read.value) ? read.value : undefined;
    if (!exact) return failure(undefined, "ERR_BATCH_JSON", "the line is not a JSON object");
    const line = JSON.parse(text) as Line;
    try {
      return JSON.stringify({
        id: line.id,
        ...(await answer(line, { core, authn, passwords: ports.passwords, exact })),
      });
    } catch (error) {
      // Whatever a line holds, the run goes on; what it lacked shows as a TypeError here.
      const code = error instanceof TermError ? "ERR_BATCH_VALUE" : "ERR_BATCH_LINE";
      return failure(line.id, code, error instanceof Error ? error.message : String(error));
    }
  };
}

function failure(id: unknown, code: string, message: string): string {
  return JSON.stringify({ id: id ?? null, error: { code, message } });
}

function checkPrecondition(
  expression: string,
  { client, clientAttrs }: AuthnRequest,
  core: BatchContext,
): boolean | "error" {
  const { switches, memory } = core;
  const { blob } = compileExpression({ value: expression }, { switches, place: "precondition" });
  if (!blob) return "error";
  loadExpressions(core, [blob]);
  const identity = { clientId: client.clientId, username: client.username, isGenerated: false };
  const fields = connectFields(client, identity, undefined, switches);
  return isPreconditionMet(memory, 0, { ...fields, clientAttrs });
}
