/** `listeners`. Source: authentication §1.2, §1.6, §2.1, §7.5. */
import type { AuthenticatorConfig, ListenerConfig } from "../config.ts";
import type { HoconNode, HoconObject } from "../hocon/index.ts";
import { chain } from "./authn.ts";
import {
  type Keys,
  key,
  object,
  onlyAs,
  optional,
  readKeys,
  type Values,
  withoutEffect,
} from "./keys.ts";
import {
  boolean,
  integer,
  joinPath,
  type LoadContext,
  list,
  located,
  oneOf,
  orWord,
  type Place,
  type Spec,
  scalarText,
  text,
  wrong,
} from "./spec.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

const MQTT_PORT = 1883;

/** `1883`, `"0.0.0.0:1883"`, `"[::1]:1883"`, `"name:1883"`. */
const bind: Spec<Address> = {
  expects: 'a port or an address with a port: `1883`, `"127.0.0.1:1883"` or `"[::1]:1883"`',
  read(node, place) {
    const value = node.kind === "boolean" ? undefined : scalarText(node);
    const match = value === undefined ? null : ADDRESS.exec(value);
    const port = Number(match?.[2]);
    if (!match || !(port <= 65535)) return wrong(node, place, this.expects);
    const named = match[1]?.replace(/^\[|\]$/g, "");
    const host = named || defaultHost(place.load);
    if (host.includes(".") && /^[0-9.]+$/.test(host) && !isIpv4(host)) {
      return wrong(node, place, this.expects);
    }
    return { host, port };
  },
};

const ADDRESS = /^(?:(\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z][0-9A-Za-z.-]{0,252})?:)?([0-9]{1,5})$/;

function isIpv4(host: string): boolean {
  const parts = host.split(".");
  return parts.length === 4 && parts.every((part) => /^[0-9]{1,3}$/.test(part) && +part <= 255);
}

/** Where a port alone listens. */
function defaultHost(load: LoadContext): string {
  return load.securityProfile === "hardened" ? "127.0.0.1" : "0.0.0.0";
}

const enableAuthn: Spec<ListenerConfig["enableAuthn"]> = {
  expects: "`true`, `false` or `quick_deny_anonymous`",
  read(node, place) {
    const words = oneOf(["true", "false", "quick_deny_anonymous"]);
    const value = words.read(node, place);
    return value === "true" ? true : value === "false" ? false : value;
  },
};

/** Only the rule that lets every address in; others would have to be enforced. */
const accessRules: Spec<readonly "allow all"[]> = list({
  expects: '`"allow all"` (rules on addresses are not supported)',
  read(node, place) {
    const value = scalarText(node)?.trim();
    return value === "allow all" ? "allow all" : wrong(node, place, this.expects);
  },
});

const TRANSPORT = withoutEffect("sockets are the runtime's own");
const RATE = withoutEffect("rates are not limited");

const TCP_KEYS = {
  enable: key(boolean(), true, "a disabled listener does not listen", { aliases: ["enabled"] }),
  bind: key(
    bind,
    (load: LoadContext): Address => ({ host: defaultHost(load), port: MQTT_PORT }),
    "where it listens",
  ),
  zone: key(text(), "default", "the zone of its clients"),
  mountpoint: key(
    located("a text", { mayBeEmpty: true }),
    { value: "" },
    "prefix of every topic of its clients",
  ),
  enable_authn: key(enableAuthn, true, "whether its clients are authenticated"),
  max_connections: key(
    orWord(integer(1, Number.MAX_SAFE_INTEGER), { infinity: Number.MAX_SAFE_INTEGER }),
    Number.MAX_SAFE_INTEGER,
    "most clients at a time",
  ),
  authentication: optional(chain, "a chain of its own; replaces the global one"),
  access_rules: key(accessRules, [], "addresses that may connect"),
  proxy_protocol: onlyAs(false, "the PROXY protocol is not supported"),
  proxy_protocol_timeout: withoutEffect("the PROXY protocol is not supported"),
  acceptors: TRANSPORT,
  tcp_options: TRANSPORT,
  tcp_backend: TRANSPORT,
  parse_unit: TRANSPORT,
  enable_stats: TRANSPORT,
  nolinger: TRANSPORT,
  max_conn_rate: RATE,
  max_conn_burst: RATE,
  messages_rate: RATE,
  messages_burst: RATE,
  bytes_rate: RATE,
  bytes_burst: RATE,
  limiter: RATE,
} satisfies Keys;

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/** Other kinds of listeners EMQX has. */
const OTHER_TYPES = ["ssl", "ws", "wss", "quic"];

/** The root key `listeners`. `tcp:default` exists unless it is disabled. */
export const listeners: Spec<readonly ListenerConfig[]> = {
  expects: "an object: `listeners.tcp.NAME { bind = 1883 }`",
  keys: ["tcp", ...OTHER_TYPES],
  below: (type) =>
    type === "tcp"
      ? { ...object(TCP_KEYS), below: () => object(TCP_KEYS) }
      : OTHER_TYPES.includes(type)
        ? ANY
        : undefined,
  read(node, place) {
    if (node.kind !== "object") return wrong(node, place, this.expects);
    const table: Keys = Object.fromEntries(
      ["tcp", ...OTHER_TYPES].map((type) => [type, optional(ANY, "listeners by name")]),
    );
    let isGood = readKeys(node, table, place) !== undefined;
    warnOfOthers(node, place);
    const out: ListenerConfig[] = [];
    const tcp = node.members.get("tcp")?.value;
    const named = tcp?.kind === "object" ? tcp.members : new Map();
    if (tcp && tcp.kind !== "object" && tcp.kind !== "null") {
      wrong(tcp, { ...place, path: joinPath(place.path, "tcp") }, this.expects);
      isGood = false;
    }
    if (!named.has("default")) {
      const unwritten = readListener("default", emptyAt(node), place);
      if (unwritten) out.push(unwritten);
    }
    for (const [name, member] of named) {
      const listener = NAME.test(name)
        ? readListener(name, member.value, place)
        : reportName(name, member.keyAt, place);
      if (listener) out.push(listener);
      else isGood = false;
    }
    return isGood && areApart(out, node, place) ? out : undefined;
  },
};

const ANY: Spec<HoconNode> = { expects: "listeners by name", below: () => ANY, read: (n) => n };

function emptyAt(node: HoconNode): HoconObject {
  return { kind: "object", at: node.at, members: new Map() };
}

function reportName(name: string, at: HoconNode["at"], place: Place): undefined {
  place.load.issues.error(
    "ERR_CONFIG_VALUE",
    at,
    `\`${name.slice(0, 60)}\` cannot be the name of a listener`,
    { path: joinPath(place.path, "tcp"), hint: "use letters, digits, `_` and `-`" },
  );
}

function readListener(name: string, node: HoconNode, root: Place): ListenerConfig | undefined {
  const place = { ...root, path: joinPath(joinPath(root.path, "tcp"), name) };
  // `listeners.tcp.NAME = null` or `= marked_for_deletion` is how EMQX removes one.
  const isRemoved = node.kind === "null" || scalarText(node) === "marked_for_deletion";
  if (isRemoved) return readListener(name, disabledAt(node), root);
  const values = object(TCP_KEYS).read(node, place);
  return values && toListener(name, values);
}

function disabledAt(node: HoconNode): HoconObject {
  const enable: HoconNode = { kind: "boolean", value: false, at: node.at };
  return {
    kind: "object",
    at: node.at,
    members: new Map([["enable", { keyAt: node.at, value: enable }]]),
  };
}

function toListener(name: string, values: Values<typeof TCP_KEYS>): ListenerConfig {
  return {
    type: "tcp",
    name,
    enable: values.enable,
    host: values.bind.host,
    port: values.bind.port,
    zone: values.zone,
    mountpoint: values.mountpoint.value,
    mountpointAt: values.mountpoint.at,
    enableAuthn: values.enable_authn,
    maxConnections: values.max_connections,
    authentication: chainOrNone(values.authentication),
  };
}

/** A chain without authenticators does not exist. */
function chainOrNone(
  all: readonly AuthenticatorConfig[] | undefined,
): readonly AuthenticatorConfig[] | undefined {
  return all && all.length > 0 ? all : undefined;
}

/** Listeners that EMQX would start and we cannot: nobody gets in through them. */
function warnOfOthers(node: HoconObject, place: Place): void {
  for (const type of OTHER_TYPES) {
    const all = node.members.get(type)?.value;
    if (all?.kind !== "object") continue;
    for (const [name, member] of all.members) {
      if (isDisabled(member.value)) continue;
      place.load.issues.warning(
        "WARN_CONFIG_UNSUPPORTED",
        member.keyAt,
        `\`${type}\` listeners are not supported: \`${type}:${name.slice(0, 60)}\` does not listen`,
        { path: joinPath(joinPath(place.path, type), name), hint: "supported is `tcp`" },
      );
    }
  }
}

function isDisabled(node: HoconNode): boolean {
  if (node.kind !== "object") return true;
  const enable = node.members.get("enable") ?? node.members.get("enabled");
  return enable !== undefined && scalarText(enable.value) === "false";
}

/** Two listeners cannot have one port. */
function areApart(all: readonly ListenerConfig[], node: HoconNode, place: Place): boolean {
  const taken = new Map<string, string>();
  let isGood = true;
  for (const one of all) {
    if (!one.enable || one.port === 0) continue;
    const address = `${one.host}:${one.port}`;
    const other = taken.get(address);
    taken.set(address, one.name);
    if (other === undefined) continue;
    isGood = false;
    place.load.issues.error(
      "ERR_CONFIG_DUPLICATE",
      node.at,
      `\`tcp:${other}\` and \`tcp:${one.name}\` both listen on \`${address}\``,
      {
        path: place.path,
        hint: "`tcp:default` always exists: disable it with `listeners.tcp.default.enable = false`",
      },
    );
  }
  return isGood;
}
