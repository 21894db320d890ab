/** `mechanism = scram`, `backend = built_in_database`. Source: authentication §6.2. */
import type { ScramConfig } from "../config.ts";
import type { HoconObject } from "../hocon/index.ts";
import { COMMON_KEYS } from "./common.ts";
import { type Keys, key, readKeys, required } from "./keys.ts";
import { ours } from "./ours.ts";
import { boolean, integer, joinPath, oneOf, type Place, text } from "./spec.ts";

/** LIMIT: a client has to do this many HMACs to log in. */
const ITERATIONS_MAX = 10_000_000;
/** What RFC 7677 §4 asks for at least. */
const ITERATIONS_MIN = 4_096;

export const SCRAM_KEYS = {
  ...COMMON_KEYS,
  backend: required(text(), "where the users are"),
  algorithm: key(oneOf(["sha256", "sha512"]), "sha256", "SCRAM-SHA-256 or SCRAM-SHA-512"),
  iteration_count: key(
    integer(1, ITERATIONS_MAX),
    ITERATIONS_MIN,
    "how often passwords are hashed",
  ),
  bind_identity: key(
    ours(boolean()),
    ({ switches }) => switches.auth_identity_bound,
    "the SCRAM user becomes the username",
  ),
} satisfies Keys;

export function readScram(node: HoconObject, place: Place): ScramConfig | undefined {
  const values = readKeys(node, SCRAM_KEYS, place);
  if (values === undefined) return undefined;
  const { iteration_count: iterationCount } = values;
  if (iterationCount < ITERATIONS_MIN && place.load.preset === "strict") {
    const message = `${iterationCount} iterations make passwords easy to guess from what is stored`;
    place.load.issues.warning("WARN_CONFIG_FEW_ITERATIONS", node.at, message, {
      path: joinPath(place.path, "iteration_count"),
      hint: `RFC 7677 asks for ${ITERATIONS_MIN}`,
    });
  }
  return {
    mechanism: "scram",
    backend: "built_in_database",
    id: "scram:built_in_database",
    path: place.path,
    at: node.at,
    enable: values.enable,
    precondition: values.precondition?.value ? values.precondition : undefined,
    algorithm: values.algorithm,
    iterationCount,
    bindsIdentity: values.bind_identity,
  };
}
