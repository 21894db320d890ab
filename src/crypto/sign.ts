/** Making tokens, for trying things out: the `token` command, batch runs, quick start. */
import { CompactSign } from "jose";

/** A compact HS256 token over `payload`, which need not be JSON. */
export async function signHs256(secret: Uint8Array, payload: string | Uint8Array): Promise<string> {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  return new CompactSign(bytes).setProtectedHeader({ alg: "HS256" }).sign(secret);
}
