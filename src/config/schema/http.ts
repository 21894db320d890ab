/** Requests to HTTP servers: what is sent, and over which connections. Source: authentication §5.1. */
import { HTTP_CLIENT_DEFAULTS } from "../../ports/http.ts";
import type { HttpConnectionConfig, HttpRequestConfig, Located } from "../config.ts";
import type { HoconNode, HoconObject } from "../hocon/index.ts";
import { bodyKindOf, CONNECTION_HEADERS } from "../http-headers.ts";
import { isLocalHost } from "../local-host.ts";
import { type Keys, key, object, optional, required, type Values, withoutEffect } from "./keys.ts";
import {
  anything,
  contentAt,
  durationMs,
  integer,
  located,
  mapOf,
  oneOf,
  type Place,
  type Spec,
  text,
  wrong,
} from "./spec.ts";
import { readTls, TLS_KEYS } from "./tls.ts";

/** The text of the body as JSON, with the place of its object. */
const body: Spec<Located> = {
  expects: "an object of templates",
  below: () => anything(),
  read(node, place) {
    if (node.kind !== "object") return wrong(node, place, this.expects);
    return { value: jsonOf(node), at: node.at };
  },
};

const headers = mapOf(text(), {
  pattern: /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]|\$\{[A-Za-z0-9._-]*\})+$/,
  expects: "a header name",
});

/** LIMIT: of one configured duration; more would be no time-out. */
export const timeout: Spec<number> = {
  ...durationMs(),
  read(node, place) {
    const value = durationMs().read(node, place);
    if (value === undefined || (value >= 1 && value <= TIMEOUT_MS_MAX)) return value;
    return wrong(node, place, "a duration from 1 ms to 1 h");
  },
};

const TIMEOUT_MS_MAX = 3_600_000;

export const HTTP_KEYS = {
  method: required(oneOf(["get", "post"]), "of the request"),
  url: required(located("an http or https URL"), "whom to ask"),
  headers: key(headers, new Map(), "headers of the request", { isSecret: true }),
  body: optional(body, "the body of a POST, or more of the query of a GET", { isSecret: true }),
  request_timeout: key(timeout, 5000, "from the question to the end of the answer"),
  connect_timeout: key(timeout, HTTP_CLIENT_DEFAULTS.connectTimeoutMs, "to open a connection"),
  pool_size: key(integer(1, 1024), HTTP_CLIENT_DEFAULTS.poolSize, "connections at a time"),
  enable_pipelining: key(
    integer(1, 1024),
    HTTP_CLIENT_DEFAULTS.pipelining,
    "requests on one connection before the first is answered",
  ),
  max_inactive: key(
    timeout,
    HTTP_CLIENT_DEFAULTS.maxInactiveMs,
    "an unused connection is closed after this time",
  ),
  ssl: optional(object(TLS_KEYS), "TLS of the request"),
  max_retries: withoutEffect("a request is sent once"),
  retry_interval: withoutEffect("a request is sent once"),
} satisfies Keys;

type HttpValues = Values<typeof HTTP_KEYS> & { readonly enable: boolean };

/** Undefined when something was refused, and then that has been reported. */
export function readHttp(
  values: HttpValues,
  node: HoconObject,
  place: Place,
): { readonly request: HttpRequestConfig; readonly connection: HttpConnectionConfig } | undefined {
  const url = readUrl(values.url, { ...place, path: `${place.path}.url` });
  const sent = readHeaders(values, node, place);
  const isSendable = checkBody(values, sent, place);
  if (url === undefined) return undefined;
  if (values.enable_pipelining > 1) {
    const at = memberAt(node, "enable_pipelining");
    const message = "answers on one connection are told apart by their order alone";
    place.load.issues.warning("WARN_CONFIG_PIPELINING", at, message, {
      path: `${place.path}.enable_pipelining`,
      hint: "leave it out and raise `pool_size`, unless the server can never send an answer too many",
    });
  }
  const ssl = node.members.get("ssl")?.value;
  const block = { values: values.ssl, node: ssl, place, isUsed: values.enable };
  const reading = readTls({ isHttps: url.isHttps, at: values.url.at }, block, true);
  if (sent === undefined || reading === undefined || !isSendable) return undefined;
  const { origin, path, query } = url;
  return {
    request: {
      method: values.method,
      origin,
      path,
      query,
      headers: sent,
      body: values.body,
      at: values.url.at,
      headersAt: node.members.get("headers")?.value.at,
    },
    connection: {
      requestTimeoutMs: values.request_timeout,
      connectTimeoutMs: values.connect_timeout,
      poolSize: values.pool_size,
      pipelining: values.enable_pipelining,
      maxInactiveMs: values.max_inactive,
      tls: reading.tls,
    },
  };
}

interface ReadUrl {
  readonly isHttps: boolean;
  readonly origin: string;
  readonly path: string;
  readonly query: HttpRequestConfig["query"];
}

/** Cut where the templates begin: nothing of a client's gets into scheme, host or port. */
function readUrl({ value, at }: Located, place: Place): ReadUrl | undefined {
  const refuse = (message: string, hint?: string): undefined => {
    place.load.issues.error("ERR_CONFIG_VALUE", at, message, { path: place.path, hint });
  };
  const match = /^(https?):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/is.exec(value);
  if (!match) return refuse("expected an http or https URL");
  const [, scheme = "", authority = "", path = "", query, fragment] = match;
  if (fragment !== undefined) return refuse("a URL that is requested has no `#` part");
  if (authority.includes("@")) {
    return refuse("the URL cannot hold a username or password", "write a header instead");
  }
  if (authority.includes("$")) {
    return refuse("placeholders are possible in the path and the query of a URL only");
  }
  const base = `${scheme.toLowerCase()}://${authority}`;
  const parsed = URL.canParse(base) ? new URL(base) : undefined;
  if (!parsed || parsed.hostname === "" || parsed.pathname !== "/") {
    return refuse("expected a host in the URL");
  }
  if (/[\s\\]/.test(path)) return refuse("the path of the URL has white space or a backslash");
  const pairs = readQuery(query);
  if (pairs === undefined) return refuse("the query of the URL has a broken `%` sequence");
  const isHttps = parsed.protocol === "https:";
  if (!isHttps && !isLocalHost(parsed.hostname)) {
    const message = "passwords and answers can be read and changed on their way";
    const hint = "use https outside the machine";
    place.load.issues.warning("WARN_CONFIG_PLAIN_HTTP", at, message, { path: place.path, hint });
  }
  return { isHttps, origin: parsed.origin, path, query: pairs };
}

/** Decoded before they are templates, so that `%24%7Busername%7D` is a placeholder as well. */
function readQuery(query: string | undefined): HttpRequestConfig["query"] | undefined {
  if (query === undefined || query === "") return [];
  try {
    return query.split("&").map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 0) return [formDecode(pair), null] as const;
      return [formDecode(pair.slice(0, equals)), formDecode(pair.slice(equals + 1))] as const;
    });
  } catch {
    return undefined;
  }
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

/** Those that any request has. */
const DEFAULT_HEADERS: Readonly<Record<string, string>> = {
  accept: "application/json",
  "cache-control": "no-cache",
};

function readHeaders(
  values: HttpValues,
  node: HoconObject,
  place: Place,
): Readonly<Record<string, string>> | undefined {
  const { issues, switches } = place.load;
  const isMerged = switches.media_types_parsed || node.members.get("headers") === undefined;
  const sent = new Map(isMerged ? Object.entries(DEFAULT_HEADERS) : []);
  let isGood = true;
  for (const [written, value] of values.headers) {
    const name = written.toLowerCase();
    const at = memberAt(node.members.get("headers")?.value, written);
    const path = `${place.path}.headers.${name}`;
    if (CONNECTION_HEADERS.has(name)) {
      const isUsual = name === "connection" || name === "keep-alive";
      const message = "has no effect here: the connection decides this header itself";
      if (!isUsual) issues.warning("WARN_CONFIG_NO_EFFECT", at, message, { path });
      continue;
    }
    if (values.method === "get" && name === "content-type") {
      const hint = "leave it out, or write `method = post`";
      issues.error("ERR_CONFIG_VALUE", at, "a GET has no body to have a type", { path, hint });
      isGood = false;
    }
    if (/[\r\n\0]/.test(value)) {
      issues.error("ERR_CONFIG_VALUE", at, "a header has no line breaks", { path });
      isGood = false;
    }
    sent.set(name, value);
  }
  if (values.method === "post" && !sent.has("content-type")) {
    sent.set("content-type", "application/json");
  }
  return isGood ? Object.fromEntries(sent) : undefined;
}

/** Can the body be written in the type the headers give it? */
function checkBody(
  values: HttpValues,
  headers: Readonly<Record<string, string>> | undefined,
  place: Place,
): boolean {
  if (headers === undefined) return true;
  const { issues, switches } = place.load;
  const type = headers["content-type"];
  const kind = bodyKindOf(type, switches.media_types_parsed);
  let isGood = true;
  const refuse = (path: string, message: string, hint: string): void => {
    const details = { path: `${place.path}.${path}`, hint };
    const { at } = values.body ?? values.url;
    // EMQX finds out with the first client, so there it is no reason to refuse the file.
    if (switches.media_types_parsed) issues.error("ERR_CONFIG_VALUE", at, message, details);
    else
      issues.warning("WARN_CONFIG_NO_EFFECT", at, `${message}: every request will fail`, details);
    if (switches.media_types_parsed) isGood = false;
  };
  if (type !== undefined && kind === undefined) {
    refuse(
      "headers.content-type",
      "no body can be written in this type",
      "use `application/json` or `application/x-www-form-urlencoded`",
    );
  }
  const isFlat = kind === "form" || values.method === "get";
  if (isFlat && values.body && !/^\{(?:[^[\]{}"]|"(?:[^"\\]|\\.)*")*\}$/.test(values.body.value)) {
    refuse("body", "a form and a query hold texts only", "leave out lists and objects");
  }
  return isGood;
}

/** JSON text of a node; numbers as JSON writes them. */
function jsonOf(node: HoconNode): string {
  switch (node.kind) {
    case "object": {
      const members = [...node.members].map(
        ([name, { value }]) => `${JSON.stringify(name)}:${jsonOf(value)}`,
      );
      return `{${members.join(",")}}`;
    }
    case "array":
      return `[${node.items.map(jsonOf).join(",")}]`;
    case "number":
      // Its text, because `1.0` must not become an integer.
      return node.text;
    case "null":
      return "null";
    default:
      return JSON.stringify(node.value);
  }
}

function memberAt(node: HoconNode | undefined, name: string): Located["at"] {
  const value = node?.kind === "object" ? node.members.get(name)?.value : undefined;
  return value && contentAt(value);
}
