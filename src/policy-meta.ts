/** The run-time configuration of an image. */
import { ENTRY_META } from "../assembly/abi.ts";
import { readEntry } from "./compile/image.ts";
import { type Config, MECHANISMS, SOURCE_TYPES } from "./config/config.ts";
import { missingSecretsOf } from "./config/secrets.ts";
import { SWITCH_NAMES } from "./config/switch-names.ts";
import { CoreError } from "./errors.ts";
import { decodeUtf8 } from "./text.ts";

export interface PolicyMeta {
  /** Without rule text, and without secrets unless the image was compiled with them. */
  readonly config: Config;
  /** Configuration path of an expression → its program id in the image. */
  readonly programs: Readonly<Record<string, number>>;
}

/**
 * The run-time configuration of an image the core has opened. Throws CoreError when it lacks a part
 * or a switch: a switch that is not there would silently be the lenient reading.
 */
export function readMeta(image: Uint8Array): PolicyMeta {
  const meta = readJson(image, ENTRY_META);
  if (!isObject(meta) || !isObject(meta.config) || !isObject(meta.programs)) throw damaged();
  const { switches, authentication, listeners, mqtt, authorization } = meta.config;
  const { passwordChecksWaitingMax } = meta.config;
  const isComplete =
    isObject(switches) &&
    SWITCH_NAMES.every((name) => typeof switches[name] === "boolean") &&
    isChain(authentication) &&
    isListOf(listeners, (one) => one.authentication === undefined || isChain(one.authentication)) &&
    isObject(mqtt) &&
    // A limit that is not there would be none.
    Number.isSafeInteger(passwordChecksWaitingMax) &&
    isObject(authorization) &&
    ["allow", "deny"].includes(authorization.noMatch as string) &&
    isListOf(
      authorization.sources,
      // A source that is passed over because nobody knows it could have been the one to refuse.
      ({ type, enable }) => SOURCE_TYPES.includes(type as string) && typeof enable === "boolean",
    );
  if (!isComplete) throw damaged();
  return meta as unknown as PolicyMeta;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf(
  value: unknown,
  test: (one: Readonly<Record<string, unknown>>) => boolean,
): boolean {
  return Array.isArray(value) && value.every((one) => isObject(one) && test(one));
}

function isChain(value: unknown): boolean {
  return isListOf(value, ({ mechanism, path, enable }) => {
    const isKnown = MECHANISMS.includes(mechanism as string);
    return isKnown && typeof path === "string" && typeof enable === "boolean";
  });
}

function damaged(cause?: unknown): CoreError {
  const message = "the image's configuration is damaged, or of another version: compile it again";
  return new CoreError("ERR_CORE_IMAGE", message, { cause });
}

/** Configuration paths of the secrets that an image was compiled without. */
export function missingSecrets(image: Uint8Array): string[] {
  const { config } = readMeta(image);
  const all = [config.authentication, ...config.listeners.map((one) => one.authentication ?? [])];
  return all.flat().flatMap(missingSecretsOf);
}

function readJson(image: Uint8Array, kind: number): unknown {
  const bytes = readEntry(image, kind, 0);
  if (!bytes) throw new CoreError("ERR_CORE_IMAGE", "the image has no run-time configuration");
  const text = decodeUtf8(bytes);
  if (text === undefined) throw damaged();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(cause);
  }
}
