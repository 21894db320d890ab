/** `authentication`: one authenticator or a list of them. Source: authentication §2.1, §3. */
import type { AuthenticatorConfig, CinfoConfig } from "../config.ts";
import type { HoconObject } from "../hocon/index.ts";
import { nearest } from "../nearest.ts";
import { COMMON_KEYS } from "./common.ts";
import { JWT_KEYS, readJwt } from "./jwt.ts";
import { type Keys, object, readKeys, required } from "./keys.ts";
import {
  joinPath,
  list,
  located,
  oneOf,
  type Place,
  type Spec,
  scalarText,
  wrong,
} from "./spec.ts";

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

/** What EMQX has and this does not, by mechanism. */
const UNSUPPORTED_MECHANISMS = ["password_based", "scram", "gssapi", "gcp_device"];
const MECHANISMS = ["cinfo", "jwt"];

const ALL_KEYS: Keys = { ...CINFO_KEYS, ...JWT_KEYS };

const authenticator: Spec<AuthenticatorConfig> = {
  expects: "an authenticator: `{ mechanism = …, … }`",
  below: (name) => (Object.hasOwn(ALL_KEYS, name) ? ALL_KEYS[name]?.spec : undefined),
  read(node, place) {
    if (node.kind !== "object") return wrong(node, place, this.expects);
    const mechanism = readMechanism(node, place);
    if (mechanism === "cinfo") return readCinfo(node, place);
    return mechanism === "jwt" ? readJwt(node, place) : undefined;
  },
};

/** A chain, in order. A single object is a chain of one. */
export const chain: Spec<readonly AuthenticatorConfig[]> = {
  ...list(authenticator, { orSingle: true }),
  read(node, place) {
    const all = list(authenticator, { orSingle: true }).read(node, place);
    return all && dropDuplicates(all, place);
  },
};

function readMechanism(node: HoconObject, place: Place): "cinfo" | "jwt" | undefined {
  const member = node.members.get("mechanism");
  const { issues } = place.load;
  if (member === undefined || member.value.kind === "null") {
    issues.error("ERR_CONFIG_REQUIRED", node.at, "`mechanism` is missing", {
      path: place.path,
      hint: "write `mechanism = jwt` or `mechanism = cinfo`",
    });
    return undefined;
  }
  const at = { ...place, path: joinPath(place.path, "mechanism") };
  const name = scalarText(member.value);
  if (name === "cinfo" || name === "jwt") return name;
  if (name !== undefined && UNSUPPORTED_MECHANISMS.includes(name)) {
    const backend = node.members.get("backend")?.value;
    const suffix = backend?.kind === "text" ? ` with backend \`${backend.value}\`` : "";
    issues.error(
      "ERR_CONFIG_UNSUPPORTED",
      member.value.at,
      `mechanism \`${name}\`${suffix} is not supported`,
      { path: at.path, hint: "supported are `jwt` and `cinfo`" },
    );
    return undefined;
  }
  const known = [...MECHANISMS, ...UNSUPPORTED_MECHANISMS];
  const guess = name === undefined ? undefined : nearest(name, known);
  return wrong(member.value, at, "`jwt` or `cinfo`", guess && `did you mean \`${guess}\`?`);
}

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
    if (!seen.has(one.id)) {
      seen.add(one.id);
      kept.push(one);
      continue;
    }
    const { issues, preset } = place.load;
    const message = `a chain can have one \`${one.id}\` authenticator, this is the second`;
    if (preset === "emqx") {
      issues.warning("WARN_CONFIG_DUPLICATE", one.at, `${message}: it is skipped, as by EMQX`, {
        path: one.path,
      });
    } else {
      issues.error("ERR_CONFIG_DUPLICATE", one.at, message, {
        path: one.path,
        hint: "merge the two, or remove one",
      });
      isGood = false;
    }
  }
  return isGood ? kept : undefined;
}
