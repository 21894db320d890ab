/** The recorded client of a batch line as the fields of a request record. */
import type { Value } from "../core/core.ts";
import type { RequestFields } from "../core/request.ts";
import { showText } from "../text.ts";
import { decodeTerm, TermError } from "./terms.ts";

/**
 * The fields that the line's client has: an absent key is an unbound variable, `null` one without a
 * value. `peerhost` is the address as text, `zone` and `listener` are atoms, `cn` and `dn` the
 * certificate's names. Throws TermError.
 */
export function decodeClient(client: unknown): RequestFields {
  if (client === null || typeof client !== "object") throw new TermError("no client");
  const record = client as Readonly<Record<string, unknown>>;
  const field = (name: string): Value | undefined => {
    if (!Object.hasOwn(record, name)) return undefined;
    return record[name] === null ? { type: "undefined" } : decodeTerm(record[name]);
  };
  const atom = (name: string): Value | undefined => {
    const value = field(name);
    if (value?.type !== "bytes") return value;
    return { type: "atom", name: showText(value.value) };
  };
  const map = (name: string): RequestFields["clientAttrs"] => {
    const value = field(name);
    if (value === undefined || value.type === "undefined") return value && null;
    if (value.type !== "map") throw new TermError(`\`${name}\` is no map`);
    return value.entries.map(([key, element]) => {
      if (key.type !== "bytes") throw new TermError(`\`${name}\` has a key that is no text`);
      return [key.value, element];
    });
  };
  return {
    clientId: field("clientid"),
    username: field("username"),
    password: field("password"),
    // Nothing looks into the address itself; that it is bound is all that counts.
    peerHost: Object.hasOwn(record, "peerhost") ? new Uint8Array(4) : undefined,
    peerHostText: field("peerhost"),
    peerPort: field("peerport"),
    peerSni: field("peersni"),
    zone: atom("zone"),
    listener: atom("listener"),
    protocol: atom("protocol"),
    certCommonName: field("cn"),
    certSubject: field("dn"),
    certPem: field("cert_pem"),
    clientAttrs: map("client_attrs"),
    userProperty: map("user_property"),
    mountpoint: field("mountpoint"),
    sockPort: field("sockport"),
    isSuperuser: field("is_superuser"),
    isBridge: field("is_bridge"),
    enableAuthn: field("enable_authn"),
    authMethod: field("auth_method"),
    authData: field("auth_data"),
  };
}
