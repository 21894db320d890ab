/** Bodies of requests and answers: read no further than a limit. */
import { joinBytes } from "./text.ts";

/**
 * All bytes of a body; undefined when there are more than `bytesMax`, whose rest is let go. Rejects as
 * the body does, when it breaks off.
 */
export async function readBody(
  body: ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Not every runtime lets streams be iterated.
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joinBytes(chunks);
    length += value.length;
    if (length > bytesMax) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    chunks.push(value);
  }
}
