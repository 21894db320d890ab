/** The keys of a JWT authenticator: secrets and PEM texts, written here or in files. */
import { encodeUtf8 } from "../../text.ts";
import type { JwtKeySource, Located } from "../config.ts";
import { expandPath, readTextFile } from "./files.ts";
import type { Place } from "./spec.ts";

/** A text that is the secret, or in strict mode `file:///path` of it. Never repeats it. */
export function readSecret(
  values: {
    readonly enable: boolean;
    readonly secret: Located;
    readonly secret_base64_encoded: boolean;
    readonly short_keys: "warn" | "refuse";
  },
  place: Place,
): JwtKeySource | undefined {
  const { issues, switches } = place.load;
  const path = `${place.path}.secret`;
  const { at } = values.secret;
  const secretBase64Encoded = values.secret_base64_encoded;
  let secret = values.secret.value;
  if (switches.several_pem_blocks && secret.startsWith(FILE_PREFIX)) {
    const file = expandPath(secret.slice(FILE_PREFIX.length), at, { ...place, path });
    const text = file === undefined ? undefined : readTextFile(file, at, { ...place, path });
    if (text === undefined) return undefined;
    secret = text.trimEnd();
    issues.warning(
      "WARN_CONFIG_EMQX_REFUSES",
      at,
      "EMQX 6.2 takes `file://…` as the secret itself",
      {
        path,
      },
    );
  }
  // EMQX does not look at the key of a disabled authenticator.
  if (!values.enable) return { type: "hmac", secret, secretBase64Encoded, at };
  if (secretBase64Encoded && !isBase64(secret)) {
    issues.error("ERR_CONFIG_VALUE", at, "expected standard base64 with padding", {
      path,
      hint: "remove `secret_base64_encoded`, or encode the key",
    });
    return undefined;
  }
  const bytes = secretBase64Encoded ? base64Bytes(secret) : encodeUtf8(secret).length;
  if (switches.empty_secret_refused && bytes === 0) {
    issues.error("ERR_CONFIG_VALUE", at, "an empty secret lets anyone sign a token", {
      path,
      hint: "use at least 32 random bytes",
    });
    return undefined;
  }
  if (bytes < HS256_BYTES && values.short_keys === "refuse") {
    issues.error(
      "ERR_CONFIG_VALUE",
      at,
      `the secret has ${bytes} bytes, fewer than ${HS256_BYTES}`,
      {
        path,
        hint: "RFC 7518 asks for 32 bytes for HS256; `short_keys = refuse` is written",
      },
    );
    return undefined;
  }
  if (bytes < HS256_BYTES) {
    issues.warning(
      "WARN_CONFIG_SHORT_SECRET",
      at,
      `the secret has ${bytes} bytes; fewer than ${HS256_BYTES} can be guessed from one token`,
      { path, hint: "RFC 7518 asks for 32 bytes for HS256, 48 for HS384, 64 for HS512" },
    );
  }
  return { type: "hmac", secret, secretBase64Encoded, at };
}

const FILE_PREFIX = "file://";
/** RFC 7518 §3.2: a key at least as long as the hash. */
const HS256_BYTES = 32;

/** White space is tolerated between the characters. */
function isBase64(text: string): boolean {
  const compact = text.replace(/\s+/g, "");
  return compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact);
}

function base64Bytes(text: string): number {
  const compact = text.replace(/\s+/g, "");
  const padding = compact.endsWith("==") ? 2 : compact.endsWith("=") ? 1 : 0;
  return (compact.length / 4) * 3 - padding;
}

/** PEM text, or the file that holds it. */
export function readPublicKey(
  values: { readonly enable: boolean; readonly public_key: Located },
  place: Place,
): JwtKeySource | undefined {
  const { issues, switches } = place.load;
  const path = `${place.path}.public_key`;
  const { value, at } = values.public_key;
  let pem = value;
  if (!value.includes(PEM_BEGIN)) {
    // EMQX does not look at the key of a disabled authenticator.
    if (!values.enable) return { type: "public_key", pem: "", at };
    const file = expandPath(value, at, { ...place, path });
    const text = file === undefined ? undefined : readTextFile(file, at, { ...place, path });
    if (text === undefined) return undefined;
    pem = text;
  }
  if (!values.enable) return { type: "public_key", pem, at };
  const blocks = pem.split(PEM_BEGIN).length - 1;
  if (blocks === 0) {
    issues.error("ERR_CONFIG_VALUE", at, "expected PEM text: `-----BEGIN …-----`", {
      path,
      hint: 'give the text between `"""` and `"""`, or the path of a PEM file',
    });
    return undefined;
  }
  if (blocks > 1) {
    const message = `the key has ${blocks} PEM blocks`;
    if (!switches.several_pem_blocks) {
      issues.error("ERR_CONFIG_VALUE", at, `${message}, EMQX 6.2 takes exactly one`, { path });
      return undefined;
    }
    issues.warning("WARN_CONFIG_EMQX_REFUSES", at, `${message}, EMQX 6.2 refuses more than one`, {
      path,
    });
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    issues.warning("WARN_CONFIG_PRIVATE_KEY", at, "this is a private key", {
      path,
      hint: "a public key is enough to check tokens; keep the private one where they are made",
    });
  }
  return { type: "public_key", pem, at };
}

const PEM_BEGIN = "-----BEGIN ";
