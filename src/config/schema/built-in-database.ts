/** `mechanism = password_based`, `backend = built_in_database`. Source: authentication §3.4. */
import type { BuiltInDatabaseConfig } from "../config.ts";
import type { HoconObject } from "../hocon/index.ts";
import { COMMON_KEYS } from "./common.ts";
import { expandPath } from "./files.ts";
import { type Keys, key, optional, readKeys, required } from "./keys.ts";
import { DEFAULT_ALGORITHM, passwordHash } from "./password-hash.ts";
import { joinPath, located, oneOf, type Place, text } from "./spec.ts";

export const BUILT_IN_DATABASE_KEYS = {
  ...COMMON_KEYS,
  backend: required(text(), "where the users are"),
  user_id_type: key(
    oneOf(["username", "clientid"]),
    "username",
    "what of the client names its account",
  ),
  password_hash_algorithm: key(
    passwordHash({ makesHashes: true }),
    DEFAULT_ALGORITHM,
    "how passwords are stored",
  ),
  bootstrap_file: optional(
    located("the path of a .csv or .json file"),
    "users to add when the authenticator is created",
  ),
  bootstrap_type: key(
    oneOf(["plain", "hash"]),
    "plain",
    "whether that file holds passwords or hashes",
  ),
} satisfies Keys;

/** Where EMQX looks when no file is written. */
const DEFAULT_BOOTSTRAP_FILE = "${EMQX_ETC_DIR}/auth-built-in-db-bootstrap.csv";

/** Reads the authenticator; the file itself is read where the database is. */
export function readBuiltInDatabase(
  node: HoconObject,
  place: Place,
): BuiltInDatabaseConfig | undefined {
  const values = readKeys(node, BUILT_IN_DATABASE_KEYS, place);
  if (values === undefined) return undefined;
  const { bootstrap_file: written } = values;
  const at = { ...place, path: joinPath(place.path, "bootstrap_file") };
  const path = expandPath(written?.value ?? DEFAULT_BOOTSTRAP_FILE, written?.at, at);
  if (path === undefined || !hasKnownKind(path, at, written?.at)) return undefined;
  return {
    mechanism: "password_based",
    backend: "built_in_database",
    id: "password_based:built_in_database",
    path: place.path,
    at: node.at,
    enable: values.enable,
    precondition: values.precondition?.value ? values.precondition : undefined,
    userIdType: values.user_id_type,
    algorithm: values.password_hash_algorithm,
    bootstrap: {
      path,
      type: values.bootstrap_type,
      isDefault: written === undefined,
      at: written?.at,
    },
  };
}

function hasKnownKind(path: string, { load, path: key }: Place, at: HoconObject["at"] | undefined) {
  if (/\.(csv|json)$/i.test(path)) return true;
  load.issues.error("ERR_CONFIG_VALUE", at, "expected a file that ends in `.csv` or `.json`", {
    path: key,
    hint: "the ending tells how the file is to be read",
  });
  return false;
}
