/** The action part of a rule → the requests it speaks about, as bits. */
import { ACTION_PUBLISH_ANY, ACTION_SUBSCRIBE_ANY } from "../../../assembly/abi.ts";
import { nearest } from "../../config/nearest.ts";
import { type ActionName, actionBits } from "./action-bits.ts";
import { type AclReport, quote } from "./report.ts";
import type { Term } from "./terms.ts";

const ACTIONS: readonly ActionName[] = ["publish", "subscribe", "all"];
const ALIASES: Readonly<Record<string, ActionName>> = {
  pub: "publish",
  sub: "subscribe",
  pubsub: "all",
};

/** Reads the action term. Reports what is wrong and answers 0 then. Source: authorization §2.3. */
export function readAction(term: Term, report: AclReport): number {
  if (term.kind === "atom") {
    const action = readActionName(term, report);
    if (action === undefined) return 0;
    const publish = action === "subscribe" ? 0 : ACTION_PUBLISH_ANY;
    return publish | (action === "publish" ? 0 : ACTION_SUBSCRIBE_ANY);
  }
  const [name, options] = term.kind === "tuple" && term.items.length === 2 ? term.items : [];
  if (name?.kind !== "atom" || !options) {
    const isList = term.kind === "list";
    report.error(
      term.at,
      "ERR_CONFIG_ACL_ACTION",
      "an action is `publish`, `subscribe`, `all` or one of these with options",
      isList ? "write `all` for both" : "write publish or {publish, [{qos, 1}]}",
    );
    return 0;
  }
  const action = readActionName(name, report);
  const list = optionList(options);
  if (!list) {
    const message = "the options of an action are a list";
    report.error(options.at, "ERR_CONFIG_ACL_ACTION", message, "write [{qos, 1}]");
    return 0;
  }
  if (action === undefined) return 0;
  warnOfOptions(action, list, report);
  const qos = readQosOptions(list, report);
  const retain = action === "subscribe" ? "all" : readRetainOption(list, report);
  return actionBits(action, qos, retain);
}

function readActionName(term: Term & { kind: "atom" }, report: AclReport): ActionName | undefined {
  const action = ACTIONS.find((known) => known === term.name);
  if (action) return action;
  const meant = Object.hasOwn(ALIASES, term.name)
    ? ALIASES[term.name]
    : nearest(term.name, ACTIONS);
  report.error(
    term.at,
    "ERR_CONFIG_ACL_ACTION",
    `unknown action ${quote(term.name)}`,
    meant ? `did you mean \`${meant}\`?` : "write `publish`, `subscribe` or `all`",
  );
  return undefined;
}

/** A string is a list of numbers, and numbers are options nobody knows. */
function optionList(term: Term): readonly Term[] | undefined {
  if (term.kind === "list") return term.tail ? undefined : term.items;
  return term.kind === "string" ? [term] : undefined;
}

/** The values of `{qos, …}`, united; all three without one. `{qos, []}` alone is the empty set. */
function readQosOptions(options: readonly Term[], report: AclReport): Set<number> {
  const levels = new Set<number>();
  let isGiven = false;
  for (const option of options) {
    if (option.kind === "atom" && option.name === "qos") {
      isGiven = true;
      report.error(option.at, "ERR_CONFIG_ACL_QOS", "`qos` needs a value", "write {qos, 1}");
    }
    const value = optionValue(option, "qos");
    if (!value) continue;
    isGiven = true;
    for (const item of value.kind === "list" && !value.tail ? value.items : [value]) {
      if (item.kind === "integer" && item.value >= 0 && item.value <= 2) {
        levels.add(item.value);
        continue;
      }
      const message = "a QoS is 0, 1 or 2";
      report.error(item.at, "ERR_CONFIG_ACL_QOS", message, "write {qos, 1} or {qos, [0, 1]}");
    }
  }
  return isGiven ? levels : new Set([0, 1, 2]);
}

/** The first `retain` counts; the bare word means true. */
function readRetainOption(options: readonly Term[], report: AclReport): boolean | "all" {
  for (const option of options) {
    if (option.kind === "atom" && option.name === "retain") return true;
    if (!isOption(option, "retain")) continue;
    const value = optionValue(option, "retain");
    if (!value) return "all";
    if (value.kind === "atom" && value.name === "all") return "all";
    if (value.kind === "atom" && value.name === "true") return true;
    if (value.kind === "atom" && value.name === "false") return false;
    const message = "`retain` is `true`, `false` or `all`";
    report.error(value.at, "ERR_CONFIG_ACL_RETAIN", message);
    return "all";
  }
  return "all";
}

function isOption(option: Term, name: string): option is Term & { kind: "tuple" } {
  if (option.kind !== "tuple") return false;
  const [key] = option.items;
  return key?.kind === "atom" && key.name === name;
}

function optionValue(option: Term, name: string): Term | undefined {
  return isOption(option, name) && option.items.length === 2 ? option.items[1] : undefined;
}

/** What has no effect is said, since it reads as if it had one. */
function warnOfOptions(action: ActionName, options: readonly Term[], report: AclReport): void {
  for (const option of options) {
    const [key] = option.kind === "tuple" ? option.items : [option];
    const name = key?.kind === "atom" ? key.name : undefined;
    const isPair = option.kind === "atom" || (option.kind === "tuple" && option.items.length === 2);
    if (name === "retain" && isPair && action === "subscribe") {
      const message = "`retain` has no effect on subscribing";
      report.warning(option.at, "WARN_CONFIG_ACL_OPTION", message);
    } else if ((name !== "qos" && name !== "retain") || !isPair) {
      const meant = name === undefined ? undefined : nearest(name, ["qos", "retain"]);
      report.warning(
        option.at,
        "WARN_CONFIG_ACL_OPTION",
        name === undefined ? "this option has no effect" : `option ${quote(name)} has no effect`,
        meant && meant !== name ? `did you mean \`${meant}\`?` : undefined,
      );
    }
  }
}
