/** The end of a client whose requests may still be under way, or yet to come. */
import type { HttpClient } from "../ports/http.ts";
import type { SetTimer } from "../ports/ports.ts";

/** What may use it by then is given up by its own time-out. */
export function closeLater(
  { client, setTimer }: { readonly client: HttpClient; readonly setTimer: SetTimer },
  delayMs: number,
): void {
  if (!client.close) return;
  try {
    setTimer(() => client.close?.(), delayMs);
  } catch {
    // Some hosts have timers only while they answer: there the connections end at once.
    client.close();
  }
}
