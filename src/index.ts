/** The public API: re-exports only. */
export {
  type CompiledPolicy,
  type CompileOptions,
  compilePolicy,
} from "./compile/policy.ts";
export {
  type Preset,
  resolveSwitches,
  SWITCHES,
  type Switches,
} from "./config/compatibility.ts";
export type { Config } from "./config/config.ts";
export { type LoadOptions, loadConfig } from "./config/load.ts";
export type { SwitchName } from "./config/switch-names.ts";
export { withoutExchange } from "./connect/exchange.ts";
export { createJoseCrypto } from "./crypto/jose.ts";
export { type ConnectOptions, createEngine, type Engine, type EngineOptions } from "./engine.ts";
export {
  ConfigError,
  CoreError,
  EngineError,
  formatIssue,
  type Issue,
  UsageError,
} from "./errors.ts";
export type { Trace, TraceStep } from "./observe/trace.ts";
export type { Ports } from "./ports/ports.ts";
export type {
  Action,
  ClientInfo,
  ConnectAllowed,
  ConnectAnswer,
  ConnectCode,
  ConnectDecision,
  ConnectDenied,
  Continued,
  Decision,
  Exchange,
  Fault,
  Reason,
  ReauthAllowed,
  ReauthAnswer,
  RuleReference,
  Session,
  SourcePosition,
  Text,
  Verdict,
} from "./types.ts";
