/** Words for what was found, and what to write instead. */
import { clip, QUOTE_HINT } from "./lexer.ts";
import type { Token } from "./token.ts";

/** A token in a message. */
export function describe(token: Token): string {
  switch (token.type) {
    case "end":
      return "the end of the file";
    case "quoted":
      return clip(`"${token.text}"`);
    case "raw":
      return 'a text in `"""`';
    case "substitution":
      return `\`\${${token.optional ? "?" : ""}${token.text}}\``;
    default:
      return clip(token.text);
  }
}

const RUN = /[^\s,{}[\]"#]{1,200}/y;

/**
 * What is wrong with the unquoted value that starts at offset `start` of `text`. Quotes the whole
 * run up to the next blank, because `127.0.0.1:1883` is one thing to whoever wrote it.
 */
export function adviseValue(
  text: string,
  start: number,
  key: string | undefined,
): { message: string; hint: string } {
  RUN.lastIndex = start;
  const run = RUN.exec(text)?.[0] ?? text.charAt(start);
  const found = clip(run);
  const assign = key === undefined ? "" : `${key} = `;
  if (text.charAt(start + run.length) === '"') {
    return {
      message: `found ${found} directly before a quote`,
      hint: "a number and a text cannot be joined: put all of it in one pair of quotes",
    };
  }
  const exponent = /^([+-]?[0-9]+)([eE][+-]?[0-9]+)$/.exec(run);
  if (exponent) {
    return {
      message: `${found} is not a number: an exponent needs a fraction`,
      hint: `write \`${exponent[1]}.0${exponent[2]}\``,
    };
  }
  if (/^[+-]?[0-9]+\.$/.test(run)) {
    return { message: `${found} is not a number: digits are missing`, hint: `write \`${run}0\`` };
  }
  const quoted = `${assign}"${run.replaceAll("\\", "\\\\")}"`;
  return {
    message: `${found}${nameOf(run)} needs quotes`,
    hint: run.length > 60 ? QUOTE_HINT : `write \`${quoted}\``,
  };
}

function nameOf(run: string): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(run)) return " is a URL and";
  if (/^[0-9]{1,3}(\.[0-9]{1,3}){3}/.test(run)) return " is an address and";
  if (/^[A-Za-z0-9.-]+:[0-9]+$/.test(run)) return " is an address and";
  if (/^\.{0,2}\//.test(run)) return " is a path and";
  return "";
}
