/** Rules and conditions in an operator's words. */
import { ACTION_ANY, ACTION_PUBLISH_ANY, ACTION_SUBSCRIBE_ANY } from "../../assembly/abi.ts";
import type { AddressRange, Rule, Who, WhoField } from "../compile/rule/ast.ts";
import { showText } from "../text.ts";
import type { Text } from "../types.ts";

/** A condition, as it follows "clients whose …" or "everyone". */
export function describeWho(who: Who): string {
  switch (who.type) {
    case "all":
      return "everyone";
    case "constant":
      return who.value
        ? "everyone (under this security profile)"
        : "nobody (another security profile)";
    case "raise":
      return "a condition that fails when it is evaluated";
    case "equal":
      return `${describeField(who.field)} is ${quote(who.value)}`;
    case "pattern":
      return `${describeField(who.field)} matches ${quote(who.pattern)}`;
    case "address":
      if (who.ranges.length === 0) return "nobody (an empty list of addresses)";
      return `address is in ${who.ranges.map(describeRange).join(" or ")}`;
    case "and":
    case "or": {
      if (who.of.length === 0) return who.type === "and" ? "everyone" : "nobody";
      const parts = who.of.map((one) => {
        const text = describeWho(one);
        return (one.type === "and" || one.type === "or") && one.of.length > 1 ? `(${text})` : text;
      });
      return parts.join(` ${who.type} `);
    }
  }
}

/** The action part: `publish`, `subscribe with QoS 1` … */
export function describeActions(actions: number): string {
  if (actions === ACTION_ANY) return "publish and subscribe";
  const parts: string[] = [];
  if (actions & ACTION_PUBLISH_ANY) parts.push(`publish${publishDetail(actions)}`);
  if (actions & ACTION_SUBSCRIBE_ANY) parts.push(`subscribe${subscribeDetail(actions)}`);
  return parts.join(" and ") || "nothing";
}

/** `rule 3 (acl.conf:7)`; counted from 0. */
export function nameRule(rules: readonly Rule[], number: number): string {
  const at = rules[number]?.at;
  return `rule ${number + 1}${at ? ` (${at.file}:${at.line})` : ""}`;
}

/** A placeholder's or condition's field in words. */
export function describeFieldName(name: string): string {
  if (name === "clientid") return "client id";
  if (name === "cert_common_name") return "certificate's common name";
  if (name.startsWith("client_attrs."))
    return `attribute \`${name.slice("client_attrs.".length)}\``;
  return name;
}

function describeField(field: WhoField): string {
  return field.name === "client_attr"
    ? `attribute ${quote(field.attr)}`
    : describeFieldName(field.name);
}

function describeRange({ network, prefixLength }: AddressRange): string {
  if (network.length === 4)
    return `${network.join(".")}${prefixLength < 32 ? `/${prefixLength}` : ""}`;
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((network[at * 2] ?? 0) << 8) | (network[at * 2 + 1] ?? 0)).toString(16),
  );
  // The first of the longest runs of zeros, two groups at least (RFC 5952 §4.2).
  const runs = groups.join(":").match(/(?<=^|:)0(?::0)+(?=:|$)/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  const text = groups.join(":");
  const at = longest === "" ? -1 : text.search(new RegExp(`(?<=^|:)${longest}(?=:|$)`));
  const short =
    at === -1
      ? text
      : `${text.slice(0, at).replace(/:$/, "")}::${text.slice(at + longest.length).replace(/^:/, "")}`;
  return `${short}${prefixLength < 128 ? `/${prefixLength}` : ""}`;
}

function publishDetail(actions: number): string {
  const of = (retain: number): number[] =>
    [0, 1, 2].filter((qos) => actions & (1 << (qos * 2 + retain)));
  const plain = of(0);
  const retained = of(1);
  if (plain.length === 3 && retained.length === 3) return "";
  const qos = (levels: readonly number[]): string =>
    levels.length === 3 ? "" : ` with QoS ${levels.join(", ")}`;
  if (plain.join() === retained.join()) return qos(plain);
  if (retained.length === 0) return `${qos(plain)} not retained`;
  if (plain.length === 0) return `${qos(retained)} retained`;
  return `${qos(plain)} not retained or${qos(retained)} retained`;
}

function subscribeDetail(actions: number): string {
  const levels = [0, 1, 2].filter((qos) => actions & (64 << qos));
  return levels.length === 3 ? "" : ` with QoS ${levels.join(", ")}`;
}

function quote(text: Text): string {
  const shown = showText(text);
  return `\`${shown.length > 100 ? `${shown.slice(0, 100)}…` : shown}\``;
}
