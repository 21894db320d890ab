/** `portcullis rules`: the rules of the built-in database. */
import { type Command, InvalidArgumentError } from "commander";
import { isJsonArray, parseJson } from "../../../src/json/parse.ts";
import { checkRules, importRules } from "../store/import/rules.ts";
import type { RecordPlace } from "../store/keys.ts";
import { type RuleTerms, ruleTermsOf } from "../store/rule-check.ts";
import type { RuleKind, StoredRecord } from "../store/store.ts";
import { EXIT_NO, note, print } from "../terminal.ts";
import {
  addStoreOptions,
  asciiJson,
  nameText,
  type OpenedStore,
  parseCount,
  printSlowly,
  type StoreOptions,
  withStore,
} from "./store-options.ts";

interface RuleOptions extends StoreOptions {
  readonly clientId?: string;
  readonly username?: string;
  readonly all?: boolean;
}

interface DeleteOptions extends RuleOptions {
  readonly number?: number;
}

const FORM = `
A rule is a JSON object, or a list of them:
  permission   allow or deny
  action       publish, subscribe or all
  topic        a filter, or topics: a list of them; \${clientid}, \${username} … are filled in
  qos, retain  optional: 0, 1, 2 or a list; true, false or "all"
  ipaddr, username_re, clientid_re, zone, zone_re, listener, listener_re   optional conditions`;

export function registerRules(program: Command): void {
  const rules = program
    .command("rules")
    .description("manage the rules of the built-in database, also while the broker runs")
    .addHelpText(
      "after",
      `
Rules belong to a client id, a username or everybody, and are tried in that order, each list from
its beginning; the first that applies decides.
${FORM}

Examples:
  portcullis rules add '{"permission":"allow","action":"publish","topic":"up/\${clientid}/#"}' \\
    --all -c portcullis.conf
  portcullis rules list --username ann -c portcullis.conf
  portcullis rules delete --client-id c1 -c portcullis.conf
  portcullis rules import rules.json -c portcullis.conf`,
    );
  registerAdd(rules);
  registerDelete(rules);
  registerList(rules);
  registerImport(rules);
}

function registerAdd(rules: Command): void {
  addWhoseOptions(rules.command("add").argument("<rule>", "a JSON object, or a list of them"))
    .description("append rules to somebody's list")
    .addHelpText("after", FORM)
    .action((text: string, options: RuleOptions) =>
      withStore(options, { make: true }, async ({ config, store }) => {
        const place = placeOf(options);
        const terms = ruleTermsOf(config);
        const { rulesMax } = terms;
        const added = readRules(text, terms);
        const count = store.write((writer) => {
          const before = writer.rules(place);
          if (before.length + added.length > rulesMax) return undefined;
          writer.putRules(place, [...before, ...added]);
          return before.length + added.length;
        });
        if (count === undefined) {
          note(`portcullis: ${describe(place)} would have more than ${rulesMax} rules (max_rules)`);
          process.exitCode = EXIT_NO;
        } else if (options.json) print(JSON.stringify({ added: added.length, rules: count }));
        else print(`added ${added.length} to ${describe(place)}, which has ${count} now`);
      }),
    );
}

function registerDelete(rules: Command): void {
  addWhoseOptions(rules.command("delete"))
    .description("delete somebody's rules, or one of them")
    .option("--number <count>", "only this one, as `rules list` counts them", parseCount)
    .action((options: DeleteOptions) =>
      withStore(options, { make: false }, async ({ store }) => {
        const place = placeOf(options);
        const deleted = store.write((writer) => {
          const before = writer.rules(place);
          if (options.number === undefined) {
            writer.delete("rules", place);
            return before.length;
          }
          if (options.number > before.length) return 0;
          const left = before.filter((_, index) => index !== options.number! - 1);
          if (left.length > 0) writer.putRules(place, left);
          else writer.delete("rules", place);
          return 1;
        });
        if (options.json) print(JSON.stringify({ deleted }));
        else if (deleted > 0) print(`deleted ${deleted} of ${describe(place)}`);
        else note(`portcullis: there is no such rule of ${describe(place)}`);
        if (deleted === 0) process.exitCode = EXIT_NO;
      }),
    );
}

function registerList(rules: Command): void {
  addWhoseOptions(rules.command("list"))
    .description("list rules; everybody's lists when nobody is named")
    .action((options: RuleOptions) => withStore(options, { make: false }, list(options)));
}

function registerImport(rules: Command): void {
  addStoreOptions(rules.command("import").argument("<file>", "a .json file"))
    .description("store the rules of a file, all of them or none")
    .addHelpText(
      "after",
      `
The file is a JSON list of records, each of which takes the place of what was there:
  [{ "username": "ann", "rules": [{ "permission": "allow", "action": "all", "topic": "a/#" }] },
   { "clientid": "c1", "namespace": "t1", "rules": [ … ] },
   { "all": true, "rules": [ … ] }]
${FORM}`,
    )
    .action((file: string, options: StoreOptions) =>
      withStore(options, { make: true }, async ({ config, store }) => {
        if (options.namespace !== undefined) {
          throw new InvalidArgumentError("the namespace of each record stands in the file");
        }
        const { records, rules } = await importRules(store, file, ruleTermsOf(config));
        if (options.json) print(JSON.stringify({ records, rules }));
        else print(`${records} record${records === 1 ? "" : "s"} with ${rules} rules stored`);
      }),
    );
}

function addWhoseOptions(command: Command): Command {
  return addStoreOptions(command)
    .option("--client-id <id>", "the rules of this client")
    .option("--username <name>", "the rules of this user")
    .option("--all", "the rules of everybody");
}

/** Whose list; undefined when nobody is named. */
function whoseOf({
  clientId,
  username,
  all,
  namespace = "",
}: RuleOptions): RecordPlace | undefined {
  const named: [RuleKind, string | undefined][] = [
    ["clientid", clientId],
    ["username", username],
    ["all", all ? "" : undefined],
  ];
  const given = named.filter((one): one is [RuleKind, string] => one[1] !== undefined);
  const [first] = given;
  if (given.length > 1 || (first && first[0] !== "all" && first[1] === "")) {
    throw new InvalidArgumentError("name one of --client-id, --username and --all, not empty");
  }
  return first && { group: first[0], namespace, id: first[1] };
}

function placeOf(options: RuleOptions): RecordPlace {
  const place = whoseOf(options);
  if (!place) throw new InvalidArgumentError("whose? --client-id ID, --username NAME or --all");
  return place;
}

function describe({ group, namespace, id }: RecordPlace): string {
  const tenant = namespace ? `, namespace ${nameText(namespace)}` : "";
  return group === "all" ? `everybody${tenant}` : `${group} ${nameText(id)}${tenant}`;
}

function readRules(text: string, terms: RuleTerms): readonly object[] {
  const read = parseJson(text);
  if (!read.ok) throw new InvalidArgumentError("the rule is not JSON");
  const checked = checkRules(isJsonArray(read.value) ? read.value : [read.value], terms);
  if (typeof checked === "string") throw new InvalidArgumentError(checked);
  if (checked.length === 0) throw new InvalidArgumentError("there is no rule in the list");
  return checked;
}

function list(options: RuleOptions): (opened: OpenedStore) => Promise<void> {
  const place = whoseOf(options);
  return async ({ store }) => {
    if (place) {
      const value = store.rules(place.group as RuleKind, place.id, place.namespace);
      if (value.length > 0) await show({ place, value }, options);
      return;
    }
    for (const page of store.records("rules")) {
      for (const record of page) {
        const { namespace } = options;
        if (namespace === undefined || record.place.namespace === namespace) {
          await show(record, options);
        }
      }
    }
  };
}

async function show(record: StoredRecord<unknown>, { json }: RuleOptions): Promise<void> {
  const { place } = record;
  const rules = record.value as readonly object[];
  if (json) {
    const whose = place.group === "all" ? { all: true } : { [place.group]: place.id };
    const namespace = place.namespace && { namespace: place.namespace };
    await printSlowly(JSON.stringify({ ...whose, ...namespace, rules }));
    return;
  }
  await printSlowly(describe(place));
  for (const [index, rule] of rules.entries()) {
    await printSlowly(`  ${index + 1}. ${asciiJson(rule)}`);
  }
}
