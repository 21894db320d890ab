/** What holds for the headers of every outgoing request. Source: authentication §5.1, §5.2. */

/** What the connection itself decides; a request that sets it is refused by some runtimes. */
export const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  ...["connection", "content-length", "expect", "host", "keep-alive", "te", "trailer"],
  ...["transfer-encoding", "upgrade"],
]);

/** How a body of this content type is written; undefined for types that it cannot be written in. */
export function bodyKindOf(
  contentType: string | undefined,
  parsesMediaTypes: boolean,
): "json" | "form" | undefined {
  const type = parsesMediaTypes ? mediaType(contentType ?? "") : contentType;
  if (type === "application/json") return "json";
  return type === "application/x-www-form-urlencoded" ? "form" : undefined;
}

/** The type of a content type, without parameters, lower-case [RFC 9110 8.3.1]. */
export function mediaType(contentType: string): string {
  return contentType.split(";", 1)[0]!.trim().toLowerCase();
}
