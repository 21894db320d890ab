/**
 * bcrypt's modular crypt texts, and what becomes of passwords that it cannot tell apart. The cipher
 * itself is the host's. Source: authentication §4, §8 item 47.
 */

/** LIMIT: bcrypt sees no more of a password. */
export const BCRYPT_PASSWORD_BYTES_MAX = 72;

export const BCRYPT_COST_MIN = 4;
export const BCRYPT_COST_MAX = 31;

export interface BcryptSetting {
  readonly cost: number;
  /** 16 bytes. */
  readonly salt: Uint8Array;
}

/** `$2b$10$`, 22 characters of salt; of a stored hash 31 more. */
const SETTING = /^\$2[abxy]\$([0-9]{2})\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})?$/;

const ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Cost and salt of a stored hash, or of the beginning that a new hash gets; undefined for other texts. */
export function parseBcrypt(text: string): BcryptSetting | undefined {
  const match = SETTING.exec(text);
  const cost = Number(match?.[1]);
  if (!match || cost < BCRYPT_COST_MIN || cost > BCRYPT_COST_MAX) return undefined;
  return { cost, salt: decodeSalt(match[2]!) };
}

/** Is this a whole hash? */
export function isBcryptHash(text: string): boolean {
  return parseBcrypt(text) !== undefined && SETTING.exec(text)?.[3] !== undefined;
}

/** The beginning of a new hash: `$2b$`, cost, salt. */
export function formatBcryptSetting({ cost, salt }: BcryptSetting): string {
  return `$2b$${String(cost).padStart(2, "0")}$${encodeSalt(salt)}`;
}

/**
 * The bytes that bcrypt is given. `cut`: what stands before the first NUL, of that 72 bytes.
 * `refuse`: undefined for a password of which bcrypt would not see everything.
 */
export function bcryptPassword(
  password: Uint8Array,
  overlong: "refuse" | "cut",
): Uint8Array | undefined {
  const nul = password.indexOf(0);
  const isWhole = nul < 0 && password.length <= BCRYPT_PASSWORD_BYTES_MAX;
  if (isWhole) return password;
  if (overlong === "refuse") return undefined;
  return password.subarray(0, nul < 0 ? undefined : nul).subarray(0, BCRYPT_PASSWORD_BYTES_MAX);
}

/** 16 bytes as 22 characters of 6 bits, high bits first, the last 4 bits zero. */
function encodeSalt(salt: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of salt) {
    bits = (bits << 8) | byte;
    held += 8;
    while (held >= 6) {
      held -= 6;
      text += ALPHABET[(bits >> held) & 63];
    }
    bits &= (1 << held) - 1;
  }
  return held > 0 ? text + ALPHABET[(bits << (6 - held)) & 63] : text;
}

function decodeSalt(text: string): Uint8Array {
  const salt = new Uint8Array(16);
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const character of text) {
    bits = (bits << 6) | ALPHABET.indexOf(character);
    held += 6;
    if (held < 8 || length === salt.length) continue;
    held -= 8;
    salt[length++] = bits >> held;
    bits &= (1 << held) - 1;
  }
  return salt;
}
