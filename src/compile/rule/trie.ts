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
import { childHash, firstSlot, hashLevel, mixHash, wordAt } from "./hash.ts";
import type { TerminalTable } from "./terminals.ts";
import { buildSlots, type Span, slotCount, type TextPool, WordList } from "./words.ts";

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
  readonly #nodes: WordList;
  readonly #edges = new WordList();
  /** Open-addressing tables of literal children and of edges (+ 1) by parent; 0 is empty. */
  #slots: Uint32Array<ArrayBuffer>;
  #literalCount = 0;
  #edgeSlots = new Uint32Array(64);

  /** Grows to any size; `filters` is a guess at how many there will be. */
  constructor(texts: TextPool, terminals: TerminalTable, filters: number) {
    this.#texts = texts;
    this.#terminals = terminals;
    this.#nodes = new WordList((filters + 1) * BUILD_WORDS);
    this.#slots = new Uint32Array(slotCount(filters));
    this.#createNode(0, 0, 0, 0);
  }

  /** The child for a literal level, made if need be. */
  literal(parent: number, text: Span): number {
    const texts = this.#texts;
    const hash = hashLevel(texts.bytes, text.offset, text.offset + text.length);
    const nodes = this.#nodes.words;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = firstSlot(childHash(parent, hash), mask);
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const child = slots[slot]!;
      const at = child * BUILD_WORDS;
      if (nodes[at + LEVEL_HASH] !== hash || nodes[at + PARENT] !== parent) continue;
      if (nodes[at + LABEL + 1] !== text.length) continue;
      if (texts.hasAt(nodes[at + LABEL]!, text)) return child;
    }
    const child = this.#createNode(parent, text.offset, text.length, hash);
    this.#setField(child, NEXT_CHILD, this.#field(parent, FIRST_CHILD));
    this.#setField(parent, FIRST_CHILD, child);
    slots[slot] = child;
    this.#literalCount++;
    if (this.#literalCount * 2 > slots.length) this.#growSlots();
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
    let slot = firstSlot(mixHash(parent, firstPiece), mask);
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
    for (let number = 0; number < order.length; number++) numbers[order[number]!] = number;
    const built = this.#nodes.words;
    const builtEdges = this.#edges.words;
    const nodes = new Uint32Array((order.length * NODE_BYTES) / 4);
    const edges = new WordList((this.#edges.length / EDGE_WORDS) * 3);
    const hashes = new WordList(this.#literalCount);
    const values = new WordList(this.#literalCount);
    const [rules, actions] = this.#summaries(order);
    for (let number = 0; number < order.length; number++) {
      const node = order[number]!;
      const from = node * BUILD_WORDS;
      const firstEdge = edges.length / 3;
      for (let edge = built[from + FIRST_EDGE]!; edge !== 0; ) {
        const at = (edge - 1) * EDGE_WORDS;
        edges.push(builtEdges[at]!, builtEdges[at + 1]!, numbers[builtEdges[at + EDGE_CHILD]!]!);
        edge = builtEdges[at + EDGE_NEXT]!;
      }
      const firstChild = built[from + FIRST_CHILD]!;
      const at = (number * NODE_BYTES) / 4;
      nodes[at + NODE_RULE / 4] = rules[node]!;
      nodes[at + NODE_ACTIONS / 4] = actions[node]!;
      nodes[at + NODE_PLUS / 4] = numbers[built[from + PLUS]!]!;
      nodes[at + NODE_HASH_TERMINAL / 4] = this.#reference(built[from + HASH_TERMINAL]!);
      nodes[at + NODE_TERMINAL / 4] = this.#reference(built[from + TERMINAL]!);
      nodes[at + NODE_EDGES / 4] = firstEdge;
      nodes[at + NODE_EDGE_COUNT / 4] = edges.length / 3 - firstEdge;
      nodes[at + NODE_LITERALS / 4] = this.#literals(firstChild, numbers);
      nodes[at + NODE_PARENT / 4] = numbers[built[from + PARENT]!]!;
      this.#writeLabel(nodes, at, built[from + LABEL]!, built[from + LABEL + 1]!);
      for (let child = firstChild; child !== 0; ) {
        hashes.push(childHash(number, built[child * BUILD_WORDS + LEVEL_HASH]!));
        values.push(numbers[child]!);
        child = built[child * BUILD_WORDS + NEXT_CHILD]!;
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
    const at = this.#nodes.extend(BUILD_WORDS);
    this.#nodes.set(at + PARENT, parent);
    this.#nodes.set(at + LABEL, offset);
    this.#nodes.set(at + LABEL + 1, length);
    this.#nodes.set(at + LEVEL_HASH, hash);
    return at / BUILD_WORDS;
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
    const nodes = this.#nodes.words;
    const slots = new Uint32Array(old.length * 2);
    const mask = slots.length - 1;
    for (let at = 0; at < old.length; at++) {
      const child = old[at]!;
      if (child === 0) continue;
      const from = child * BUILD_WORDS;
      const hash = childHash(nodes[from + PARENT]!, nodes[from + LEVEL_HASH]!);
      let slot = firstSlot(hash, mask);
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = child;
    }
    this.#slots = slots;
  }

  #growEdgeSlots(count: number): void {
    const mask = this.#edgeSlots.length * 2 - 1;
    this.#edgeSlots = new Uint32Array(mask + 1);
    for (let edge = 0; edge < count; edge++) {
      const from = edge * EDGE_WORDS;
      const hash = mixHash(this.#edges.get(from + EDGE_PARENT), this.#edges.get(from));
      let slot = firstSlot(hash, mask);
      while (this.#edgeSlots[slot] !== 0) slot = (slot + 1) & mask;
      this.#edgeSlots[slot] = edge + 1;
    }
  }

  /** Parents first; of a node's children the literals, then the edges, then `+`. */
  #preorder(): Uint32Array {
    const nodes = this.#nodes.words;
    const edges = this.#edges.words;
    const order = new Uint32Array(this.#nodes.length / BUILD_WORDS);
    const stack = [ROOT];
    let count = 0;
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      order[count++] = node;
      const from = node * BUILD_WORDS;
      const plus = nodes[from + PLUS]!;
      if (plus !== 0) stack.push(plus);
      for (let edge = nodes[from + FIRST_EDGE]!; edge !== 0; ) {
        const at = (edge - 1) * EDGE_WORDS;
        stack.push(edges[at + EDGE_CHILD]!);
        edge = edges[at + EDGE_NEXT]!;
      }
      for (let child = nodes[from + FIRST_CHILD]!; child !== 0; ) {
        stack.push(child);
        child = nodes[child * BUILD_WORDS + NEXT_CHILD]!;
      }
    }
    return order;
  }

  /** Lowest rule and united actions of every subtree. */
  #summaries(order: Uint32Array): [Uint32Array, Uint32Array] {
    const nodes = this.#nodes.words;
    const rules = new Uint32Array(order.length).fill(NO_RULE);
    const actions = new Uint32Array(order.length);
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i]!;
      for (let field = HASH_TERMINAL; field <= TERMINAL; field++) {
        const terminal = nodes[node * BUILD_WORDS + field]! - 1;
        if (terminal < 0) continue;
        rules[node] = Math.min(rules[node]!, this.#terminals.lowestRule(terminal));
        actions[node]! |= this.#terminals.actions(terminal);
      }
      if (node === ROOT) continue;
      const parent = nodes[node * BUILD_WORDS + PARENT]!;
      rules[parent] = Math.min(rules[parent]!, rules[node]!);
      actions[parent]! |= actions[node]!;
    }
    return [rules, actions];
  }
}
