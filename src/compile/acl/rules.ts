/** acl.conf → rules. The one entry of the rule-file reader. */
import { ACTION_ANY } from "../../../assembly/abi.ts";
import { nearest } from "../../config/nearest.ts";
import type { Issue } from "../../errors.ts";
import type { Text } from "../../types.ts";
import type { Rule, TopicEntry, Who } from "../rule/ast.ts";
import { readAction } from "./action.ts";
import { AclReport, quote } from "./report.ts";
import { decodeAcl, Positions } from "./source.ts";
import { readTerms, type Term } from "./terms.ts";
import { characterData, termText } from "./text.ts";
import { readEqualTopic, readFilter, readTopic } from "./topic-entry.ts";
import { EVERYONE, readProfile, readWho, type WhoOptions } from "./who.ts";

export interface AclOptions extends WhoOptions {
  /** Named in every position. */
  readonly file: string;
  /** Configuration path of the source, for issues; empty for a file on its own. */
  readonly path?: string | undefined;
}

export interface AclReading {
  /** The rules that are right, in order. Not to be used when an issue is an error. */
  readonly rules: Rule[];
  readonly issues: Issue[];
}

/** Erlang's switch to another encoding, in one of the first two lines. */
const LATIN1_COMMENT = /(?<=%[^\n]{0,200})coding[ \t]*[:=][ \t]*latin-1/i;

/**
 * Reads a rule file. Reports everything that is wrong, with its place; never throws. One error
 * makes the file unusable as a whole, because rules are tried in order and a gap would change
 * what the later ones mean. Cost: one pass over the text.
 *
 * Source: authorization §2.
 */
export function readAcl(content: Text, options: AclOptions): AclReading {
  const { text, badUtf8At } = decodeAcl(content);
  const report = new AclReport(new Positions(options.file, text), options.path ?? "");
  // Of its own, so that looking up an issue does not cost the rules their place in the text.
  const positions = new Positions(options.file, text);
  const rules: Rule[] = [];
  refuseEncoding(text, badUtf8At, report);
  readTerms(
    text,
    (term) => {
      const errors = report.errors;
      const rule = readRule(term, options, report);
      if (!rule || report.errors > errors) return;
      const { permission, who, actions, topics } = rule;
      const written = text.slice(term.at, term.end);
      rules.push({ permission, who, actions, topics, at: positions.at(term.at), text: written });
    },
    (error) => report.error(error.at, "ERR_CONFIG_ACL_SYNTAX", error.message, error.hint),
    () => !report.isFull,
  );
  return { rules, issues: report.issues };
}

function refuseEncoding(text: string, badUtf8At: number | undefined, report: AclReport): void {
  const coding = text.split("\n", 2).join("\n").slice(0, 1000).search(LATIN1_COMMENT);
  if (coding !== -1) {
    const message = "only UTF-8 is read, not latin-1";
    const hint = "save the file as UTF-8 and remove the `coding:` comment";
    report.error(coding, "ERR_CONFIG_ACL_SYNTAX", message, hint);
  }
  if (badUtf8At === undefined) return;
  report.error(badUtf8At, "ERR_CONFIG_ACL_SYNTAX", "this is not UTF-8", "save the file as UTF-8");
}

function readRule(term: Term, options: WhoOptions, report: AclReport): Rule | undefined {
  if (term.kind !== "tuple") {
    const hint =
      term.kind === "list" ? "write one rule after another, without brackets" : undefined;
    report.error(term.at, "ERR_CONFIG_ACL_RULE", "a rule is a tuple: { … }", hint);
    return undefined;
  }
  const { items } = term;
  if (items.length === 2)
    return readShortRule(term, items[0] as Term, items[1] as Term, options, report);
  if (items.length !== 4) {
    refuseArity(term, items, report);
    return undefined;
  }
  const [permissionTerm, whoTerm, actionTerm, topicsTerm] = items as [Term, Term, Term, Term];
  const permission = readPermission(permissionTerm);
  if (!permission) {
    const [message, hint] = describePermission(permissionTerm);
    report.error(permissionTerm.at, "ERR_CONFIG_ACL_PERMISSION", message, hint);
  }
  const who = readWho(whoTerm, options, report);
  const actions = readAction(actionTerm, report);
  const topics = readTopics(topicsTerm, options, report);
  return permission && topics ? { permission, who, actions, topics } : undefined;
}

/** `{perm, all}` and `{perm, {security_profile, …}}`: every action on every topic. */
function readShortRule(
  term: Term,
  permissionTerm: Term,
  whoTerm: Term,
  options: WhoOptions,
  report: AclReport,
): Rule | undefined {
  const permission = readPermission(permissionTerm);
  if (!permission) {
    const [message, hint] = describePermission(permissionTerm);
    report.error(permissionTerm.at, "ERR_CONFIG_ACL_RULE", message, hint);
    return undefined;
  }
  const who = readShortWho(whoTerm, options, report);
  if (who) return { permission, who, actions: ACTION_ANY, topics: "all" };
  report.error(
    term.at,
    "ERR_CONFIG_ACL_RULE",
    "a rule of two parts takes `all` or {security_profile, …} as its second",
    `say for which action and topics: {${permission}, …, all, all}`,
  );
  return undefined;
}

function readShortWho(term: Term, options: WhoOptions, report: AclReport): Who | undefined {
  if (term.kind === "atom" && term.name === "all") return EVERYONE;
  if (term.kind !== "tuple" || term.items.length !== 2) return undefined;
  const [key, value] = term.items as [Term, Term];
  const isProfile = key.kind === "atom" && key.name === "security_profile";
  return isProfile ? readProfile(value, options, report) : undefined;
}

function refuseArity(term: Term, items: readonly Term[], report: AclReport): void {
  const [first] = items;
  if (first && !readPermission(first)) {
    const [message, hint] = describePermission(first);
    report.error(first.at, "ERR_CONFIG_ACL_RULE", message, hint);
    return;
  }
  report.error(
    term.at,
    "ERR_CONFIG_ACL_RULE",
    `a rule has two or four parts, this one has ${items.length}`,
    'write {allow, who, action, topics}, e.g. {allow, all, publish, ["t/#"]}',
  );
}

function readPermission(term: Term): "allow" | "deny" | undefined {
  if (term.kind !== "atom") return undefined;
  // The constants, so that a rule does not keep a copy of the word.
  return term.name === "allow" ? "allow" : term.name === "deny" ? "deny" : undefined;
}

function describePermission(term: Term): [message: string, hint: string] {
  const text = termText(term);
  const word = typeof text === "string" ? text : undefined;
  const meant = word === undefined ? undefined : nearest(word, ["allow", "deny"]);
  return [
    word === undefined
      ? "a rule begins with `allow` or `deny`"
      : `a rule begins with \`allow\` or \`deny\`, not ${quote(word)}`,
    meant === undefined ? "write {allow, …} or {deny, …}" : `write \`${meant}\``,
  ];
}

function readTopics(
  term: Term,
  options: WhoOptions,
  report: AclReport,
): "all" | TopicEntry[] | undefined {
  if (term.kind === "atom" && term.name === "all") return "all";
  if (term.kind === "string") {
    const message = "topics are a list, this is a single text";
    report.error(term.at, "ERR_CONFIG_ACL_TOPIC", message, `write [${clipQuoted(term.value)}]`);
    return undefined;
  }
  if (term.kind !== "list" || term.tail) {
    const message = "topics are `all` or a list";
    report.error(term.at, "ERR_CONFIG_ACL_RULE", message, 'write all or ["t/#"]');
    return undefined;
  }
  if (term.items.length === 0) {
    const message = "without a topic this rule never applies";
    report.warning(term.at, "WARN_CONFIG_ACL_TOPIC", message, "write `all` for every topic");
  }
  const entries = term.items.map((item) => readTopicTerm(item, options, report));
  return entries.every((entry) => entry !== undefined) ? entries : undefined;
}

function readTopicTerm(term: Term, options: WhoOptions, report: AclReport): TopicEntry | undefined {
  const equal = equalOperand(term);
  const text = equal ? termText(equal) : characterData(term);
  if (text === undefined) {
    const hint = term.kind === "atom" ? topicHint(term.name) : 'write "t/#" or {eq, "t/#"}';
    report.error(term.at, "ERR_CONFIG_ACL_TOPIC", "this is no topic", hint);
    return undefined;
  }
  const reading = equal
    ? readEqualTopic(text)
    : isNestedList(term)
      ? readFilter(text, options.switches)
      : readTopic(text, options.switches);
  for (const complaint of reading.complaints) report.add(term.at, complaint);
  return reading.entry;
}

/** Only a text that is spelled in one piece can begin with `eq `. */
function isNestedList(term: Term): boolean {
  return term.kind === "list" && term.items.slice(0, 3).some(({ kind }) => kind !== "integer");
}

function equalOperand(term: Term): Term | undefined {
  if (term.kind !== "tuple" || term.items.length !== 2) return undefined;
  const [key, operand] = term.items;
  return key?.kind === "atom" && key.name === "eq" ? operand : undefined;
}

function topicHint(name: string): string {
  if (name === "all") return "write `all` without brackets for every topic";
  return `write ${clipQuoted(name)}, in double quotes`;
}

function clipQuoted(text: string): string {
  return `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`;
}
