/** The configured HMAC secret → its bytes. */

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The bytes of a secret: its UTF-8, or what its standard base64 stands for (padding required, white
 * space ignored). Undefined when it is not base64.
 *
 * Source: authentication §3.3.1 `secret_base64_encoded`.
 */
export function secretBytes(
  secret: string,
  isBase64Encoded: boolean,
): Uint8Array<ArrayBuffer> | undefined {
  if (!isBase64Encoded) return new TextEncoder().encode(secret);
  const compact = secret.replace(/[ \t\r\n]/g, "");
  if (!BASE64.test(compact)) return undefined;
  return Uint8Array.from(atob(compact), (character) => character.charCodeAt(0));
}
