/** `authorization`. Source: authorization §4.2, §4.3, §4.7.1, §4.7.2. */
import { STORED_RULES_MAX } from "../../../assembly/abi.ts";
import type {
  AuthorizationConfig,
  FileSourceConfig,
  SourceConfig,
  StoredRulesConfig,
} from "../config.ts";
import { besideFile, type HoconObject } from "../hocon/index.ts";
import { expandPath, readTextFile } from "./files.ts";
import { type Keys, key, object, optional, readKeys, required, withoutEffect } from "./keys.ts";
import {
  boolean,
  integer,
  joinPath,
  list,
  located,
  oneOf,
  type Place,
  type Spec,
  wrong,
} from "./spec.ts";
import { readVariant } from "./variant.ts";

const FILE_KEYS = {
  type: required(oneOf(["file"]), "where the rules are"),
  enable: key(boolean(), true, "a disabled source is skipped"),
  path: optional(located("the path of an acl.conf"), "the file with the rules"),
  rules: optional(located("acl.conf text", { mayBeEmpty: true }), "the rules themselves"),
} satisfies Keys;

/** EMQX's default of `max_rules`. */
const RULES_MAX = 100;

const DATABASE_KEYS = {
  type: required(oneOf(["built_in_database"]), "where the rules are"),
  enable: key(boolean(), true, "a disabled source is skipped"),
  max_rules: key(integer(1, STORED_RULES_MAX), RULES_MAX, "rules that one record may have"),
} satisfies Keys;

const TYPE = {
  key: "type",
  supported: ["file", "built_in_database"],
  unsupported: ["http", "mysql", "postgresql", "mongodb", "redis", "ldap"],
  noun: "the source type",
};

const source: Spec<SourceConfig> = {
  expects: "a source: `{ type = file, path = … }` or `{ type = built_in_database }`",
  below: (name) => (({ ...DATABASE_KEYS, ...FILE_KEYS }) as Keys)[name]?.spec,
  read(node, place) {
    if (node.kind !== "object") return wrong(node, place, this.expects);
    const type = readVariant(node, place, TYPE);
    if (type === undefined) return undefined;
    return type === "file" ? readFileSource(node, place) : readDatabaseSource(node, place);
  },
};

const sources: Spec<readonly SourceConfig[]> = {
  ...list(source),
  read(node, place) {
    const all = list(source).read(node, place);
    const twice = all?.find(({ type }, index) => all.findIndex((one) => one.type === type) < index);
    if (!twice) return all;
    place.load.issues.error(
      "ERR_CONFIG_DUPLICATE",
      node.at,
      `there is more than one \`${twice.type}\` source`,
      {
        path: place.path,
        hint: "at most one source of a type: put all rules into one",
      },
    );
    return undefined;
  },
};

const CACHE = withoutEffect("rules are decided faster than a cache answers, so it is not needed");

const AUTHORIZATION_KEYS = {
  no_match: key(oneOf(["allow", "deny"]), "deny", "the answer when no rule matches"),
  deny_action: key(oneOf(["ignore", "disconnect"]), "ignore", "what a denied client meets"),
  include_mountpoint: key(boolean(), false, "rules see the topic with its mountpoint"),
  ignore_backend_failures: key(boolean(), false, "a source that fails is skipped"),
  cache: CACHE,
  node_cache: CACHE,
  sources: key(sources, [], "the rules, in order"),
} satisfies Keys;

/** The root key `authorization`. */
export const authorization: Spec<AuthorizationConfig> = {
  ...object(AUTHORIZATION_KEYS),
  read(node, place) {
    const values = object(AUTHORIZATION_KEYS).read(node, place);
    return (
      values && {
        noMatch: values.no_match,
        denyAction: values.deny_action,
        includeMountpoint: values.include_mountpoint,
        ignoreBackendFailures: values.ignore_backend_failures,
        sources: values.sources,
      }
    );
  },
};

/** The file is read although the source may be disabled, as EMQX validates it in any case. */
function readFileSource(node: HoconObject, place: Place): FileSourceConfig | undefined {
  const values = readKeys(node, FILE_KEYS, place);
  if (values === undefined) return undefined;
  const { issues, file, env } = place.load;
  if (values.rules !== undefined && values.path === undefined) {
    const { value, at } = values.rules;
    return { type: "file", enable: values.enable, path: at?.file ?? file, text: value, at };
  }
  if (values.path === undefined || values.rules !== undefined) {
    issues.error(
      "ERR_CONFIG_REQUIRED",
      node.at,
      values.path ? "both `path` and `rules` are written" : "`path` is missing",
      {
        path: place.path,
        hint: 'write `path = "acl.conf"`, or the rules themselves: `rules = """…"""`',
      },
    );
    return undefined;
  }
  const below = { ...place, path: joinPath(place.path, "path") };
  const { value, at } = values.path;
  if (value.includes("${EMQX_ETC_DIR}") && !Object.hasOwn(env, "EMQX_ETC_DIR")) {
    issues.warning(
      "WARN_CONFIG_ETC_DIR",
      at,
      "`EMQX_ETC_DIR` is not set: the folder of the configuration file stands in for it",
      { path: below.path },
    );
  }
  const path = expandPath(value, at, below);
  const text = path === undefined ? undefined : readTextFile(path, at, below);
  if (path === undefined || text === undefined) return undefined;
  const name = besideFile(path, file);
  const start = { file: name, line: 1, column: 1 };
  return { type: "file", enable: values.enable, path: name, text, at: start };
}

function readDatabaseSource(node: HoconObject, place: Place): StoredRulesConfig | undefined {
  const values = readKeys(node, DATABASE_KEYS, place);
  if (values === undefined) return undefined;
  const { enable, max_rules: maxRules } = values;
  return { type: "built_in_database", enable, maxRules, at: node.at };
}
