/** `listeners`. Source: authentication §1.2, §1.6, §2.1, §7.5. */
import type { AccessRule, AuthenticatorConfig, ListenerConfig, ListenerTls } from "../config.ts";
import type { HoconNode, HoconObject } from "../hocon/index.ts";
import { chain } from "./authn.ts";
import {
  type Key,
  type Keys,
  key,
  object,
  onlyAs,
  optional,
  readKeys,
  type Values,
  withoutEffect,
} from "./keys.ts";
import { LISTENER_TLS, readListenerTls } from "./listener-tls.ts";
import {
  boolean,
  contentAt,
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

const PORTS = { tcp: 1883, ssl: 8883 } as const;

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

/** `allow all`, `deny 10.0.0.0/8`. Whether an address is one is found out where it is compiled. */
const accessRule: Spec<AccessRule> = {
  expects: '`"allow WHO"` or `"deny WHO"`, where WHO is `all`, an address or a CIDR range',
  read(node, place) {
    const match = /^\s*(allow|deny)\s+(\S+)\s*$/.exec(scalarText(node) ?? "");
    if (!match) return wrong(node, place, this.expects);
    return {
      permission: match[1] as AccessRule["permission"],
      who: match[2]!,
      at: contentAt(node),
    };
  },
};

const TRANSPORT = withoutEffect("sockets are the runtime's own");
const RATE = withoutEffect("rates are not limited");

const SHARED_KEYS = {
  enable: key(boolean(), true, "a disabled listener does not listen", { aliases: ["enabled"] }),
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
  access_rules: key(list(accessRule), [], "addresses that may connect"),
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

function bindKey(port: number): Key<Address> {
  return key(bind, (load: LoadContext) => ({ host: defaultHost(load), port }), "where it listens");
}

const TCP_KEYS = { ...SHARED_KEYS, bind: bindKey(PORTS.tcp) } satisfies Keys;

const SSL_KEYS = {
  ...SHARED_KEYS,
  bind: bindKey(PORTS.ssl),
  ssl_options: optional(LISTENER_TLS, "certificates, and what is asked of clients"),
} satisfies Keys;

type Type = ListenerConfig["type"];

/** The kinds of listeners there are, with their keys. */
const TYPES: Readonly<Record<Type, Keys>> = { tcp: TCP_KEYS, ssl: SSL_KEYS };
const SUPPORTED = Object.keys(TYPES) as Type[];

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/** Other kinds of listeners EMQX has. */
const OTHER_TYPES = ["ws", "wss", "quic"];
const ALL_TYPES = [...SUPPORTED, ...OTHER_TYPES];

/** The root key `listeners`. `tcp:default` exists unless it is disabled. */
export const listeners: Spec<readonly ListenerConfig[]> = {
  expects: "an object: `listeners.tcp.NAME { bind = 1883 }`",
  keys: ALL_TYPES,
  below: (type) => {
    if (OTHER_TYPES.includes(type)) return ANY;
    const keys = Object.hasOwn(TYPES, type) ? TYPES[type as Type] : undefined;
    return keys && { ...object(keys), below: () => object(keys) };
  },
  read(node, place) {
    if (node.kind !== "object") return wrong(node, place, this.expects);
    const table: Keys = Object.fromEntries(
      ALL_TYPES.map((type) => [type, optional(ANY, "listeners by name")]),
    );
    let isGood = readKeys(node, table, place) !== undefined;
    warnOfOthers(node, place);
    const out: ListenerConfig[] = [];
    for (const type of SUPPORTED) {
      const all = node.members.get(type)?.value;
      const named = all?.kind === "object" ? all.members : new Map();
      if (all && all.kind !== "object" && all.kind !== "null") {
        wrong(all, { ...place, path: joinPath(place.path, type) }, this.expects);
        isGood = false;
      }
      if (type === "tcp" && !named.has("default")) {
        const unwritten = readListener({ type, name: "default" }, emptyAt(node), place);
        if (unwritten) out.push(unwritten);
      }
      for (const [name, member] of named) {
        const listener = NAME.test(name)
          ? readListener({ type, name }, member.value, place)
          : reportName({ type, name }, member.keyAt, place);
        if (listener) out.push(listener);
        else isGood = false;
      }
    }
    return isGood && areApart(out, node, place) ? out : undefined;
  },
};

/** Which listener. */
interface Id {
  readonly type: Type;
  readonly name: string;
}

const ANY: Spec<HoconNode> = { expects: "listeners by name", below: () => ANY, read: (n) => n };

function emptyAt(node: HoconNode): HoconObject {
  return { kind: "object", at: node.at, members: new Map() };
}

function reportName({ type, name }: Id, at: HoconNode["at"], place: Place): undefined {
  place.load.issues.error(
    "ERR_CONFIG_VALUE",
    at,
    `\`${name.slice(0, 60)}\` cannot be the name of a listener`,
    { path: joinPath(place.path, type), hint: "use letters, digits, `_` and `-`" },
  );
}

function readListener(id: Id, node: HoconNode, root: Place): ListenerConfig | undefined {
  const { type, name } = id;
  const place = { ...root, path: joinPath(joinPath(root.path, type), name) };
  // `listeners.tcp.NAME = null` or `= marked_for_deletion` is how EMQX removes one.
  const isRemoved = node.kind === "null" || scalarText(node) === "marked_for_deletion";
  if (isRemoved) return readListener(id, disabledAt(node), root);
  if (type === "tcp") {
    const values = object(TCP_KEYS).read(node, place);
    return values && toListener(id, values);
  }
  const values = object(SSL_KEYS).read(node, place);
  if (values === undefined) return undefined;
  // The files of a disabled listener need not be there.
  if (!values.enable) return toListener(id, values);
  const path = joinPath(place.path, "ssl_options");
  const tls = readListenerTls(values.ssl_options, node.at, { ...place, path });
  return tls && toListener(id, values, tls);
}

function disabledAt(node: HoconNode): HoconObject {
  const enable: HoconNode = { kind: "boolean", value: false, at: node.at };
  return {
    kind: "object",
    at: node.at,
    members: new Map([["enable", { keyAt: node.at, value: enable }]]),
  };
}

function toListener(
  { type, name }: Id,
  values: Values<typeof TCP_KEYS>,
  tls?: ListenerTls,
): ListenerConfig {
  return {
    type,
    name,
    enable: values.enable,
    host: values.bind.host,
    port: values.bind.port,
    zone: values.zone,
    mountpoint: values.mountpoint.value,
    mountpointAt: values.mountpoint.at,
    enableAuthn: values.enable_authn,
    maxConnections: values.max_connections,
    accessRules: values.access_rules,
    ...(tls && { tls }),
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
        { path: joinPath(joinPath(place.path, type), name), hint: "supported are `tcp` and `ssl`" },
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
    const id = `${one.type}:${one.name}`;
    taken.set(address, id);
    if (other === undefined) continue;
    isGood = false;
    place.load.issues.error(
      "ERR_CONFIG_DUPLICATE",
      node.at,
      `\`${other}\` and \`${id}\` both listen on \`${address}\``,
      {
        path: place.path,
        hint: "`tcp:default` always exists: disable it with `listeners.tcp.default.enable = false`",
      },
    );
  }
  return isGood;
}
