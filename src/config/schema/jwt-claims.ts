/** `verify_claims`: what a token must say. Source: authentication §3.3.1, §8 item 11. */
import type { JwtConfig, Located } from "../config.ts";
import type { HoconObject } from "../hocon/index.ts";
import { object, required } from "./keys.ts";
import {
  elementsOf as elementNodes,
  joinPath,
  type Place,
  type Spec,
  text,
  wrong,
} from "./spec.ts";

/** `name → text`, or a list of `{ name, value }`. Numbers are not taken as texts here. */
export const verifyClaims: Spec<JwtConfig["verifyClaims"]> = {
  expects: 'an object of claims: `{ name = "value" }`',
  below: () => CLAIM_VALUE,
  read(node, place) {
    const elements = node.kind === "array" ? node.items : elementNodes(node);
    const entries = elements ?? (node.kind === "object" ? undefined : []);
    const out: { name: string; value: Located }[] = [];
    let isGood = true;
    const add = (name: string, value: Located | undefined, at: Located["at"]): void => {
      if (name === "" || value === undefined || !isCheckable(name, at, place)) isGood = false;
      if (name === "") {
        place.load.issues.error("ERR_CONFIG_VALUE", at, "a claim needs a name", {
          path: place.path,
        });
      } else if (value !== undefined) out.push({ name, value });
    };
    if (node.kind !== "array" && node.kind !== "object") return wrong(node, place, this.expects);
    if (entries) {
      entries.forEach((item, index) => {
        const path = `${place.path}[${index + 1}]`;
        const pair = CLAIM_PAIR.read(item, { ...place, path });
        if (pair === undefined) isGood = false;
        else add(pair.name, pair.value, item.at);
      });
      return isGood ? out : undefined;
    }
    for (const [name, member] of (node as HoconObject).members) {
      if (member.value.kind === "null") continue;
      const at = { ...place, path: joinPath(place.path, name) };
      add(name, CLAIM_VALUE.read(member.value, at), member.keyAt);
    }
    return isGood ? out : undefined;
  },
};

const CLAIM_VALUE: Spec<Located> = {
  expects: "a text",
  read(node, place) {
    if (node.kind === "text") return { value: node.value, at: node.contentAt };
    const hint =
      node.kind === "object"
        ? 'claims are looked up at top level; a name with a dot needs quotes: `"a.b" = "…"`'
        : "put the value in quotes";
    return wrong(node, place, "a text", hint);
  },
};

const CLAIM_PAIR = object(
  {
    name: required(text(), "name of the claim"),
    value: required(CLAIM_VALUE, "what it must be"),
  },
  "a claim: `{ name = …, value = … }`",
);

/** `exp`, `nbf` and `iat` are times, and compared with nothing else. */
function isCheckable(name: string, at: Located["at"], place: Place): boolean {
  if (!place.load.switches.time_claims_not_checkable || !TIME_CLAIMS.has(name)) return true;
  place.load.issues.error("ERR_CONFIG_VALUE", at, `\`${name}\` cannot be compared with a text`, {
    path: place.path,
    hint: "`exp` and `nbf` are always checked; leave it out",
  });
  return false;
}

const TIME_CLAIMS: ReadonlySet<string> = new Set(["exp", "nbf", "iat"]);
