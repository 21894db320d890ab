/** Looks for secrets in what was written, in every form they are likely to take. */

/**
 * The forms of a secret: base64 at each of the three offsets, hexadecimal, and of a text as it is and
 * escaped.
 */
export function formsOf(secret: string | Uint8Array): string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    // The characters at the edges also hold bits of what stands beside the secret.
    return text.replace(/=+$/, "").slice(offset === 0 ? 0 : offset + 1, -1);
  });
  const base64url = base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
  const asText =
    typeof secret === "string"
      ? [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]
      : [];
  return [...new Set([...asText, ...base64, ...base64url, hex, hex.toUpperCase()])];
}

/** `SECRET's name in PLACE: …`, for every secret that stands in a text. */
export function leaksIn(
  texts: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string | Uint8Array>>,
): string[] {
  return Object.entries(texts).flatMap(([place, text]) =>
    Object.entries(secrets).flatMap(([name, secret]) =>
      formsOf(secret)
        .filter((form) => text.includes(form))
        .map((form) => {
          const at = text.indexOf(form);
          return `${name} in ${place}: ${text.slice(Math.max(0, at - 80), at + 40)}`;
        }),
    ),
  );
}
