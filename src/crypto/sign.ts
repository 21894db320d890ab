/** Making tokens, for trying things out: the `token` command, batch runs, quick start. */
import { CompactSign } from "jose";
import { toBytes } from "../text.ts";

/** A compact HS256 token over `payload`, which need not be JSON. */
export async function signHs256(secret: Uint8Array, payload: string | Uint8Array): Promise<string> {
  return new CompactSign(toBytes(payload)).setProtectedHeader({ alg: "HS256" }).sign(secret);
}
