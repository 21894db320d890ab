/**
 * The trie over the levels of filters with wildcards or placeholders (layout: assembly/abi/rules.ts,
 * SECTION_NODES; how it is searched: assembly/rule/search.ts).
 */
import {
  LITERALS_MANY,
  NODE_ACTIONS,
  NODE_BYTES,
  NODE_EDGE_COUNT,
  NODE_EDGES,
  NODE_HASH_TERMINAL,
  NODE_LABEL,
  NODE_LITERALS,
  NODE_PARENT,
  NODE_PLUS,
  NODE_RULE,
  NODE_TERMINAL,
  NODE_TEXT,
  NODE_TEXT_BYTES,
} from "../../../assembly/abi.ts";
import { hashLevel, mixHash, wordAt } from "./hash.ts";
import type { TerminalTable } from "./terminals.ts";
import { buildSlots, type Span, type TextPool, WordList } from "./words.ts";

/** The node every filter starts from. */
export const ROOT = 0;

export interface TrieSections {
  readonly nodes: Uint8Array;
  readonly edges: WordList;
  readonly childSlots: Uint8Array;
}

const NO_RULE = 0xffffffff;

// A node while the trie is built: words of #nodes.
const PLUS = 0;
const HASH_TERMINAL = 1; // + 1
const TERMINAL = 2; // + 1
const PARENT = 3;
const LABEL = 4; // offset, length
const FIRST_CHILD = 6; // literal children, linked by NEXT_CHILD
const NEXT_CHILD = 7;
const FIRST_EDGE = 8; // + 1, linked in #edges
const LEVEL_HASH = 9;
const BUILD_WORDS = 10;

// An edge while the trie is built.
const EDGE_CHILD = 2;
const EDGE_NEXT = 3; // + 1
const EDGE_PARENT = 4;
const EDGE_WORDS = 5;

export class Trie {
  readonly #texts: TextPool;
  readonly #terminals: TerminalTable;
  readonly #nodes = new WordList();
  readonly #edges = new WordList();
  /** Open-addressing tables of literal children and of edges (+ 1) by parent; 0 is empty. */
  #slots = new Uint32Array(1024);
  #literalCount = 0;
  #edgeSlots = new Uint32Array(64);

  constructor(texts: TextPool, terminals: TerminalTable) {
    this.#texts = texts;
    this.#terminals = terminals;
    this.#createNode(0, 0, 0, 0);
  }

  /** The child for a literal level, made if need be. */
  literal(parent: number, text: Span): number {
    const hash = hashLevel(this.#texts.bytes, text.offset, text.offset + text.length);
    const mask = this.#slots.length - 1;
    let slot = mixHash(parent, hash) & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const child = this.#slots[slot]!;
      if (this.#field(child, LEVEL_HASH) !== hash || this.#field(child, PARENT) !== parent)
        continue;
      const label = { offset: this.#field(child, LABEL), length: this.#field(child, LABEL + 1) };
      if (this.#texts.equals(label, text)) return child;
    }
    const child = this.#createNode(parent, text.offset, text.length, hash);
    this.#setField(child, NEXT_CHILD, this.#field(parent, FIRST_CHILD));
    this.#setField(parent, FIRST_CHILD, child);
    this.#slots[slot] = child;
    this.#literalCount++;
    if (this.#literalCount * 2 > this.#slots.length) this.#growSlots();
    return child;
  }

  /** The child for a `+` level. */
  plus(parent: number): number {
    const known = this.#field(parent, PLUS);
    if (known !== 0) return known;
    const child = this.#createNode(parent, 0, 0, 0);
    this.#setField(parent, PLUS, child);
    return child;
  }

  /** The child for a level with placeholders; equal levels have the same pieces. */
  edge(parent: number, firstPiece: number, pieceCount: number): number {
    const mask = this.#edgeSlots.length - 1;
    let slot = mixHash(parent, firstPiece) & mask;
    for (; this.#edgeSlots[slot] !== 0; slot = (slot + 1) & mask) {
      const from = (this.#edgeSlots[slot]! - 1) * EDGE_WORDS;
      if (this.#edges.get(from) !== firstPiece) continue;
      if (this.#edges.get(from + EDGE_PARENT) === parent) return this.#edges.get(from + EDGE_CHILD);
    }
    const child = this.#createNode(parent, 0, 0, 0);
    const next = this.#field(parent, FIRST_EDGE);
    const count = this.#edges.push(firstPiece, pieceCount, child, next, parent) / EDGE_WORDS + 1;
    this.#setField(parent, FIRST_EDGE, count);
    this.#edgeSlots[slot] = count;
    if (count * 2 > this.#edgeSlots.length) this.#growEdgeSlots(count);
    return child;
  }

  /** The terminal of filters that end here. */
  terminal(node: number): number {
    return this.#terminalAt(node, TERMINAL);
  }

  /** The terminal of filters that go on with `#` and end. */
  hashTerminal(node: number): number {
    return this.#terminalAt(node, HASH_TERMINAL);
  }

  /** The sections; nodes are renumbered parents first, each subtree in one piece. */
  emit(): TrieSections {
    const order = this.#preorder();
    const numbers = new Uint32Array(order.length);
    order.forEach((node, number) => {
      numbers[node] = number;
    });
    const nodes = new Uint32Array((order.length * NODE_BYTES) / 4);
    const edges = new WordList();
    const hashes = new WordList();
    const values = new WordList();
    const [rules, actions] = this.#summaries(order);
    for (const [number, node] of order.entries()) {
      const field = (name: number): number => this.#field(node, name);
      const firstEdge = edges.length / 3;
      for (let edge = field(FIRST_EDGE); edge !== 0; ) {
        const from = (edge - 1) * EDGE_WORDS;
        const child = numbers[this.#edges.get(from + EDGE_CHILD)]!;
        edges.push(this.#edges.get(from), this.#edges.get(from + 1), child);
        edge = this.#edges.get(from + EDGE_NEXT);
      }
      const at = (number * NODE_BYTES) / 4;
      nodes[at + NODE_RULE / 4] = rules[node]!;
      nodes[at + NODE_ACTIONS / 4] = actions[node]!;
      nodes[at + NODE_PLUS / 4] = numbers[field(PLUS)]!;
      nodes[at + NODE_HASH_TERMINAL / 4] = this.#reference(field(HASH_TERMINAL));
      nodes[at + NODE_TERMINAL / 4] = this.#reference(field(TERMINAL));
      nodes[at + NODE_EDGES / 4] = firstEdge;
      nodes[at + NODE_EDGE_COUNT / 4] = edges.length / 3 - firstEdge;
      nodes[at + NODE_LITERALS / 4] = this.#literals(field(FIRST_CHILD), numbers);
      nodes[at + NODE_PARENT / 4] = numbers[field(PARENT)]!;
      this.#writeLabel(nodes, at, field(LABEL), field(LABEL + 1));
      for (let child = field(FIRST_CHILD); child !== 0; child = this.#field(child, NEXT_CHILD)) {
        hashes.push(mixHash(number, this.#field(child, LEVEL_HASH)));
        values.push(numbers[child]!);
      }
    }
    return { nodes: new Uint8Array(nodes.buffer), edges, childSlots: buildSlots(hashes, values) };
  }

  #reference(terminalPlusOne: number): number {
    return terminalPlusOne === 0 ? 0 : this.#terminals.reference(terminalPlusOne - 1);
  }

  #literals(firstChild: number, numbers: Uint32Array): number {
    if (firstChild === 0) return 0;
    return this.#field(firstChild, NEXT_CHILD) === 0 ? numbers[firstChild]! : LITERALS_MANY;
  }

  #writeLabel(nodes: Uint32Array, at: number, offset: number, length: number): void {
    nodes[at + NODE_LABEL / 4] = offset;
    nodes[at + NODE_LABEL / 4 + 1] = length;
    const end = offset + Math.min(length, NODE_TEXT_BYTES);
    for (let from = offset, word = at + NODE_TEXT / 4; from < end; from += 4, word++) {
      nodes[word] = wordAt(this.#texts.bytes, from, end);
    }
  }

  #field(node: number, field: number): number {
    return this.#nodes.get(node * BUILD_WORDS + field);
  }

  #setField(node: number, field: number, value: number): void {
    this.#nodes.set(node * BUILD_WORDS + field, value);
  }

  #createNode(parent: number, offset: number, length: number, hash: number): number {
    return this.#nodes.push(0, 0, 0, parent, offset, length, 0, 0, 0, hash) / BUILD_WORDS;
  }

  #terminalAt(node: number, field: number): number {
    const known = this.#field(node, field);
    if (known !== 0) return known - 1;
    const terminal = this.#terminals.create();
    this.#setField(node, field, terminal + 1);
    return terminal;
  }

  #growSlots(): void {
    const old = this.#slots;
    const mask = old.length * 2 - 1;
    this.#slots = new Uint32Array(old.length * 2);
    for (const child of old) {
      if (child === 0) continue;
      let slot = mixHash(this.#field(child, PARENT), this.#field(child, LEVEL_HASH)) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = child;
    }
  }

  #growEdgeSlots(count: number): void {
    const mask = this.#edgeSlots.length * 2 - 1;
    this.#edgeSlots = new Uint32Array(mask + 1);
    for (let edge = 0; edge < count; edge++) {
      const from = edge * EDGE_WORDS;
      let slot = mixHash(this.#edges.get(from + EDGE_PARENT), this.#edges.get(from)) & mask;
      while (this.#edgeSlots[slot] !== 0) slot = (slot + 1) & mask;
      this.#edgeSlots[slot] = edge + 1;
    }
  }

  /** Parents first; of a node's children the literals, then the edges, then `+`. */
  #preorder(): Uint32Array {
    const order = new Uint32Array(this.#nodes.length / BUILD_WORDS);
    const stack = [ROOT];
    let count = 0;
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      order[count++] = node;
      const plus = this.#field(node, PLUS);
      if (plus !== 0) stack.push(plus);
      for (let edge = this.#field(node, FIRST_EDGE); edge !== 0; ) {
        const from = (edge - 1) * EDGE_WORDS;
        stack.push(this.#edges.get(from + EDGE_CHILD));
        edge = this.#edges.get(from + EDGE_NEXT);
      }
      for (let child = this.#field(node, FIRST_CHILD); child !== 0; ) {
        stack.push(child);
        child = this.#field(child, NEXT_CHILD);
      }
    }
    return order;
  }

  /** Lowest rule and united actions of every subtree. */
  #summaries(order: Uint32Array): [Uint32Array, Uint32Array] {
    const rules = new Uint32Array(order.length).fill(NO_RULE);
    const actions = new Uint32Array(order.length);
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i]!;
      for (const field of [HASH_TERMINAL, TERMINAL]) {
        const terminal = this.#field(node, field) - 1;
        if (terminal < 0) continue;
        rules[node] = Math.min(rules[node]!, this.#terminals.lowestRule(terminal));
        actions[node]! |= this.#terminals.actions(terminal);
      }
      if (node === 0) continue;
      const parent = this.#field(node, PARENT);
      rules[parent] = Math.min(rules[parent]!, rules[node]!);
      actions[parent]! |= actions[node]!;
    }
    return [rules, actions];
  }
}
