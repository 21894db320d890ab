/** The front door: configuration text in, checked `Config` out. */
import { PASSWORD_CHECKS_WAITING_MAX } from "../../assembly/abi.ts";
import { ConfigError, type Issue } from "../errors.ts";
import type { SourcePosition } from "../types.ts";
import { type Preset, resolveSwitches, type Switches } from "./compatibility.ts";
import type { Config, SecurityProfile } from "./config.ts";
import { applyEnvironment } from "./env.ts";
import { type HoconNode, type HoconObject, parseHocon, type ReadText } from "./hocon/index.ts";
import { IssueList } from "./issues.ts";
import { spellingHint } from "./nearest.ts";
import { type PortcullisConfig, portcullis } from "./schema/portcullis.ts";
import { ROOTS, UNREAD_ROOTS } from "./schema/roots.ts";
import type { LoadContext, Spec } from "./schema/spec.ts";

export interface LoadOptions {
  readonly text: string;
  /** Name of the file, for messages and for the paths in it. */
  readonly file: string;
  /** Text of an included file. Without it every include is a missing file. */
  readonly readInclude?: ReadText | undefined;
  /** Text of a file that a setting names: rules, keys, secrets. */
  readonly readFile?: ReadText | undefined;
  /** The process's environment; `EMQX_…` variables override the file. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Goes before `portcullis.compatibility` of the file. */
  readonly preset?: Preset | undefined;
}

/**
 * Reads, checks and completes a configuration. Returns it with its warnings; throws ConfigError
 * with every issue when any is an error. The texts of expressions, templates and rules are carried
 * with their places, and checked where they are compiled.
 *
 * Source: authentication §7.
 */
export function loadConfig(options: LoadOptions): { config: Config; issues: Issue[] } {
  const env = options.env ?? {};
  const { document, load } = readDocument(options, env);
  const { issues } = load;
  failOnErrors(issues);
  checkRoots(document, load);
  const read = <V>(name: string, spec: Spec<V>): V | undefined =>
    spec.read(rootValue(document, name), { path: name, load });
  const authentication = isWritten(document, "authentication")
    ? read("authentication", ROOTS.authentication)
    : [];
  const settings = read("authentication_settings", ROOTS.authentication_settings);
  const authorization = read("authorization", ROOTS.authorization);
  const mqtt = read("mqtt", ROOTS.mqtt);
  const listeners = read("listeners", ROOTS.listeners);
  const own = read("portcullis", ROOTS.portcullis);
  failOnErrors(issues);
  if (!authentication || !settings || !authorization || !mqtt || !listeners || !own) {
    // Each reader reports what it refuses, so this cannot be reached; refuse rather than guess.
    throw new ConfigError([
      { severity: "error", code: "ERR_CONFIG", path: "", message: "configuration refused" },
    ]);
  }
  const config: Config = {
    preset: load.preset,
    switches: load.switches,
    securityProfile: load.securityProfile,
    authentication,
    authenticationSettings: { ignoreBackendFailures: settings.ignore_backend_failures },
    allowAnonymous: own.allowAnonymous,
    onPolicyChange: own.onPolicyChange,
    unverifiedClientAttrs: own.unverifiedClientAttrs,
    refusalReasonString: own.refusalReasonString,
    dataDir: own.dataDir,
    passwordChecksWaitingMax: own.passwordChecksWaitingMax,
    authorization,
    mqtt,
    listeners,
  };
  warnOfOpenDoors(config, issues, options.file);
  return { config, issues: issues.all() };
}

/**
 * The document with environment overrides, and the switches that it asks for. One switch changes
 * how text is read, so a document that asks for the other way is read again.
 */
function readDocument(
  options: LoadOptions,
  env: Readonly<Record<string, string>>,
): { document: HoconObject; load: LoadContext } {
  const first = readOnce(options, env, resolveSwitches(options.preset ?? "strict"));
  const wanted = first.load.switches.unicode_escapes;
  if (wanted === resolveSwitches(options.preset ?? "strict").unicode_escapes) return first;
  return readOnce(options, env, first.load.switches);
}

function readOnce(
  options: LoadOptions,
  env: Readonly<Record<string, string>>,
  assumed: Switches,
): { document: HoconObject; load: LoadContext } {
  const { text, file, readInclude } = options;
  const issues = new IssueList();
  const unicodeEscapes = assumed.unicode_escapes;
  const parsed = parseHocon({ text, file, readInclude, unicodeEscapes });
  for (const issue of parsed.issues) issues.add(issue);
  const document = applyEnvironment(parsed.root, env, { issues, unicodeEscapes });
  const securityProfile = readProfile(env, issues);
  const own = peekOwn(document, file);
  const preset = options.preset ?? own.compatibility;
  const switches = resolveSwitches(preset, own.switches);
  const readFile = options.readFile ?? (() => undefined);
  return { document, load: { issues, preset, switches, securityProfile, env, file, readFile } };
}

/** Our own root key, read ahead of the rest because it decides how the rest is read. */
function peekOwn(document: HoconObject, file: string): PortcullisConfig {
  const load: LoadContext = {
    issues: new IssueList(),
    preset: "strict",
    switches: resolveSwitches("strict"),
    securityProfile: "legacy",
    env: {},
    file,
    readFile: () => undefined,
  };
  const own = portcullis.read(rootValue(document, "portcullis"), { path: "portcullis", load });
  return own ?? NOTHING_OF_OUR_OWN;
}

const NOTHING_OF_OUR_OWN: PortcullisConfig = {
  compatibility: "strict",
  switches: {},
  allowAnonymous: false,
  onPolicyChange: "unsubscribe",
  unverifiedClientAttrs: "keep",
  refusalReasonString: false,
  dataDir: "data",
  passwordChecksWaitingMax: PASSWORD_CHECKS_WAITING_MAX,
};

/** Source: authentication §0.2. */
function readProfile(env: Readonly<Record<string, string>>, issues: IssueList): SecurityProfile {
  const value = Object.hasOwn(env, PROFILE_NAME) ? (env[PROFILE_NAME] as string) : "";
  if (value === "hardened") return "hardened";
  if (value !== "" && value !== "legacy") {
    issues.error(
      "ERR_CONFIG_VALUE",
      { file: `env:${PROFILE_NAME}`, line: 1, column: 1 },
      `expected \`legacy\` or \`hardened\`, found \`${value.slice(0, 60)}\``,
    );
  }
  return "legacy";
}

const PROFILE_NAME = "EMQX_SECURITY_PROFILE";

function rootValue(document: HoconObject, name: string): HoconNode {
  const value = document.members.get(name)?.value;
  if (value !== undefined && value.kind !== "null") return value;
  return { kind: "object", at: document.at, members: new Map() };
}

function isWritten(document: HoconObject, name: string): boolean {
  const value = document.members.get(name)?.value;
  return value !== undefined && value.kind !== "null";
}

/** Root keys that are not read: known ones of EMQX, and mistakes. */
function checkRoots(document: HoconObject, load: LoadContext): void {
  const { issues, switches } = load;
  for (const [name, member] of document.members) {
    if (Object.hasOwn(ROOTS, name)) continue;
    const at: SourcePosition = member.keyAt;
    const shown = name.slice(0, 60);
    if (Object.hasOwn(UNREAD_ROOTS, name)) {
      const meaning = UNREAD_ROOTS[name];
      const message = `\`${shown}\` has no effect here${meaning ? `: ${meaning}` : ""}`;
      issues.warning("WARN_CONFIG_UNSUPPORTED", at, message);
      continue;
    }
    const hint = spellingHint(name, Object.keys(ROOTS));
    if (switches.unknown_keys_are_errors) {
      issues.error("ERR_CONFIG_UNKNOWN_KEY", at, `there is no root key \`${shown}\``, { hint });
    } else {
      const message = `there is no root key \`${shown}\`: it is dropped, as by EMQX`;
      issues.warning("WARN_CONFIG_UNKNOWN_KEY", at, message, { hint });
    }
  }
}

/** What lets everybody in, or nobody. */
function warnOfOpenDoors(config: Config, issues: IssueList, file: string): void {
  const at = { file, line: 1, column: 1 };
  const chains = [
    config.authentication,
    ...config.listeners.map((one) => one.authentication ?? []),
  ];
  const hasAuthenticator = chains.some((chain) => chain.some((one) => one.enable));
  if (!hasAuthenticator) {
    const isOpen = config.switches.anonymous_refused
      ? config.allowAnonymous
      : config.securityProfile === "legacy";
    issues.warning(
      "WARN_CONFIG_NO_AUTHENTICATION",
      at,
      isOpen
        ? "no authenticator is enabled: every client is accepted"
        : "no authenticator is enabled: every client is refused",
      { path: "authentication" },
    );
  } else if (config.allowAnonymous) {
    issues.warning(
      "WARN_CONFIG_ANONYMOUS",
      at,
      "`allow_anonymous` lets everybody in wherever no authenticator is enabled",
      { path: "portcullis.allow_anonymous" },
    );
  }
  const hasSource = config.authorization.sources.some((one) => one.enable);
  if (!hasSource) {
    issues.warning(
      "WARN_CONFIG_NO_SOURCES",
      at,
      config.authorization.noMatch === "allow"
        ? "no rules are configured: clients may publish and subscribe to everything"
        : "no rules are configured: only superusers and tokens with rules of their own may do anything",
      { path: "authorization.sources" },
    );
  }
}

function failOnErrors(issues: IssueList): void {
  if (issues.hasErrors) throw new ConfigError(issues.all());
}
