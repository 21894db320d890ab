/**
 * Rules → one self-contained rule-set blob (layout: assembly/abi/rules.ts), for the
 * policy image or for one client's own rules.
 */
import {
  ENTRY_TOPIC_ALL,
  ENTRY_TOPIC_TEMPLATE,
  NODE_BYTES,
  RULE_ALL_TOPICS,
  RULE_ALLOW,
  RULE_RAISES,
  RULES_FOLD_MAPPED,
  RULES_HEADER_BYTES,
  RULES_MAGIC,
  RULES_VERSION,
  SECTION_COUNT,
  WHO_EQUAL,
  WHO_VARIABLE_SHIFT,
} from "../../../assembly/abi.ts";
import type { Switches } from "../../config/compatibility.ts";
import type { Issue } from "../../errors.ts";
import { type BlobPieces, joinPieces } from "../bytes.ts";
import type { Rule, TopicEntry } from "./ast.ts";
import { TerminalTable } from "./terminals.ts";
import { parseTopicTemplate } from "./topic-template.ts";
import { type PlacedTopic, type Sizes, TopicIndex } from "./topics.ts";
import { VariableTable } from "./variables.ts";
import { type CompiledWho, NestingError, NOBODY, PatternError, WhoCompiler } from "./who.ts";
import { TextPool, WordList } from "./words.ts";

export interface RulesOptions {
  readonly switches: Switches;
  /** Where the rules stand, for issues; a configuration path or file name. */
  readonly file?: string | undefined;
}

export interface CompiledRules<Blob = Uint8Array<ArrayBuffer>> {
  /** Of no use when an issue is an error. */
  readonly blob: Blob;
  readonly issues: readonly Issue[];
}

/**
 * Compiles rules; their numbers are their positions, from 0. Never throws for what a rule says:
 * patterns that the engine refuses and (strict) unknown placeholders are issues of severity error.
 * Cost: linear in the rules' text; 100,000 rules take about a second.
 */
export function compileRules(rules: readonly Rule[], options: RulesOptions): CompiledRules {
  const { blob, issues } = compileRulePieces(rules, options);
  return { blob: joinPieces(blob), issues };
}

/** As compileRules, the blob not put together yet: for the image, which does that. */
export function compileRulePieces(
  rules: readonly Rule[],
  options: RulesOptions,
): CompiledRules<BlobPieces> {
  const compiler = new RuleSetCompiler(options, sizesOf(rules));
  for (let number = 0; number < rules.length; number++) compiler.add(rules[number]!, number);
  return { blob: compiler.emit(), issues: compiler.issues };
}

class RuleSetCompiler {
  readonly #options: RulesOptions;
  readonly #texts: TextPool;
  readonly #variables: VariableTable;
  readonly #terminals = new TerminalTable();
  readonly #topics: TopicIndex;
  readonly #whoCompiler: WhoCompiler;
  readonly #who: CompiledWho[] = [];
  readonly #bits = new WordList();
  /** rule · kind · first · count. */
  readonly #entries = new WordList();
  readonly #denies = new WordList();
  readonly #templates = new WordList();
  readonly #scans = new WordList();
  #allTerminal: number | undefined;
  readonly issues: Issue[] = [];

  constructor(options: RulesOptions, sizes: Sizes) {
    this.#options = options;
    const texts = new TextPool(sizes.textBytes);
    this.#texts = texts;
    this.#variables = new VariableTable(texts, options.switches.strict_placeholder_names);
    this.#topics = new TopicIndex(texts, this.#variables, this.#terminals, sizes);
    this.#whoCompiler = new WhoCompiler(texts, this.#variables);
  }

  add(rule: Rule, number: number): void {
    const who = this.#compileWho(rule);
    let bits = rule.actions | (rule.permission === "allow" ? RULE_ALLOW : 0);
    if (who.raises) bits |= RULE_RAISES;
    if (rule.topics === "all") bits |= RULE_ALL_TOPICS;
    // A rule that never applies keeps its number and nothing else, but its topics are checked.
    const isIdle = who.root === "nobody" || rule.actions === 0;
    this.#who.push(who);
    this.#bits.push(isIdle ? 0 : bits);
    if (rule.topics === "all") {
      if (!isIdle) this.#addEntry(rule, number, ENTRY_TOPIC_ALL, 0, 0);
    } else {
      for (const entry of rule.topics) this.#addTopic(rule, number, entry, isIdle);
    }
    if (isIdle || !(who.raises || rule.topics === "all")) return;
    this.#allTerminal ??= this.#terminals.create();
    this.#terminals.add(this.#allTerminal, number, rule.actions);
  }

  emit(): BlobPieces {
    const conditions = this.#whoCompiler.emit();
    const rules = new WordList(this.#who.length * 2);
    for (let number = 0; number < this.#who.length; number++) {
      rules.push(this.#bits.get(number), whoWord(this.#who[number]!, conditions.numbers));
    }
    const index = this.#topics.emit();
    const terminals = this.#terminals.emit(this.#who);
    const values = this.#whoCompiler.values.emit();
    // In the order of SECTION_…, with the bytes of one record.
    const sections: readonly (readonly [bytes: Uint8Array, recordBytes: number])[] = [
      [rules.toBytes(), 8],
      [this.#entries.toBytes(), 16],
      [this.#denies.toBytes(), 4],
      [this.#templates.toBytes(), 4],
      [this.#scans.toBytes(), 4],
      [conditions.words.toBytes(), 16],
      [this.#whoCompiler.ranges.toBytes(), 24],
      [this.#variables.words.toBytes(), 16],
      [this.#topics.pieces.toBytes(), 12],
      [index.nodes, NODE_BYTES],
      [index.edges.toBytes(), 12],
      [index.childSlots, 8],
      [index.literals.toBytes(), 16],
      [index.literalSlots, 8],
      [terminals.terminals.toBytes(), 16],
      [terminals.uses.toBytes(), 4],
      [terminals.keyVariables.toBytes(), 4],
      [terminals.keys.toBytes(), 20],
      [terminals.keySlots, 8],
      [this.#texts.bytes.subarray(0, this.#texts.length), 1],
      [this.#whoCompiler.patterns.toBytes(), 8],
      [this.#whoCompiler.regexBytes(), 1],
      [values.texts.toBytes(), 8],
      [values.slots, 8],
    ];
    return placeSections(sections, [
      RULES_MAGIC,
      RULES_VERSION,
      0,
      this.#options.switches.standard_addresses ? RULES_FOLD_MAPPED : 0,
      conditions.numbers.length,
      conditions.cached,
      this.#allTerminal === undefined ? 0 : this.#allTerminal + 1,
      0,
    ]);
  }

  #compileWho(rule: Rule): CompiledWho {
    try {
      return this.#whoCompiler.add(rule.who);
    } catch (error) {
      if (error instanceof PatternError) {
        this.#report(rule, {
          code: "ERR_CONFIG_PATTERN",
          message: `pattern refused at offset ${error.offset}: ${error.message}`,
          hint: "write it without look-around, back-references and atomic groups",
        });
        return NOBODY;
      }
      if (!(error instanceof NestingError)) throw error;
      this.#report(rule, { code: "ERR_CONFIG_NESTING", message: error.message });
      return NOBODY;
    }
  }

  #addTopic(rule: Rule, number: number, entry: TopicEntry, isIdle: boolean): void {
    const placed = this.#placeTopic(rule, entry);
    if (isIdle || !placed) return;
    this.#addEntry(rule, number, placed.kind, placed.first, placed.count, placed.terminal);
    if (placed.terminal !== undefined) this.#terminals.add(placed.terminal, number, rule.actions);
  }

  #placeTopic(rule: Rule, entry: TopicEntry): PlacedTopic | undefined {
    if (entry.type === "equal") return this.#topics.equal(entry.text);
    const isStrict = this.#options.switches.strict_placeholder_names;
    const { topic, unknown } = parseTopicTemplate(entry.text, this.#options.switches);
    for (const name of unknown) this.#reportUnknown(rule, entry, name, isStrict);
    if (topic.type === "text") return this.#topics.filter(topic.text);
    if (topic.type === "template") return this.#topics.template(entry.text, topic.parts);
    this.#report(rule, {
      severity: isStrict ? "error" : "warning",
      code: isStrict ? "ERR_CONFIG_TOPIC" : "WARN_CONFIG_TOPIC",
      message: "a topic with placeholders that is not UTF-8 matches nothing",
      at: entry.at,
    });
    return undefined;
  }

  /** Only deny rules and templates are ever looked up one by one. */
  #addEntry(
    rule: Rule,
    number: number,
    kind: number,
    first: number,
    count: number,
    terminal?: number,
  ): void {
    const isTemplate = kind === ENTRY_TOPIC_TEMPLATE;
    if (rule.permission === "allow" && !isTemplate) return;
    const index = this.#entries.push(number, kind, first, count) / 4;
    if (rule.permission === "deny") this.#denies.push(index);
    if (isTemplate) (terminal === undefined ? this.#scans : this.#templates).push(index);
  }

  #reportUnknown(rule: Rule, entry: TopicEntry, name: string, isStrict: boolean): void {
    const at = entry.type === "filter" ? entry.at : undefined;
    const known = "username, clientid, cert_common_name, zone, client_attrs.NAME";
    if (isStrict) {
      this.#report(rule, {
        code: "ERR_CONFIG_PLACEHOLDER",
        message: `\`${name}\` is not a placeholder that topics can use`,
        hint: `known are ${known}; a literal dollar sign is written \${$}`,
        at,
      });
      return;
    }
    this.#report(rule, {
      severity: "warning",
      code: "WARN_CONFIG_PLACEHOLDER",
      message: `\`${name}\` is taken literally, and so is every client attribute beside it`,
      hint: `known are ${known}`,
      at,
    });
  }

  #report(rule: Rule, issue: Partial<Issue> & Pick<Issue, "code" | "message">): void {
    this.issues.push({
      severity: "error",
      path: this.#options.file ?? "",
      ...issue,
      at: issue.at ?? rule.at,
    });
  }
}

function sizesOf(rules: readonly Rule[]): Sizes {
  let entries = 0;
  let textBytes = 4096;
  for (const { topics } of rules) {
    if (topics === "all") continue;
    entries += topics.length;
    for (const { text } of topics) textBytes += text.length;
  }
  return { entries, textBytes };
}

/** A rule's second word; see SECTION_RULES. */
function whoWord({ root, equality }: CompiledWho, numbers: Uint32Array): number {
  if (typeof root === "number") return numbers[root]! + 1;
  if (!equality) return 0;
  return (WHO_EQUAL | (equality.variable << WHO_VARIABLE_SHIFT) | equality.value) >>> 0;
}

const LINE_BYTES = 64;
const ON_LINES_BYTES_MIN = 4096;

/** Header, section table and sections; the blob's length goes into the header's third word. */
function placeSections(
  sections: readonly (readonly [bytes: Uint8Array, recordBytes: number])[],
  header: readonly number[],
): BlobPieces {
  const head = new Uint8Array(RULES_HEADER_BYTES + SECTION_COUNT * 8);
  const view = new DataView(head.buffer);
  const pieces: { offset: number; bytes: Uint8Array }[] = [{ offset: 0, bytes: head }];
  let length = head.length;
  for (const [index, [bytes, recordBytes]] of sections.entries()) {
    // Nodes of a large trie lie on cache lines, where the blob does.
    const isOnLines = recordBytes === LINE_BYTES && bytes.length >= ON_LINES_BYTES_MIN;
    const offset = isOnLines ? (length + LINE_BYTES - 1) & -LINE_BYTES : length;
    const at = RULES_HEADER_BYTES + index * 8;
    view.setUint32(at, offset, true);
    view.setUint32(at + 4, bytes.length / recordBytes, true);
    pieces.push({ offset, bytes });
    length = (offset + bytes.length + 7) & ~7;
  }
  for (const [index, word] of header.entries()) view.setUint32(index * 4, word, true);
  view.setUint32(8, length, true);
  return { length, pieces };
}
