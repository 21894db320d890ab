/** The root keys: those that are read, and those of EMQX that are not. */

import { chain } from "./authn.ts";
import { authorization } from "./authz.ts";
import { type Keys, key, object, withoutEffect } from "./keys.ts";
import { listeners } from "./listeners.ts";
import { mqtt } from "./mqtt.ts";
import { portcullis } from "./portcullis.ts";
import { boolean, type Spec } from "./spec.ts";

const SETTINGS_KEYS = {
  ignore_backend_failures: key(boolean(), false, "an authenticator that fails is skipped"),
  node_cache: withoutEffect("no answers of backends are kept"),
} satisfies Keys;

const authenticationSettings = object(SETTINGS_KEYS);

/** Every root key that is read, with what it holds. */
export const ROOTS = {
  authentication: chain,
  authentication_settings: authenticationSettings,
  authorization,
  listeners,
  mqtt,
  portcullis,
} as const satisfies Readonly<Record<string, Spec<unknown>>>;

/**
 * Root keys of EMQX that are not read, with what that means where it matters for who gets in.
 * The empty text: nothing to do with access control.
 */
export const UNREAD_ROOTS: Readonly<Record<string, string>> = {
  actions: "",
  ai: "",
  alarm: "",
  api_key: "",
  auto_subscribe: "clients get no subscriptions of themselves",
  banned: "nobody is banned",
  bridges: "",
  broker: "",
  cluster: "",
  conn_congestion: "",
  connectors: "",
  crl_cache: "",
  dashboard: "",
  delayed: "",
  durable_sessions: "",
  durable_storage: "",
  event_message: "",
  exhook: "extensions are not asked",
  file_transfer: "",
  flapping_detect: "clients that come and go are not banned",
  force_gc: "",
  force_shutdown: "",
  gateway: "",
  gcp_device: "",
  license: "",
  limiter: "rates are not limited",
  log: "",
  message_transformation: "",
  mq: "",
  multi_tenancy: "tenants are not supported",
  node: "",
  opentelemetry: "",
  overload_protection: "",
  persistent_session_store: "",
  plugins: "",
  prometheus: "",
  psk_authentication: "TLS-PSK is not supported",
  resource_opts: "",
  retainer: "",
  rewrite: "topics are not rewritten",
  rpc: "",
  rule_engine: "",
  schema_registry: "",
  schema_validation: "",
  session_persistence: "",
  slow_subs: "",
  sources: "",
  stats: "",
  statsd: "",
  streams: "",
  sys_mon: "",
  sys_topics: "",
  sysmon: "",
  tcp_keepalive: "",
  telemetry: "",
  topic_metrics: "",
  trace: "",
  zones: "settings per zone have no effect, those of `mqtt` apply everywhere",
};
