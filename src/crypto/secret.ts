/** The configured HMAC secret → its bytes. */
import { encodeUtf8 } from "../text.ts";
import { decodeBase64 } from "./base64.ts";

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
  if (!isBase64Encoded) return encodeUtf8(secret);
  return decodeBase64(secret.replace(/[ \t\r\n]/g, ""));
}
