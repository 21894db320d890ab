/** Where to read on after a syntax error. Skips over text, comments and character codes. */
import { type AclSyntaxError, isClosingDot } from "./lexer.ts";

/**
 * The offset behind the next closing dot, or of the next `{` that starts a line. Always past the
 * start of the term that failed. Cost: one pass over what is skipped, without allocating.
 */
export function findNextTerm(text: string, failure: AclSyntaxError): number {
  let at = failure.resumeAt;
  // The `{` that was unexpected starts no other rule.
  if (text[at] === "{") at += 1;
  while (at < text.length) {
    switch (text[at]) {
      case ".":
        if (isClosingDot(text, at)) return at + 1;
        break;
      case "{":
        if (startsLine(text, at)) return at;
        break;
      case "%":
        at = endOfLine(text, at) - 1;
        break;
      case "$":
        at += text[at + 1] === "\\" ? 2 : 1;
        break;
      case '"':
      case "'":
        at = endOfQuoted(text, at) - 1;
        break;
    }
    at += 1;
  }
  return text.length;
}

/** Behind the closing quote; the end of the line where there is none. */
function endOfQuoted(text: string, at: number): number {
  const quote = text[at];
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === "\\") end += 1;
    else if (text[end] === quote) return end + 1;
  }
  return endOfLine(text, at);
}

function endOfLine(text: string, at: number): number {
  const lineEnd = text.indexOf("\n", at);
  return lineEnd === -1 ? text.length : lineEnd;
}

function startsLine(text: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && (text[before] === " " || text[before] === "\t")) before -= 1;
  return before < 0 || text[before] === "\n" || text[before] === "\r";
}
