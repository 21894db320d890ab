/** Lines of a byte stream, each of bounded length. */

export type Line = { readonly text: string } | { readonly tooLong: true };

const LINE_FEED = 0x0a;

/**
 * The lines of `chunks`, without their line ends. Only a line feed ends a line: a JSON text may hold
 * U+2028. A line of more than `bytesMax` bytes is passed over and answered with `tooLong`, and never
 * held in memory.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Line> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (part: Uint8Array): void => {
    length += part.length;
    if (length > bytesMax) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  const finish = (): Line => {
    const line: Line = length > bytesMax ? { tooLong: true } : { text: textOf(parts) };
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, start);
      if (end < 0) break;
      take(chunk.subarray(start, end));
      yield finish();
      start = end + 1;
    }
    take(chunk.subarray(start));
  }
  if (length > 0) yield finish();
}

function textOf(parts: readonly Uint8Array[]): string {
  const text = Buffer.concat(parts).toString("utf8");
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}
