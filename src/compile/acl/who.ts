/** The who part of a rule → the condition on the client. */

import type { Switches } from "../../config/compatibility.ts";
import type { SecurityProfile } from "../../config/config.ts";
import { nearest } from "../../config/nearest.ts";
import type { Text } from "../../types.ts";
import type { AddressRange, Who, WhoField } from "../rule/ast.ts";
import { readRange } from "./address.ts";
import { type AclReport, quote } from "./report.ts";
import type { Term } from "./terms.ts";
import { characterData, termText } from "./text.ts";

export interface WhoOptions {
  readonly switches: Switches;
  readonly securityProfile: SecurityProfile;
  /** Says what is wrong with a regular expression, or nothing. */
  readonly validatePattern?: ((pattern: Text) => string | undefined) | undefined;
}

/** Answered in place of a condition that was reported as wrong; its rule is dropped. */
const NOBODY: Who = { type: "constant", value: false };
export const EVERYONE: Who = { type: "all" };

const FIELDS: ReadonlyMap<string, WhoField> = new Map<string, WhoField>([
  ["username", { name: "username" }],
  ["user", { name: "username" }],
  ["clientid", { name: "clientid" }],
  ["client", { name: "clientid" }],
  ["zone", { name: "zone" }],
  ["listener", { name: "listener" }],
]);
const CONDITIONS = [
  ...FIELDS.keys(),
  "ipaddr",
  "ipaddrs",
  "client_attr",
  "security_profile",
  "and",
  "or",
];
/** What people write for the conditions that exist. */
const ALIASES: Readonly<Record<string, string>> = {
  peerhost: "ipaddr",
  peer: "ipaddr",
  ip: "ipaddr",
  ipaddress: "ipaddr",
  client_id: "clientid",
  client_attrs: "client_attr",
  attr: "client_attr",
};

/** Reads the who term; reports everything that is wrong with it. Source: authorization §2.2, §3.3. */
export function readWho(term: Term, options: WhoOptions, report: AclReport): Who {
  if (term.kind === "atom" && term.name === "all") return EVERYONE;
  const [key, value, extra] = term.kind === "tuple" ? term.items : [];
  const name = key?.kind === "atom" ? key.name : undefined;
  const arity = term.kind === "tuple" ? term.items.length : 0;
  if (name === "client_attr" && arity === 3) {
    return readAttribute(value as Term, extra as Term, options, report);
  }
  if (name === undefined || !value || arity !== 2) return refuse(term, name, report);
  const field = FIELDS.get(name);
  if (field) return readField(field, name, value, options, report);
  switch (name) {
    case "and":
    case "or":
      return readCompound(name, value, options, report);
    case "ipaddr":
      return { type: "address", ranges: readRanges([value], options, report) };
    case "ipaddrs":
      return readAddressList(value, options, report);
    case "security_profile":
      return readProfile(value, options, report);
    default:
      return refuse(term, name, report);
  }
}

/** `{security_profile, …}`, which may also stand for a whole rule's condition. */
export function readProfile(value: Term, options: WhoOptions, report: AclReport): Who {
  if (value.kind === "atom" && (value.name === "legacy" || value.name === "hardened")) {
    return { type: "constant", value: value.name === options.securityProfile };
  }
  const message = "a security profile is `legacy` or `hardened`";
  report.error(value.at, "ERR_CONFIG_ACL_WHO", message);
  return NOBODY;
}

function readCompound(
  type: "and" | "or",
  value: Term,
  options: WhoOptions,
  report: AclReport,
): Who {
  if (value.kind !== "list" || value.tail) {
    const message = `\`'${type}'\` takes a list of conditions`;
    report.error(value.at, "ERR_CONFIG_ACL_WHO", message, `write {'${type}', [ … ]}`);
    return NOBODY;
  }
  return { type, of: value.items.map((item) => readWho(item, options, report)) };
}

function readField(
  field: WhoField,
  name: string,
  value: Term,
  options: WhoOptions,
  report: AclReport,
): Who {
  const pattern = readPattern(value);
  if (pattern) return readPatternCondition(field, name, pattern, options, report);
  const text = termText(value);
  if (text !== undefined) {
    warnOfTruncation(value, report);
    warnOfAll(name, value, report);
    return { type: "equal", field, value: text };
  }
  const isChecked = name === "username" || name === "user" || field.name === "clientid";
  if (!isChecked && !options.switches.malformed_conditions_refused) {
    const message = `\`${name}\` is compared with something that is no text: the rule fails when reached`;
    report.warning(value.at, "WARN_CONFIG_ACL_WHO", message);
    return { type: "raise" };
  }
  const message = `\`${name}\` takes a text or {re, text}`;
  report.error(value.at, "ERR_CONFIG_ACL_TEXT", message, `write {${name}, "…"}`);
  return NOBODY;
}

function readAttribute(nameTerm: Term, value: Term, options: WhoOptions, report: AclReport): Who {
  const attr = termText(nameTerm);
  if (attr === undefined) {
    const message = "the name of a client attribute is a text";
    report.error(nameTerm.at, "ERR_CONFIG_ACL_TEXT", message, 'write {client_attr, "name", "…"}');
    return NOBODY;
  }
  const field: WhoField = { name: "client_attr", attr };
  const pattern = readPattern(value);
  if (pattern) return readPatternCondition(field, "client_attr", pattern, options, report);
  const text = termText(value);
  if (text === undefined) {
    const message = "`client_attr` takes a text or {re, text} as its value";
    report.error(value.at, "ERR_CONFIG_ACL_TEXT", message);
    return NOBODY;
  }
  warnOfTruncation(value, report);
  return { type: "equal", field, value: text };
}

/** The pattern of `{re, …}`; undefined when the term is something else. */
function readPattern(term: Term): Term | undefined {
  if (term.kind !== "tuple" || term.items.length !== 2) return undefined;
  const [key, pattern] = term.items;
  return key?.kind === "atom" && key.name === "re" ? pattern : undefined;
}

function readPatternCondition(
  field: WhoField,
  name: string,
  term: Term,
  options: WhoOptions,
  report: AclReport,
): Who {
  const pattern = termText(term);
  if (pattern === undefined) {
    report.error(term.at, "ERR_CONFIG_ACL_TEXT", "a pattern is a text", 'write {re, "…"}');
    return NOBODY;
  }
  warnOfTruncation(term, report);
  const problem = options.validatePattern?.(pattern);
  if (problem !== undefined) {
    report.error(term.at, "ERR_CONFIG_ACL_PATTERN", `pattern of \`${name}\`: ${problem}`);
    return NOBODY;
  }
  return { type: "pattern", field, pattern };
}

function readAddressList(value: Term, options: WhoOptions, report: AclReport): Who {
  if (value.kind !== "list" || value.tail) {
    const message = "`ipaddrs` takes a list of addresses";
    const hint = 'write {ipaddrs, ["10.0.0.0/8"]} or {ipaddr, "10.0.0.0/8"}';
    report.error(value.at, "ERR_CONFIG_ACL_ADDRESS", message, hint);
    return NOBODY;
  }
  return { type: "address", ranges: readRanges(value.items, options, report) };
}

function readRanges(
  terms: readonly Term[],
  options: WhoOptions,
  report: AclReport,
): AddressRange[] {
  const ranges: AddressRange[] = [];
  for (const term of terms) {
    const text = term.kind === "binary" || isNested(term) ? undefined : characterData(term);
    if (typeof text !== "string") {
      const message = "an address is a text in double quotes";
      report.error(term.at, "ERR_CONFIG_ACL_ADDRESS", message, 'write "10.0.0.0/8"');
      continue;
    }
    const reading = readRange(text, { standard: options.switches.standard_addresses });
    if ("range" in reading) {
      ranges.push(reading.range);
      continue;
    }
    const message = `${quote(text)} ${reading.problem}`;
    const isLoose = "range" in readRange(text, { standard: false });
    const hint = isLoose ? "write all four numbers, in decimal, and no stray slash" : undefined;
    report.error(term.at, "ERR_CONFIG_ACL_ADDRESS", message, hint);
  }
  return ranges;
}

/** An address is a flat list of characters. */
function isNested(term: Term): boolean {
  return term.kind === "list" && term.items.some(({ kind }) => kind !== "integer");
}

function warnOfTruncation(term: Term, report: AclReport): void {
  if (term.kind !== "binary" || !term.isTruncated) return;
  const message = "without /utf8 every character of a binary is cut down to one byte";
  report.warning(term.at, "WARN_CONFIG_ACL_TEXT", message, 'write "…" or <<"…"/utf8>>');
}

function warnOfAll(name: string, term: Term, report: AclReport): void {
  if (term.kind !== "atom" || term.name !== "all") return;
  const message = `{${name}, all} is the ${name} \`all\`, not everyone`;
  report.warning(term.at, "WARN_CONFIG_ACL_WHO", message, "write `all` in place of the tuple");
}

function refuse(term: Term, name: string | undefined, report: AclReport): Who {
  const word = term.kind === "atom" ? term.name : name;
  const message =
    word === undefined ? "this is no condition on a client" : `unknown condition ${quote(word)}`;
  if (name !== undefined && CONDITIONS.includes(name)) {
    const shape = name === "client_attr" ? 'client_attr, "name", "value"' : `${name}, …`;
    const wrong = `\`${name}\` does not take ${tupleArguments(term)}`;
    report.error(term.at, "ERR_CONFIG_ACL_WHO", wrong, `write {${shape}}`);
    return NOBODY;
  }
  report.error(term.at, "ERR_CONFIG_ACL_WHO", message, whoHint(word, term));
  return NOBODY;
}

function tupleArguments(term: Term): string {
  const count = term.kind === "tuple" ? term.items.length - 1 : 0;
  return count === 0 ? "nothing" : count === 1 ? "a single value" : `${count} values`;
}

function whoHint(word: string | undefined, term: Term): string {
  if (word === "not") return "there is no `not`: put a deny rule before an allow rule";
  if (word !== undefined) {
    const candidates = term.kind === "atom" ? ["all"] : CONDITIONS;
    const meant = Object.hasOwn(ALIASES, word) ? ALIASES[word] : nearest(word, candidates);
    if (meant) return `did you mean \`${meant}\`?`;
  }
  return 'write `all` or a condition such as {username, "…"}';
}
