/**
 * The expressions of a CONNECT with the value of every part, for `portcullis explain`: attributes,
 * the client id override, preconditions and checks, each over what it sees in the pipeline.
 */
import { createBatchContext } from "../batch/context.ts";
import type { ExpressionPlace } from "../compile/expr/index.ts";
import type { AuthenticatorConfig, Located } from "../config/config.ts";
import { initClientAttrs } from "../connect/client-attrs.ts";
import { overrideClientId } from "../connect/client-id-override.ts";
import { connectFields } from "../connect/fields.ts";
import { resolveIdentity } from "../connect/identity.ts";
import { loadModule } from "../core/module.ts";
import { encodeRequest, type RequestFields } from "../core/request.ts";
import type { Engine } from "../engine.ts";
import { CoreError } from "../errors.ts";
import type { LoadedPolicy } from "../policy.ts";
import type { ClientInfo } from "../types.ts";
import { type ExpressionTrace, traceExpression } from "./expression-trace.ts";
import type { TraceStep } from "./trace.ts";

/** An expression, and the step of the explanation that it belongs to. */
export interface PlacedTrace {
  readonly stage: TraceStep["stage"];
  readonly at: string;
  /** Configuration path. */
  readonly path: string;
  /** What it decides, in words: `check 1, deny when true`. */
  readonly purpose: string;
  readonly trace: ExpressionTrace;
}

interface PlacedExpression extends Omit<PlacedTrace, "trace"> {
  readonly source: Located;
  readonly place: ExpressionPlace;
  readonly fields: RequestFields;
}

/**
 * Every expression that a CONNECT through this listener may meet, in order. None for a client that is
 * refused before: for its id, or because it does not fit into the core.
 */
export async function traceConnect(engine: Engine, client: ClientInfo): Promise<PlacedTrace[]> {
  const { policy } = engine;
  const { switches } = policy.config;
  const { memory } = createBatchContext({
    module: await loadModule(),
    switches,
    ports: policy.ports,
  });
  try {
    return expressionsOf(policy, client).map(({ source, place, fields, ...placed }) => {
      const trace = traceExpression(source, { memory, switches, place, fields, path: placed.path });
      return { ...placed, trace };
    });
  } catch (error) {
    if (error instanceof CoreError) return [];
    throw error;
  }
}

function expressionsOf(policy: LoadedPolicy, client: ClientInfo): PlacedExpression[] {
  const { config, memory } = policy;
  const { mqtt, switches } = config;
  const { randomBytes } = policy.ports;
  const identity = resolveIdentity(client, { mqtt, switches, randomBytes });
  if ("reason" in identity) return [];
  const listener = policy.listener(client.listener);
  const before = connectFields(client, identity, listener, switches);
  const out: PlacedExpression[] = mqtt.clientAttrsInit.map(({ expression, setAsAttr }, index) => ({
    stage: "client_attrs",
    at: setAsAttr,
    path: `mqtt.client_attrs_init[${index + 1}].expression`,
    purpose: `client_attrs.${setAsAttr} is`,
    source: expression,
    place: "client_attrs",
    fields: before,
  }));
  const withAttrs = unlessGivenUp(() => {
    encodeRequest(memory, before);
    return { ...before, clientAttrs: initClientAttrs(memory, policy.attributeInits) };
  });
  if (!withAttrs) return out;
  let fields: RequestFields | undefined = withAttrs;
  const path = "mqtt.clientid_override";
  if (mqtt.clientIdOverride) {
    fields = unlessGivenUp(() => {
      const isChecked = switches.client_id_override_checked;
      const result = overrideClientId(memory, policy.program(path), withAttrs, isChecked);
      return "clientId" in result ? { ...withAttrs, clientId: result.clientId } : withAttrs;
    });
    out.push({
      stage: "identity",
      at: path,
      path,
      purpose: "the client id is",
      source: mqtt.clientIdOverride,
      place: "clientid_override",
      fields: withAttrs,
    });
  }
  if (!fields) return out;
  const seen = fields;
  const chain = listener?.authentication ?? config.authentication;
  return [...out, ...chain.filter(({ enable }) => enable).flatMap((one) => checksOf(one, seen))];
}

/** Undefined where the engine refuses the client: nothing behind that is ever asked. */
function unlessGivenUp<T>(evaluate: () => T): T | undefined {
  try {
    return evaluate();
  } catch (error) {
    if (error instanceof CoreError) return undefined;
    throw error;
  }
}

function checksOf(one: AuthenticatorConfig, fields: RequestFields): PlacedExpression[] {
  const common = { stage: "authentication", at: one.id, fields } as const;
  const out: PlacedExpression[] = [];
  if (one.precondition) {
    const path = `${one.path}.precondition`;
    const purpose = "precondition, asked when true";
    out.push({ ...common, path, purpose, source: one.precondition, place: "precondition" });
  }
  if (one.mechanism !== "cinfo") return out;
  for (const [index, { isMatch, result }] of one.checks.entries()) {
    for (const [part, source] of isMatch.entries()) {
      out.push({
        ...common,
        path: `${one.path}.checks[${index + 1}].is_match[${part + 1}]`,
        purpose: `check ${index + 1}${isMatch.length > 1 ? `, part ${part + 1}` : ""}: ${result} when true`,
        source,
        place: "cinfo",
      });
    }
  }
  return out;
}
