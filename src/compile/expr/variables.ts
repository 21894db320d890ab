/**
 * Which variables an expression sees, by the place it stands in (expressions §6.2). What a place
 * never binds is decided here, at compile time; what a particular client lacks is decided by the
 * request record.
 */
import * as abi from "../../../assembly/abi.ts";
import type { Switches } from "../../config/compatibility.ts";

/** Where an expression stands. `batch` binds whatever the caller gives. */
export type ExpressionPlace =
  | "client_attrs"
  | "clientid_override"
  | "precondition"
  | "cinfo"
  | "batch";

export interface Binding {
  readonly slot: number;
  /** First name of the path is a key of the slot's map (SLOT_OTHER). */
  readonly isKey: boolean;
  /** Never bound in this place: evaluates like any unbound variable. */
  readonly isUnbound: boolean;
  /** In this place EMQX 6.2 has no usable value under this name; the lint says so. */
  readonly isOurs: boolean;
}

interface Row {
  readonly slot: number;
  /** Places of EMQX 6.2 that bind it; absent: all. */
  readonly places?: readonly ExpressionPlace[];
  readonly switch?: "peerhost_is_text" | "certificate_names_everywhere";
}

const TABLE: Readonly<Record<string, Row>> = {
  clientid: { slot: abi.SLOT_CLIENTID },
  username: { slot: abi.SLOT_USERNAME },
  password: { slot: abi.SLOT_PASSWORD, places: ["client_attrs", "precondition", "cinfo"] },
  zone: { slot: abi.SLOT_ZONE },
  listener: { slot: abi.SLOT_LISTENER },
  peerhost: {
    slot: abi.SLOT_PEERHOST_TEXT,
    places: ["cinfo"],
    switch: "peerhost_is_text",
  },
  peerport: { slot: abi.SLOT_PEERPORT },
  sockport: { slot: abi.SLOT_SOCKPORT },
  protocol: { slot: abi.SLOT_PROTOCOL, places: ["client_attrs", "clientid_override", "cinfo"] },
  proto_name: { slot: abi.SLOT_PROTOCOL, places: ["precondition"] },
  cn: {
    slot: abi.SLOT_CERT_COMMON_NAME,
    places: ["client_attrs", "clientid_override", "cinfo"],
    switch: "certificate_names_everywhere",
  },
  dn: {
    slot: abi.SLOT_CERT_SUBJECT,
    places: ["client_attrs", "clientid_override", "cinfo"],
    switch: "certificate_names_everywhere",
  },
  cert_common_name: {
    slot: abi.SLOT_CERT_COMMON_NAME,
    places: ["client_attrs", "precondition", "cinfo"],
    switch: "certificate_names_everywhere",
  },
  cert_subject: {
    slot: abi.SLOT_CERT_SUBJECT,
    places: ["client_attrs", "precondition", "cinfo"],
    switch: "certificate_names_everywhere",
  },
  cert_pem: { slot: abi.SLOT_CERT_PEM, places: ["precondition", "cinfo"] },
  peersni: { slot: abi.SLOT_PEERSNI },
  user_property: { slot: abi.SLOT_USER_PROPERTY, places: ["client_attrs"] },
  client_attrs: { slot: abi.SLOT_CLIENT_ATTRS },
  is_bridge: { slot: abi.SLOT_IS_BRIDGE },
  is_superuser: { slot: abi.SLOT_IS_SUPERUSER },
  enable_authn: { slot: abi.SLOT_ENABLE_AUTHN },
  mountpoint: { slot: abi.SLOT_MOUNTPOINT },
  auth_method: { slot: abi.SLOT_AUTH_METHOD, places: ["precondition"] },
  auth_data: { slot: abi.SLOT_AUTH_DATA, places: ["precondition"] },
};

/** Every variable name a place may bind, for hints. */
export function variableNames(place: ExpressionPlace, switches: Switches): readonly string[] {
  return Object.keys(TABLE).filter((name) => !bindVariable(name, place, switches).isUnbound);
}

/** Is this a name of the client record at all? */
export function isKnownVariable(name: string): boolean {
  return Object.hasOwn(TABLE, name);
}

/** Where the first piece of a variable's name is found in the request record. */
export function bindVariable(name: string, place: ExpressionPlace, switches: Switches): Binding {
  const row = Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
  if (row === undefined || place === "batch") {
    return { slot: abi.SLOT_OTHER, isKey: true, isUnbound: false, isOurs: false };
  }
  const isBound = row.places?.includes(place) ?? true;
  const isOurs = !isBound && row.switch !== undefined && switches[row.switch];
  if (name === "peerhost" && !isBound && !isOurs) {
    // The address itself: bound, but no function can use it.
    return { slot: abi.SLOT_PEERHOST, isKey: false, isUnbound: false, isOurs: false };
  }
  return { slot: row.slot, isKey: false, isUnbound: !isBound && !isOurs, isOurs };
}
