/** `mqtt`. Source: authentication §1.3, §1.4; authorization §1.5; expressions §6.1. */
import type { MqttConfig } from "../config.ts";
import { type Keys, key, object, onlyAs, optional, required, withoutEffect } from "./keys.ts";
import {
  boolean,
  durationMs,
  integer,
  list,
  located,
  oneOf,
  orWord,
  type Spec,
  scalarText,
  size,
  text,
  wrong,
} from "./spec.ts";

/** Beyond this, timers of JavaScript hosts fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

const CLIENT_ATTR_KEYS = {
  expression: required(located("an expression"), "its result is the attribute's value"),
  set_as_attr: required(
    text({
      pattern: /^[A-Za-z0-9]+[A-Za-z0-9_-]*$/,
      expects: "an attribute name: letters, digits, `_` and `-`",
    }),
    "the attribute's name",
  ),
} satisfies Keys;

/** What EMQX's broker does with sessions and queues; access control has no part in it. */
const SESSION = withoutEffect("the broker has its own way with sessions and queues");

/** DER bytes are no UTF-8, which a client id has to be [MQTT5 3.1.3-4]. */
const certClientId: Spec<MqttConfig["peerCertAsClientId"]> = {
  ...oneOf(["disabled", "cn", "dn", "pem", "md5"]),
  read(node, place) {
    const words = oneOf(["disabled", "cn", "dn", "pem", "md5"]);
    if (scalarText(node) !== "crt") return words.read(node, place);
    const hint = "`md5` is as distinct, and short";
    return wrong(node, place, `${words.expects}: a client id has to be text`, hint);
  },
};

const MQTT_KEYS = {
  client_attrs_init: key(
    list(object(CLIENT_ATTR_KEYS, "an attribute: `{ expression = …, set_as_attr = … }`")),
    [],
    "attributes that expressions compute when a client connects",
  ),
  clientid_override: optional(
    located("an expression, or `disabled`", { mayBeEmpty: true }),
    "its result replaces the client id",
  ),
  use_username_as_clientid: key(boolean(), false, "the username replaces the client id"),
  peer_cert_as_username: key(
    oneOf(["disabled", "cn", "dn", "crt", "pem", "md5"]),
    "disabled",
    "what of the client's certificate replaces the username",
  ),
  peer_cert_as_clientid: key(
    certClientId,
    "disabled",
    "what of the client's certificate replaces the client id",
  ),
  namespace_as_mountpoint: onlyAs(false, "tenants are not supported"),
  max_clientid_len: key(integer(23, 65535), 65535, "longest client id, in bytes"),
  max_topic_levels: key(integer(1, 65535), 128, "most levels of a topic"),
  max_qos_allowed: key(integer(0, 2) as Spec<0 | 1 | 2>, 2, "highest QoS"),
  retain_available: key(boolean(), true, "retained messages are allowed"),
  wildcard_subscription: key(boolean(), true, "subscriptions with `+` and `#` are allowed"),
  shared_subscription: key(boolean(), true, "`$share/…` subscriptions are allowed"),
  exclusive_subscription: key(boolean(), false, "`$exclusive/…` subscriptions are allowed"),
  max_packet_size: key(size(1, 268_435_456), 1024 * 1024, "largest packet"),
  idle_timeout: key(
    orWord(durationMs(), { infinity: TIMER_MS_MAX }),
    15_000,
    "time from accept to CONNECT",
  ),
  strict_mode: key(boolean(), false, "texts of packets must be valid UTF-8"),
  await_rel_timeout: SESSION,
  ignore_loop_deliver: SESSION,
  keepalive_check_interval: SESSION,
  keepalive_multiplier: SESSION,
  max_awaiting_rel: SESSION,
  max_inflight: SESSION,
  max_mqueue_len: SESSION,
  max_subscriptions: withoutEffect("a client's subscriptions are not counted"),
  max_topic_alias: SESSION,
  message_expiry_interval: SESSION,
  mqueue_default_priority: SESSION,
  mqueue_priorities: SESSION,
  mqueue_store_qos0: SESSION,
  response_information: SESSION,
  retry_interval: SESSION,
  server_keepalive: SESSION,
  session_expiry_interval: SESSION,
  shared_subscription_initial_sticky_pick: SESSION,
  shared_subscription_strategy: SESSION,
  subscription_max_qos_rules: withoutEffect("`max_qos_allowed` is the only limit of QoS"),
  subscription_message_filter: onlyAs("disable", "a `?` is an ordinary character of a filter"),
  upgrade_qos: SESSION,
} satisfies Keys;

/** The root key `mqtt`. */
export const mqtt: Spec<MqttConfig> = {
  ...object(MQTT_KEYS),
  read(node, place) {
    const values = object(MQTT_KEYS).read(node, place);
    if (values === undefined) return undefined;
    const override = values.clientid_override;
    const isOff = override === undefined || override.value === "" || override.value === "disabled";
    return {
      clientAttrsInit: values.client_attrs_init.map((one) => ({
        expression: one.expression,
        setAsAttr: one.set_as_attr,
      })),
      clientIdOverride: isOff ? undefined : override,
      useUsernameAsClientId: values.use_username_as_clientid,
      peerCertAsUsername: values.peer_cert_as_username,
      peerCertAsClientId: values.peer_cert_as_clientid,
      maxClientIdLen: values.max_clientid_len,
      maxTopicLevels: values.max_topic_levels,
      maxQosAllowed: values.max_qos_allowed,
      retainAvailable: values.retain_available,
      wildcardSubscription: values.wildcard_subscription,
      sharedSubscription: values.shared_subscription,
      exclusiveSubscription: values.exclusive_subscription,
      maxPacketSizeBytes: values.max_packet_size,
      idleTimeoutMs: Math.min(values.idle_timeout, TIMER_MS_MAX),
      strictMode: values.strict_mode,
    };
  },
};
