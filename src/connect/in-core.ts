/** Questions to the core that authenticators ask. */
import { CoreError } from "../errors.ts";

/**
 * What the core could not answer is never a failing authenticator, which some modes skip: the chain
 * lets a CoreError through, and the engine refuses.
 */
export function inCore<T>(ask: () => T): T {
  try {
    return ask();
  } catch (cause) {
    if (cause instanceof CoreError) throw cause;
    throw new CoreError("ERR_CORE_TRAP", "the core failed", { cause });
  }
}
