/** Records as they stand in the store, as JSON, and as the ports give them. */
import type { PasswordUser, ScramUser } from "../../../src/ports/user-database.ts";

/** Short names: there may be millions. */
export interface PasswordRecord {
  readonly h: string;
  /** Absent: no salt, which is not the empty one. */
  readonly s?: string;
  readonly su?: true;
}

export interface ScramRecord {
  /** Base64. */
  readonly k: string;
  readonly v: string;
  readonly s: string;
  readonly i: number;
  readonly su?: true;
}

export function toPasswordRecord({
  passwordHash,
  salt,
  isSuperuser,
}: PasswordUser): PasswordRecord {
  return {
    h: passwordHash,
    ...(salt !== undefined && { s: salt }),
    ...(isSuperuser && { su: true }),
  };
}

/** A tenant's user is never a superuser, whatever is stored. Source: authentication §3.4. */
export function fromPasswordRecord(record: PasswordRecord, namespace: string): PasswordUser {
  return {
    passwordHash: record.h,
    salt: record.s,
    isSuperuser: record.su === true && namespace === "",
  };
}

export function toScramRecord(user: ScramUser): ScramRecord {
  return {
    k: toBase64(user.storedKey),
    v: toBase64(user.serverKey),
    s: toBase64(user.salt),
    i: user.iterations,
    ...(user.isSuperuser && { su: true }),
  };
}

export function fromScramRecord(record: ScramRecord, namespace: string): ScramUser {
  return {
    storedKey: Buffer.from(record.k, "base64"),
    serverKey: Buffer.from(record.v, "base64"),
    salt: Buffer.from(record.s, "base64"),
    iterations: record.i,
    isSuperuser: record.su === true && namespace === "",
  };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
