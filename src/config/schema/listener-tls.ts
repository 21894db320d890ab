/**
 * `ssl_options` of a listener. What the runtime cannot honour is an error where ignoring it would let
 * more clients in, and otherwise a warning. Source: authentication §6.5.
 */
import type { SourcePosition } from "../../types.ts";
import type { ListenerTls, Located, TlsVersion } from "../config.ts";
import { expandPath, readTextFile } from "./files.ts";
import { type Keys, key, object, onlyAs, optional, type Values, withoutEffect } from "./keys.ts";
import {
  boolean,
  durationMs,
  elementsOf,
  integer,
  joinPath,
  located,
  oneOf,
  type Place,
  type Spec,
  scalarText,
  text,
  wrong,
} from "./spec.ts";

/** A list, or its elements in one text with commas between them. */
function listOrText(expects: string, pattern: RegExp): Spec<readonly string[]> {
  return {
    expects,
    isList: true,
    below: () => text(),
    read(node, place) {
      const items = elementsOf(node)?.map(scalarText) ?? scalarText(node)?.split(/[,:]/);
      const words = items?.map((item) => item?.trim()).filter((item) => item !== "");
      if (words === undefined) return wrong(node, place, expects);
      const good = words.filter((word) => word !== undefined && pattern.test(word));
      return good.length === words.length ? (good as string[]) : wrong(node, place, expects);
    },
  };
}

const VERSIONS: Readonly<Record<string, TlsVersion>> = {
  "tlsv1.2": "TLSv1.2",
  "tlsv1.3": "TLSv1.3",
};
const OLD_VERSIONS: readonly string[] = ["tlsv1", "tlsv1.1"];

/** The range of versions. Older ones are left out with a warning: then fewer clients fit, not more. */
const versions: Spec<readonly TlsVersion[]> = {
  expects: "a list of `tlsv1.3` and `tlsv1.2`",
  isList: true,
  below: () => text(),
  read(node, place) {
    const words = elementsOf(node)?.map(scalarText) ?? [scalarText(node)];
    const isKnown = (word = ""): boolean =>
      Object.hasOwn(VERSIONS, word) || OLD_VERSIONS.includes(word);
    const offered = words.flatMap((word = "") => VERSIONS[word] ?? []);
    if (!words.every(isKnown) || offered.length === 0) return wrong(node, place, this.expects);
    if (offered.length < words.length) {
      const message = "TLS 1.0 and 1.1 are not offered: they are broken";
      place.load.issues.warning("WARN_CONFIG_NO_EFFECT", node.at, message, { path: place.path });
    }
    return offered;
  },
};

/** Names of extended key usages → their object identifiers (RFC 5280 §4.2.1.12). */
const KEY_USAGES: Readonly<Record<string, string>> = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  emailProtection: "1.3.6.1.5.5.7.3.4",
  timeStamping: "1.3.6.1.5.5.7.3.8",
  ocspSigning: "1.3.6.1.5.5.7.3.9",
};

const extKeyUsage: Spec<readonly string[]> = {
  expects: `names with commas between them: ${Object.keys(KEY_USAGES).join(", ")}, OID:1.2.3`,
  read(node, place) {
    const words = scalarText(node)
      ?.split(",")
      .map((word) => word.trim()) ?? [""];
    const ids = words.map((word) => KEY_USAGES[word] ?? /^OID:(\d+(?:\.\d+)+)$/.exec(word)?.[1]);
    const known = ids.filter((id) => id !== undefined);
    return known.length === words.length ? known : wrong(node, place, this.expects);
  },
};

const partialChain: Spec<ListenerTls["partialChain"]> = {
  expects: "`true`, `false`, `cacert_from_cacertfile` or `two_cacerts_from_cacertfile`",
  read(node, place) {
    switch (scalarText(node)) {
      case "false":
        return 0;
      case "true":
      case "cacert_from_cacertfile":
        return 1;
      case "two_cacerts_from_cacertfile":
        return 2;
      default:
        return wrong(node, place, this.expects);
    }
  },
};

const PEM_OR_PATH = "PEM text or the path of a PEM file";
const PROCESS = withoutEffect("it belongs to EMQX's processes");

const OCSP = object({
  enable_ocsp_stapling: onlyAs(false, "the state of certificates is not asked for"),
  responder_url: withoutEffect("no OCSP responder is asked"),
  issuer_pem: withoutEffect("no OCSP responder is asked"),
  refresh_interval: withoutEffect("no OCSP responder is asked"),
  refresh_http_timeout: withoutEffect("no OCSP responder is asked"),
} satisfies Keys);

const TLS_KEYS = {
  cacertfile: optional(located(PEM_OR_PATH), "who may have signed the certificates of clients"),
  cacerts: onlyAs(false, "the system's authorities would vouch for anybody"),
  certfile: optional(located(PEM_OR_PATH), "the listener's certificate, with its chain"),
  keyfile: optional(located(PEM_OR_PATH), "the key of the certificate", { isSecret: true }),
  password: optional(located("a text", { mayBeEmpty: true }), "opens the key", { isSecret: true }),
  verify: key(oneOf(["verify_none", "verify_peer"]), "verify_none", "ask for a certificate"),
  fail_if_no_peer_cert: key(boolean(), false, "refuse clients without one"),
  depth: key(integer(0, 255), 10, "most certificates between a client's and the authority's"),
  partial_chain: key(partialChain, 0, "trust the last of `cacertfile` as it is"),
  verify_peer_ext_key_usage: key(extKeyUsage, [], "usages that a client's certificate must have"),
  enable_crl_check: onlyAs(false, "lists of revoked certificates are not read"),
  ocsp: optional(OCSP, "the state of the listener's own certificate"),
  versions: key(versions, ["TLSv1.2", "TLSv1.3"] as readonly TlsVersion[], "versions of TLS"),
  ciphers: key(
    listOrText("a list of OpenSSL's names of ciphers", /^[A-Za-z0-9_-]+$/),
    [],
    "ciphers, best first",
  ),
  honor_cipher_order: key(boolean(), true, "the listener's order of ciphers counts"),
  handshake_timeout: key(durationMs(), 15_000, "time for the handshake"),
  reuse_sessions: withoutEffect("every connection makes a handshake of its own"),
  secure_renegotiate: withoutEffect("nothing is renegotiated"),
  client_renegotiation: withoutEffect("nothing is renegotiated"),
  dhfile: withoutEffect("ciphers with elliptic curves are used"),
  log_level: PROCESS,
  hibernate_after: PROCESS,
  gc_after_handshake: PROCESS,
  user_lookup_fun: withoutEffect("TLS-PSK is not supported"),
} satisfies Keys;

export type ListenerTlsValues = Values<typeof TLS_KEYS>;

/** The keys; their files are read by `readListenerTls`. */
export const LISTENER_TLS: Spec<ListenerTlsValues> = object(TLS_KEYS);

/** The options with their files read; undefined when something is wrong, and then that has been reported. */
export function readListenerTls(
  values: ListenerTlsValues | undefined,
  at: SourcePosition | undefined,
  place: Place,
): ListenerTls | undefined {
  const { issues } = place.load;
  if (values === undefined) {
    issues.error("ERR_CONFIG_REQUIRED", at, "`ssl_options` is missing", {
      path: place.path,
      hint: "write `ssl_options { certfile = …, keyfile = … }`",
    });
    return undefined;
  }
  const isPeerVerified = values.verify === "verify_peer";
  const certificate = readPem("certfile", values.certfile, CERTIFICATE, at, place);
  const key = readPem("keyfile", values.keyfile, PRIVATE_KEY, at, place);
  const password = readPassword(values.password, place);
  const authorities = isPeerVerified
    ? readPem("cacertfile", values.cacertfile, CERTIFICATE, at, place)
    : "";
  if (!isPeerVerified && !isHarmlessUnverified(values, at, place)) return undefined;
  if (certificate === undefined || key === undefined) return undefined;
  if (password === undefined || authorities === undefined) return undefined;
  const range = [...values.versions].sort();
  return {
    certificate,
    key,
    ...(password !== "" && { password }),
    ...(isPeerVerified && { authorities }),
    isPeerVerified,
    failIfNoPeerCert: values.fail_if_no_peer_cert,
    depth: values.depth,
    partialChain: values.partial_chain,
    extKeyUsage: values.verify_peer_ext_key_usage,
    minVersion: range[0]!,
    maxVersion: range.at(-1)!,
    ciphers: values.ciphers,
    honorCipherOrder: values.honor_cipher_order,
    handshakeTimeoutMs: Math.max(1, Math.min(values.handshake_timeout, 2 ** 31 - 1)),
    ...(at && { at }),
  };
}

/** Without `verify_peer` nobody is asked for a certificate, so none can be checked or missed. */
function isHarmlessUnverified(
  values: ListenerTlsValues,
  at: SourcePosition | undefined,
  place: Place,
): boolean {
  const name = values.fail_if_no_peer_cert
    ? "fail_if_no_peer_cert"
    : values.verify_peer_ext_key_usage.length > 0
      ? "verify_peer_ext_key_usage"
      : undefined;
  if (name === undefined) return true;
  place.load.issues.error("ERR_CONFIG_VALUE", at, "needs `verify = verify_peer`", {
    path: joinPath(place.path, name),
    hint: "without it no client is asked for a certificate",
  });
  return false;
}

const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** LIMIT: longer texts are no paths, but perhaps a key without its armour, which nobody must see. */
const PATH_CHARS_MAX = 1024;

/** PEM text, or the file that holds it. Messages never repeat it. */
function readPem(
  name: "certfile" | "keyfile" | "cacertfile",
  written: Located | undefined,
  block: RegExp,
  at: SourcePosition | undefined,
  { load, path: parent }: Place,
): string | undefined {
  const path = joinPath(parent, name);
  const place = { load, path };
  if (written === undefined) {
    load.issues.error("ERR_CONFIG_REQUIRED", at, `\`${name}\` is missing`, {
      path: parent,
      hint: TLS_KEYS[name].about,
    });
    return undefined;
  }
  const isInline = written.value.includes("-----BEGIN ");
  if (!isInline && (written.value.length > PATH_CHARS_MAX || /\s{2}|[\r\n]/.test(written.value))) {
    load.issues.error("ERR_CONFIG_VALUE", written.at, `expected ${PEM_OR_PATH}`, { path });
    return undefined;
  }
  if (!isInline && looksLikeBase64(written.value) && !isFile(written.value, load)) {
    load.issues.error("ERR_CONFIG_VALUE", written.at, `expected ${PEM_OR_PATH}`, { path });
    return undefined;
  }
  const file = isInline ? "" : expandPath(written.value, written.at, place);
  const text =
    file === undefined || isInline ? written.value : readTextFile(file, written.at, place);
  if (file === undefined || text === undefined) return undefined;
  if (block.test(text)) return text;
  const kind = block === PRIVATE_KEY ? "private key" : "certificate";
  load.issues.error("ERR_CONFIG_VALUE", written.at, `there is no ${kind} in it`, {
    path,
    hint: `expected ${PEM_OR_PATH}`,
  });
  return undefined;
}

/** A key without its armour, or a path of which messages must not say more. */
function looksLikeBase64(text: string): boolean {
  return /^[A-Za-z0-9+/=]{40,}$/.test(text);
}

function isFile(path: string, { readFile, file }: Place["load"]): boolean {
  try {
    return readFile(path, file) !== undefined;
  } catch {
    return false;
  }
}

const FILE_PREFIX = "file://";

/** The passphrase, or `file:///path` of it; empty for none. */
function readPassword(written: Located | undefined, { load, path }: Place): string | undefined {
  if (!written?.value.startsWith(FILE_PREFIX)) return written?.value ?? "";
  const place = { load, path: joinPath(path, "password") };
  const file = expandPath(written.value.slice(FILE_PREFIX.length), written.at, place);
  return file === undefined ? undefined : readTextFile(file, written.at, place)?.trimEnd();
}
