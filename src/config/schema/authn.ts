/** `authentication`: one authenticator or a list of them. Source: authentication §2.1, §3. */
import type { AuthenticatorConfig, CinfoConfig } from "../config.ts";
import type { HoconObject } from "../hocon/index.ts";
import { BUILT_IN_DATABASE_KEYS, readBuiltInDatabase } from "./built-in-database.ts";
import { COMMON_KEYS, withCommon } from "./common.ts";
import { HTTP_AUTHN_KEYS, readHttpAuthn } from "./http-authn.ts";
import { JWT_KEYS, readJwt } from "./jwt.ts";
import { checkOrder, idsOf } from "./jwt-issuer.ts";
import { type Keys, object, readKeys, required } from "./keys.ts";
import { readScram, SCRAM_KEYS } from "./scram.ts";
import { list, located, oneOf, type Place, type Spec, wrong } from "./spec.ts";
import { readVariant } from "./variant.ts";

const CHECK_KEYS = {
  is_match: required(
    list(located("an expression"), { orSingle: true, notEmpty: true }),
    "an expression, or a list of expressions that all must be `true`",
  ),
  result: required(oneOf(["allow", "deny", "ignore"]), "the answer where it is `true`"),
} satisfies Keys;

const CINFO_KEYS = {
  ...COMMON_KEYS,
  checks: required(
    list(object(CHECK_KEYS, "a check: `{ is_match = …, result = … }`"), { notEmpty: true }),
    "the first check that holds decides",
  ),
} satisfies Keys;

type Read = (node: HoconObject, place: Place) => AuthenticatorConfig | undefined;

/** Mechanism, or mechanism and backend, → what reads it. The one list of what there is. */
const READERS: Readonly<Record<string, Read>> = {
  jwt: readJwt,
  cinfo: readCinfo,
  "password_based:built_in_database": readBuiltInDatabase,
  "password_based:http": readHttpAuthn,
  "scram:built_in_database": readScram,
};

const MECHANISM = {
  key: "mechanism",
  supported: wordsAt(0),
  unsupported: ["password_based", "scram", "gssapi", "gcp_device"].filter(isMissing),
  noun: "mechanism",
};

/** Backends of the mechanisms that have some, the supported and the others. */
const BACKENDS: Readonly<Record<string, readonly string[]>> = {
  password_based: ["built_in_database", "http", "mysql", "postgresql", "mongodb", "redis", "ldap"],
  scram: ["built_in_database", "http"],
};

const ALL_KEYS: Keys = {
  ...CINFO_KEYS,
  ...JWT_KEYS,
  ...BUILT_IN_DATABASE_KEYS,
  ...HTTP_AUTHN_KEYS,
  ...SCRAM_KEYS,
};

const authenticator: Spec<AuthenticatorConfig> = {
  expects: "an authenticator: `{ mechanism = …, … }`",
  below: (name) => (Object.hasOwn(ALL_KEYS, name) ? ALL_KEYS[name]?.spec : undefined),
  read(node, place) {
    if (node.kind !== "object") return wrong(node, place, this.expects);
    const mechanism = readVariant(node, place, MECHANISM);
    if (mechanism === undefined) return undefined;
    const backends = BACKENDS[mechanism];
    if (backends === undefined) return readWith(mechanism, node, place);
    const backend = readVariant(node, place, {
      key: "backend",
      supported: wordsAt(1, mechanism),
      unsupported: backends,
      noun: `mechanism \`${mechanism}\` with backend`,
    });
    return backend === undefined ? undefined : readWith(`${mechanism}:${backend}`, node, place);
  },
};

function readWith(id: string, node: HoconObject, place: Place): AuthenticatorConfig | undefined {
  const config = READERS[id]!(node, place);
  return config && withCommon(config, node);
}

/** The words of READERS: mechanisms, or the backends of one. */
function wordsAt(position: 0 | 1, mechanism?: string): string[] {
  const ids = Object.keys(READERS).map((id) => id.split(":"));
  const fitting = mechanism === undefined ? ids : ids.filter(([first]) => first === mechanism);
  return [...new Set(fitting.map((id) => id[position]!))];
}

function isMissing(mechanism: string): boolean {
  return !wordsAt(0).includes(mechanism);
}

/** A chain, in order. A single object is a chain of one. */
export const chain: Spec<readonly AuthenticatorConfig[]> = {
  ...list(authenticator, { orSingle: true }),
  read(node, place) {
    const all = list(authenticator, { orSingle: true }).read(node, place);
    if (all) checkOrder(all, place);
    return all && dropDuplicates(all, place);
  },
};

function readCinfo(node: HoconObject, place: Place): CinfoConfig | undefined {
  const values = readKeys(node, CINFO_KEYS, place);
  if (values === undefined) return undefined;
  return {
    mechanism: "cinfo",
    id: "cinfo",
    path: place.path,
    at: node.at,
    enable: values.enable,
    precondition: values.precondition?.value ? values.precondition : undefined,
    checks: values.checks.map((check) => ({ isMatch: check.is_match, result: check.result })),
  };
}

/** Ids are unique in a chain. EMQX skips the second one, which is rarely what was meant. */
function dropDuplicates(
  all: readonly AuthenticatorConfig[],
  place: Place,
): readonly AuthenticatorConfig[] | undefined {
  const seen = new Set<string>();
  const kept: AuthenticatorConfig[] = [];
  let isGood = true;
  for (const one of all) {
    const ids = idsOf(one);
    const duplicate = ids.find((id) => seen.has(id));
    if (duplicate === undefined) {
      for (const id of ids) seen.add(id);
      kept.push(one);
      continue;
    }
    const { issues, preset } = place.load;
    const message = `a chain can have one \`${duplicate}\` authenticator, this is the second`;
    if (preset === "emqx") {
      issues.warning("WARN_CONFIG_DUPLICATE", one.at, `${message}: it is skipped, as by EMQX`, {
        path: one.path,
      });
    } else {
      issues.error("ERR_CONFIG_DUPLICATE", one.at, message, {
        path: one.path,
        hint: `merge the two, or remove one${one.mechanism === "jwt" ? "; with an `issuer` each there can be several" : ""}`,
      });
      isGood = false;
    }
  }
  return isGood ? kept : undefined;
}
