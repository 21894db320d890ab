/** The parts of an image that src/ reads: the run-time configuration and the rules' places. */
import { ENTRY_META, ENTRY_SOURCE_MAP } from "../assembly/abi.ts";
import { readEntry } from "./compile/image.ts";
import type { Config } from "./config/config.ts";
import { CoreError } from "./errors.ts";
import type { RuleReference } from "./types.ts";

export interface PolicyMeta {
  /** Without rule text, and without secrets unless the image was compiled with them. */
  readonly config: Config;
  /** Configuration path of an expression → its program id in the image. */
  readonly programs: Readonly<Record<string, number>>;
}

export interface RuleSourceMap {
  file: string;
  /** Line, column and text of each rule, in order. */
  rules: [line: number, column: number, text: string][];
}

/** The run-time configuration of an image the core has opened. */
export function readMeta(image: Uint8Array): PolicyMeta {
  return readJson(image, ENTRY_META) as PolicyMeta;
}

/** Configuration paths of the secrets that an image was compiled without. */
export function missingSecrets(image: Uint8Array): string[] {
  const { config } = readMeta(image);
  return [config.authentication, ...config.listeners.map((one) => one.authentication ?? [])]
    .flat()
    .filter((one) => one.mechanism === "jwt" && one.keys.type === "hmac" && !one.keys.secret)
    .map((one) => `${one.path}.secret`);
}

/** Where the rules of an image stand in their source; decoded when first asked for. */
export class RuleReferences {
  readonly #image: Uint8Array;
  #map: RuleSourceMap | undefined;

  constructor(image: Uint8Array) {
    this.#image = image;
  }

  /** The rule with this number, counted from 0. */
  get(rule: number): RuleReference {
    this.#map ??= readJson(this.#image, ENTRY_SOURCE_MAP) as RuleSourceMap;
    const [line, column, text] = this.#map.rules[rule] ?? [0, 0, ""];
    return { number: rule + 1, at: { file: this.#map.file, line, column }, text };
  }
}

function readJson(image: Uint8Array, kind: number): unknown {
  const bytes = readEntry(image, kind, 0);
  if (!bytes) throw new CoreError("ERR_CORE_IMAGE", "the image has no run-time configuration");
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new CoreError("ERR_CORE_IMAGE", "the image's configuration is damaged", { cause });
  }
}
