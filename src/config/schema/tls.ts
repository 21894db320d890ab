/** `ssl` of outgoing requests: to HTTP servers and key sets. Source: authentication §0.2, §3.1. */
import type { ClientTls, TlsVersion } from "../../ports/http.ts";
import type { Located } from "../config.ts";
import type { HoconNode, HoconObject } from "../hocon/index.ts";
import { expandPath, readTextFile } from "./files.ts";
import { type Keys, key, optional, type Values, withoutEffect } from "./keys.ts";
import {
  boolean,
  joinPath,
  list,
  located,
  oneOf,
  type Place,
  type Spec,
  scalarText,
  text,
  wrong,
} from "./spec.ts";

const pem = located("PEM text or the path of a PEM file", { mayBeEmpty: true });

/** A list of names, or one text of them. */
const ciphers: Spec<string> = {
  expects: "cipher names in OpenSSL's notation",
  below: () => text(),
  read(node, place) {
    const one = scalarText(node);
    const names =
      one === undefined ? list(text()).read(node, place) : one.split(/[:,\s]+/).filter(Boolean);
    if (names === undefined) return undefined;
    const isGood = names.every((name) => /^[A-Za-z0-9_-]{1,64}$/.test(name));
    return isGood ? names.join(":") : wrong(node, place, this.expects);
  },
};

export const TLS_KEYS = {
  enable: key(boolean(), false, "use TLS"),
  verify: optional(oneOf(["verify_peer", "verify_none"]), "check the server's certificate"),
  cacertfile: optional(pem, "the authorities to trust instead of the platform's"),
  certfile: optional(pem, "the certificate of this client"),
  keyfile: optional(pem, "the key of `certfile`", { isSecret: true }),
  password: optional(text(), "of `keyfile`", { isSecret: true }),
  server_name_indication: optional(
    text({ pattern: /^[A-Za-z0-9._-]{0,253}$/, expects: "a host name or `disable`" }),
    "the name to ask for and to find in the certificate",
  ),
  versions: optional(
    list(oneOf(["tlsv1.3", "tlsv1.2", "tlsv1.1", "tlsv1"]), { notEmpty: true }),
    "versions of TLS to speak",
  ),
  ciphers: optional(ciphers, "ciphers to offer"),
  depth: withoutEffect("OpenSSL's limit on certificate chains holds"),
  reuse_sessions: withoutEffect("sessions are always reused"),
  secure_renegotiate: withoutEffect("there is no other renegotiation"),
  hibernate_after: withoutEffect("it belongs to EMQX's processes"),
  user_lookup_fun: withoutEffect("it belongs to EMQX's listeners"),
} satisfies Keys;

/** An `ssl` block, with where its parts stand. */
export interface TlsBlock {
  /** Undefined: none is written. */
  readonly values: Values<typeof TLS_KEYS> | undefined;
  readonly node: HoconNode | undefined;
  /** The path of what asks, such as `authentication[1]`. */
  readonly place: Place;
  /** Of what is switched off no file is read, as EMQX reads none. */
  readonly isUsed: boolean;
}

/** `tls` undefined: no TLS, or as the platform does it. */
export type TlsReading = { readonly tls: ClientTls | undefined } | undefined;

/**
 * TLS for a URL. Files are read only where they will be used. Undefined when something in it was
 * refused, and then that has been reported.
 *
 * Without `enable`, `https` is left to the platform, or with `isRequired` refused, unless
 * https_means_tls takes it as enabled.
 */
export function readTls(
  url: { readonly isHttps: boolean; readonly at: Located["at"] },
  block: TlsBlock,
  isRequired: boolean,
): TlsReading {
  const { values, node, place } = block;
  const { issues, switches } = place.load;
  const path = `${place.path}.ssl.enable`;
  const isEnabled = values?.enable === true;
  if (!url.isHttps) {
    if (!isEnabled) return { tls: undefined };
    const message = "the URL is `http`: nothing would be encrypted";
    const hint = "write `https://` in the URL, or `ssl.enable = false`";
    if (!switches.https_means_tls) {
      issues.warning("WARN_CONFIG_PLAIN_HTTP", url.at ?? node?.at, message, { path, hint });
      return { tls: undefined };
    }
    issues.error("ERR_CONFIG_VALUE", url.at ?? node?.at, message, { path, hint });
    return undefined;
  }
  if (!isEnabled && !isRequired) {
    if (block.isUsed && node?.kind === "object" && isMoreThanEnable(node)) {
      const message = "has no effect here: the platform's TLS is used";
      const hint = "write `enable = true` in it";
      const where = { path: `${place.path}.ssl`, hint };
      issues.warning("WARN_CONFIG_NO_EFFECT", node.at, message, where);
    }
    return { tls: undefined };
  }
  if (!isEnabled && !switches.https_means_tls) {
    issues.error("ERR_CONFIG_REQUIRED", url.at, "an `https` URL needs `ssl.enable = true`", {
      path,
      hint: "write `ssl { enable = true }`",
    });
    return undefined;
  }
  if (!isEnabled) {
    const message = "EMQX 6.2 refuses an `https` URL without `ssl.enable = true`";
    issues.warning("WARN_CONFIG_EMQX_REFUSES", url.at, message, {
      path,
      hint: "it is requested over TLS; write `ssl { enable = true }`",
    });
  }
  return block.isUsed ? readSettings(block) : { tls: undefined };
}

function isMoreThanEnable({ members }: HoconObject): boolean {
  return [...members].some(
    ([name, { value }]) =>
      name !== "enable" && value.kind !== "null" && !(value.kind === "text" && value.value === ""),
  );
}

function readSettings(block: TlsBlock): TlsReading {
  const { values, node, place } = block;
  const { issues, switches, securityProfile } = place.load;
  const isVerifiedByDefault = switches.outgoing_tls_verified || securityProfile === "hardened";
  const verify =
    values?.verify === undefined ? isVerifiedByDefault : values.verify === "verify_peer";
  if (!verify) {
    issues.warning(
      "WARN_CONFIG_TLS_UNVERIFIED",
      memberAt(node, "verify") ?? node?.at,
      "certificates are not checked: who controls the network can answer in the server's place",
      { path: `${place.path}.ssl.verify`, hint: "write `verify = verify_peer`" },
    );
  }
  if (values === undefined) return { tls: { verify } };
  const ca = readPem("cacertfile", values.cacertfile, place);
  const cert = readPem("certfile", values.certfile, place);
  const key = readPem("keyfile", values.keyfile, place);
  if (ca === null || cert === null || key === null) return undefined;
  if ((cert === undefined) !== (key === undefined)) {
    const [written, missing] = cert ? ["certfile", "keyfile"] : ["keyfile", "certfile"];
    const message = `\`${written}\` needs \`${missing}\` beside it`;
    issues.error("ERR_CONFIG_REQUIRED", memberAt(node, written), message, {
      path: joinPath(`${place.path}.ssl`, missing),
    });
    return undefined;
  }
  const name = values.server_name_indication || undefined;
  const versions = readVersions(values.versions, memberAt(node, "versions"), place);
  if (versions === null) return undefined;
  const tls: ClientTls = {
    verify,
    ca,
    cert,
    key,
    passphrase: key === undefined ? undefined : values.password || undefined,
    serverName: name === "disable" ? "" : name,
    versions,
    ciphers: values.ciphers || undefined,
  };
  return { tls };
}

/** PEM text, written here or in a file; undefined when there is none, null when that was reported. */
function readPem(
  name: string,
  written: Located | undefined,
  place: Place,
): string | undefined | null {
  if (written === undefined || written.value === "") return undefined;
  const { value, at } = written;
  const below = { ...place, path: `${place.path}.ssl.${name}` };
  let pemText = value;
  if (!value.includes(PEM_BEGIN)) {
    // What is no path may be a key without its armour, so it is not repeated.
    if (value.length > PATH_CHARS_MAX || value.includes("\n")) return noPem(at, below);
    const file = expandPath(value, at, below);
    const read = file === undefined ? undefined : readTextFile(file, at, below);
    if (read === undefined) return null;
    pemText = read;
  }
  return pemText.includes(PEM_BEGIN) ? pemText : noPem(at, below);
}

function noPem(at: Located["at"], { load, path }: Place): null {
  const message = "expected PEM text: `-----BEGIN …-----`, or the path of a file with it";
  load.issues.error("ERR_CONFIG_VALUE", at, message, { path });
  return null;
}

const PEM_BEGIN = "-----BEGIN ";
const PATH_CHARS_MAX = 1024;

function readVersions(
  names: readonly string[] | undefined,
  at: Located["at"],
  place: Place,
): ClientTls["versions"] | null {
  if (names === undefined) return undefined;
  const path = `${place.path}.ssl.versions`;
  const { issues } = place.load;
  const spoken = VERSIONS.filter(([name]) => names.includes(name)).map(([, version]) => version);
  const [min, max] = [spoken[0], spoken.at(-1)];
  if (!min || !max) {
    issues.error("ERR_CONFIG_VALUE", at, "versions before `tlsv1.2` are not spoken", { path });
    return null;
  }
  if (names.some((name) => !VERSIONS.some(([known]) => known === name))) {
    const message = "versions before `tlsv1.2` have no effect here: they are not spoken";
    issues.warning("WARN_CONFIG_NO_EFFECT", at, message, { path });
  }
  return [min, max];
}

/** Oldest first. */
const VERSIONS: readonly (readonly [string, TlsVersion])[] = [
  ["tlsv1.2", "TLSv1.2"],
  ["tlsv1.3", "TLSv1.3"],
];

function memberAt(node: HoconNode | undefined, name: string): Located["at"] {
  return node?.kind === "object" ? node.members.get(name)?.value.at : undefined;
}
