/**
 * Configuration → policy image: compiles every expression and rule of a checked configuration and
 * packs them with the run-time configuration, so that an edge host needs the image alone.
 */
import { ENTRY_EXPRESSION, ENTRY_META, ENTRY_RULES, ENTRY_SOURCE_MAP } from "../../assembly/abi.ts";
import type {
  AuthenticatorConfig,
  Config,
  FileSourceConfig,
  Located,
  SourceConfig,
} from "../config/config.ts";
import { withoutSecrets } from "../config/secrets.ts";
import { ConfigError, type Issue } from "../errors.ts";
import type { PolicyMeta } from "../policy-meta.ts";
import { encodeUtf8 } from "../text.ts";
import { accessRuleIssues } from "./access-rules.ts";
import { readAcl } from "./acl/index.ts";
import { compileExpression, type ExpressionPlace } from "./expr/index.ts";
import { type ImageEntry, packImage } from "./image.ts";
import type { Rule } from "./rule/ast.ts";
import { compileRulePieces } from "./rule/compile.ts";
import { patternValidator } from "./rule/pattern.ts";
import { compileSourceMap } from "./source-map.ts";
import { coreSwitches } from "./switches.ts";
import { placeholderIssues } from "./template-check.ts";

export interface CompileOptions {
  /** Put the secrets of authenticators into the image. Off: the engine is given them when it loads the image. */
  readonly withSecrets?: boolean | undefined;
  /** Keep the private keys of listeners: for a broker in this process. No other host needs them. */
  readonly withListenerKeys?: boolean | undefined;
}

export interface CompiledPolicy {
  readonly image: Uint8Array<ArrayBuffer>;
  /** Warnings; errors are thrown. */
  readonly issues: readonly Issue[];
  readonly rules: readonly Rule[];
}

/** Compiles a configuration. Throws ConfigError with every issue of every expression and rule. */
export function compilePolicy(config: Config, options: CompileOptions = {}): CompiledPolicy {
  const issues: Issue[] = [];
  const entries: ImageEntry[] = [];
  const programs: Record<string, number> = {};

  for (const { path, source, place } of expressionsOf(config)) {
    const compiled = compileExpression(source, { switches: config.switches, place, path });
    issues.push(...compiled.issues);
    if (!compiled.blob) continue;
    const id = entries.length;
    programs[path] = id;
    entries.push({ kind: ENTRY_EXPRESSION, id, blob: compiled.blob });
  }

  issues.push(...placeholderIssues(config), ...accessRuleIssues(config));

  let rules: readonly Rule[] = [];
  const source = config.authorization.sources.find(isEnabledFile);
  if (source) {
    const read = readAcl(source.text, {
      file: source.path,
      switches: config.switches,
      securityProfile: config.securityProfile,
      validatePattern: patternValidator(),
    });
    issues.push(...read.issues);
    rules = read.rules;
    if (!hasErrors(read.issues)) {
      const compiled = compileRulePieces(rules, { switches: config.switches, file: source.path });
      issues.push(...compiled.issues);
      entries.push({ kind: ENTRY_RULES, id: 0, blob: compiled.blob });
    }
  }
  if (hasErrors(issues)) throw new ConfigError(issues);

  const meta: PolicyMeta = {
    config: portableConfig(config, options),
    programs,
  };
  entries.push({ kind: ENTRY_META, id: 0, blob: json(meta) });
  entries.push({ kind: ENTRY_SOURCE_MAP, id: 0, blob: compileSourceMap(rules) });
  return { image: packImage(entries, coreSwitches(config.switches)), issues, rules };
}

interface PlacedExpression {
  readonly path: string;
  readonly source: Located;
  readonly place: ExpressionPlace;
}

/** Every expression of a configuration with its configuration path, in order of evaluation. */
function* expressionsOf(config: Config): Generator<PlacedExpression> {
  for (const [index, { expression }] of config.mqtt.clientAttrsInit.entries()) {
    const path = `mqtt.client_attrs_init[${index + 1}].expression`;
    yield { path, source: expression, place: "client_attrs" };
  }
  if (config.mqtt.clientIdOverride) {
    const source = config.mqtt.clientIdOverride;
    yield { path: "mqtt.clientid_override", source, place: "clientid_override" };
  }
  for (const authenticator of allAuthenticators(config)) {
    const { path, precondition } = authenticator;
    if (precondition) {
      yield { path: `${path}.precondition`, source: precondition, place: "precondition" };
    }
    if (authenticator.mechanism !== "cinfo") continue;
    for (const [index, check] of authenticator.checks.entries()) {
      for (const [part, source] of check.isMatch.entries()) {
        yield {
          path: `${path}.checks[${index + 1}].is_match[${part + 1}]`,
          source,
          place: "cinfo",
        };
      }
    }
  }
}

/** The authenticators of the global chain and of every listener's own. */
function allAuthenticators(config: Config): AuthenticatorConfig[] {
  return [
    ...config.authentication,
    ...config.listeners.flatMap((listener) => listener.authentication ?? []),
  ];
}

/** The configuration as it goes into an image: no rule text, and no secrets unless asked for. */
function portableConfig(config: Config, { withSecrets, withListenerKeys }: CompileOptions): Config {
  const strip = (chain: readonly AuthenticatorConfig[]): AuthenticatorConfig[] =>
    chain.map((one) => (withSecrets ? one : withoutSecrets(one)));
  return {
    ...config,
    authentication: strip(config.authentication),
    listeners: config.listeners.map(({ tls, authentication, ...listener }) => ({
      ...listener,
      ...(tls && withListenerKeys && { tls }),
      ...(authentication && { authentication: strip(authentication) }),
    })),
    authorization: {
      ...config.authorization,
      sources: config.authorization.sources.map((source) =>
        source.type === "file" ? { ...source, text: "" } : source,
      ),
    },
  };
}

function isEnabledFile(source: SourceConfig): source is FileSourceConfig {
  return source.type === "file" && source.enable;
}

function hasErrors(issues: readonly Issue[]): boolean {
  return issues.some((issue) => issue.severity === "error");
}

function json(value: unknown): Uint8Array {
  return encodeUtf8(JSON.stringify(value));
}
