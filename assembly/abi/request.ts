/**
 * The request record: what is known of a client.
 *
 * At the start of the input buffer; the same record feeds expressions and client_open.
 *
 *  0        16            352       368       372 376
 *  | slot 0 | slot 1 | …  | slot 22 | written | 0 | bytes the slots point at …
 *
 * Slots are values, 16 bytes each. written: bit n says that slot n was written for this client. The
 * others hold whatever was there before, and are never read: what needs one is refused (ERR_INPUT).
 */

export const SLOT_CLIENTID = 0;
export const SLOT_USERNAME = 1;
export const SLOT_PASSWORD = 2;
/** Address as TAG_OPAQUE with 4 or 16 bytes. */
export const SLOT_PEERHOST = 3;
/** Address as text. */
export const SLOT_PEERHOST_TEXT = 4;
export const SLOT_PEERPORT = 5;
export const SLOT_PEERSNI = 6;
export const SLOT_ZONE = 7;
export const SLOT_LISTENER = 8;
export const SLOT_PROTOCOL = 9;
export const SLOT_CERT_COMMON_NAME = 10;
export const SLOT_CERT_SUBJECT = 11;
export const SLOT_CERT_PEM = 12;
/** Map: attribute name → text. */
export const SLOT_CLIENT_ATTRS = 13;
/** Map: MQTT 5 user property → text. */
export const SLOT_USER_PROPERTY = 14;
export const SLOT_MOUNTPOINT = 15;
export const SLOT_SOCKPORT = 16;
export const SLOT_IS_SUPERUSER = 17;
export const SLOT_IS_BRIDGE = 18;
export const SLOT_ENABLE_AUTHN = 19;
export const SLOT_AUTH_METHOD = 20;
export const SLOT_AUTH_DATA = 21;
/** Map of everything else a caller binds (`portcullis batch` and `explain`). */
export const SLOT_OTHER = 22;
export const SLOT_COUNT = 23;
/** All of them, as bits. */
export const SLOTS_ALL = (1 << SLOT_COUNT) - 1;
/** Those that a client record is made of. */
export const CLIENT_SLOTS =
  (1 << SLOT_CLIENTID) |
  (1 << SLOT_USERNAME) |
  (1 << SLOT_PEERHOST) |
  (1 << SLOT_ZONE) |
  (1 << SLOT_LISTENER) |
  (1 << SLOT_CERT_COMMON_NAME) |
  (1 << SLOT_CLIENT_ATTRS);
export const REQUEST_WRITTEN = 368;
export const REQUEST_HEADER_BYTES = 376;
