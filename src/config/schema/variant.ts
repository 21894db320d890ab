/** Objects that come in several kinds, told apart by one word: which one is it? */
import type { HoconObject } from "../hocon/index.ts";
import { nearest } from "../nearest.ts";
import { joinPath, type Place, scalarText, wrong } from "./spec.ts";

export interface Variants {
  /** The key that tells: `mechanism`, `type`. */
  readonly key: string;
  /** What it may say. */
  readonly supported: readonly string[];
  /** What EMQX has and this does not. */
  readonly unsupported: readonly string[];
  /** What such an object is called: `the source type`. */
  readonly noun: string;
}

/** The word that tells the kind; undefined when it is missing or wrong, and then that has been reported. */
export function readVariant(
  node: HoconObject,
  place: Place,
  { key, supported, unsupported, noun }: Variants,
): string | undefined {
  const member = node.members.get(key);
  const { issues } = place.load;
  const words = listOf(supported);
  if (member === undefined || member.value.kind === "null") {
    const choices = listOf(supported.map((word) => `${key} = ${word}`));
    issues.error("ERR_CONFIG_REQUIRED", node.at, `\`${key}\` is missing`, {
      path: place.path,
      hint: `write ${choices}`,
    });
    return undefined;
  }
  const at = { ...place, path: joinPath(place.path, key) };
  const word = scalarText(member.value);
  if (word !== undefined && supported.includes(word)) return word;
  if (word !== undefined && unsupported.includes(word)) {
    issues.error(
      "ERR_CONFIG_UNSUPPORTED",
      member.value.at,
      `${noun} \`${word}\` is not supported`,
      { path: at.path, hint: `use ${words}` },
    );
    return undefined;
  }
  const guess = word === undefined ? undefined : nearest(word, [...supported, ...unsupported]);
  return wrong(member.value, at, words, guess && `did you mean \`${guess}\`?`);
}

function listOf(words: readonly string[]): string {
  const quoted = words.map((word) => `\`${word}\``);
  const last = quoted.pop()!;
  return quoted.length > 0 ? `${quoted.join(", ")} or ${last}` : last;
}
