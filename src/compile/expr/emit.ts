/** Tree → blob for the core (layout: assembly/abi/expressions.ts). Source: expressions §3. */
import * as abi from "../../../assembly/abi.ts";
import type { Switches } from "../../config/compatibility.ts";
import { latin1, toBytes } from "../../text.ts";
import { ByteWriter } from "../bytes.ts";
import { type CallExpr, type Expr, namePieces, type VariableExpr } from "./ast.ts";
import { resolveFunction } from "./functions.ts";
import { bindVariable, type ExpressionPlace } from "./variables.ts";

export interface EmitOptions {
  readonly switches: Switches;
  readonly place: ExpressionPlace;
  /** Compiled regular expressions of literals, by node. A literal not in here fails when run. */
  readonly programs: ReadonlyMap<Expr, Uint8Array>;
}

/** The blob of one expression. */
export function emit(expr: Expr, options: EmitOptions): Uint8Array<ArrayBuffer> {
  const emitter = new Emitter(options);
  emitter.expression(expr, undefined);
  return emitter.finish();
}

/** A place in the code that is not written yet. */
interface Label {
  readonly users: { index: number; operand: "b" | "c" }[];
}

interface Code {
  op: number;
  a: number;
  b: number;
  c: number;
}

class Emitter {
  readonly #options: EmitOptions;
  readonly #codes: Code[] = [];
  readonly #consts = new ConstantPool();
  #height = 0;
  #heightMax = 0;

  constructor(options: EmitOptions) {
    this.#options = options;
  }

  /** Leaves one more value on the stack. `handler` is where an unbound variable goes. */
  expression(expr: Expr, handler: Label | undefined): void {
    switch (expr.type) {
      case "text":
        this.#constant(this.#consts.bytes(toBytes(expr.value)));
        return;
      case "integer":
        this.#constant(this.#consts.integer(expr.value));
        return;
      case "float":
        this.#constant(this.#consts.float(expr.value));
        return;
      case "variable":
        this.#variable(expr, handler);
        return;
      case "array":
        for (const item of expr.items) this.expression(item, handler);
        this.#code(abi.OP_LIST, 0, expr.items.length);
        this.#moved(1 - expr.items.length);
        return;
      case "call":
        this.#call(expr, handler);
        return;
    }
  }

  #variable(expr: VariableExpr, handler: Label | undefined): void {
    const { place, switches } = this.#options;
    const pieces = namePieces(expr.name);
    const binding = bindVariable(pieces[0]!, place, switches);
    const path = this.#consts.path([expr.name, ...(binding.isKey ? pieces : pieces.slice(1))]);
    const readsEmpty = place === "precondition" && switches.absent_is_empty_in_precondition;
    if (binding.isUnbound && readsEmpty) {
      this.#constant(this.#consts.bytes(new Uint8Array()));
      return;
    }
    const index = binding.isUnbound
      ? this.#code(abi.OP_UNBOUND, 0, 0, path)
      : this.#code(readsEmpty ? abi.OP_LOAD_OR_EMPTY : abi.OP_LOAD, binding.slot, 0, path);
    if (handler && !readsEmpty) handler.users.push({ index, operand: "b" });
    this.#moved(1);
  }

  #call(expr: CallExpr, handler: Label | undefined): void {
    const reference = resolveFunction(namePieces(expr.name));
    switch (reference.type) {
      case "invalid_reference":
        this.#fail(abi.ERR_EXPR_REFERENCE, expr.name);
        return;
      case "unknown_module":
        this.#fail(
          reference.known ? abi.ERR_EXPR_MODULE_NOT_ALLOWED : abi.ERR_EXPR_MODULE,
          expr.name,
        );
        return;
      case "unknown_function":
        this.#fail(abi.ERR_EXPR_FUNCTION, expr.name);
        return;
      case "special":
        this.#special(reference.name, expr, handler);
        return;
      case "function": {
        const { spec } = reference;
        if (!acceptsCount(spec, expr.args.length, this.#options.switches)) {
          this.#fail(abi.ERR_EXPR_FUNCTION, expr.name);
          return;
        }
        for (const arg of expr.args) {
          const program = this.#options.programs.get(arg);
          if (program) this.#constant(this.#consts.program(program));
          else this.expression(arg, handler);
        }
        const name = this.#consts.bytes(toBytes(expr.name));
        this.#code(abi.OP_CALL, spec.id, expr.args.length, name);
        this.#moved(1 - expr.args.length);
        return;
      }
    }
  }

  #special(name: string, expr: CallExpr, handler: Label | undefined): void {
    const { args } = expr;
    if ((name === "iif" && args.length !== 3) || (name === "is_empty" && args.length !== 1)) {
      this.#fail(abi.ERR_EXPR_ARGUMENT, expr.name);
      return;
    }
    if (name === "iif") {
      this.#iif(args, handler);
      return;
    }
    if (name === "is_empty") {
      this.#isEmpty(args[0]!);
      return;
    }
    const only = args.length === 1 ? args[0]! : undefined;
    if (only && only.type !== "array") {
      this.#coalesceList(only, expr.name);
      return;
    }
    this.#coalesce(only?.type === "array" ? only.items : args);
  }

  #iif(args: readonly Expr[], handler: Label | undefined): void {
    const height = this.#height;
    const unbound: Label = { users: [] };
    const otherwise: Label = { users: [] };
    const end: Label = { users: [] };
    this.expression(args[0]!, unbound);
    this.#jump(abi.OP_JUMP_UNLESS, otherwise);
    this.#moved(-1);
    this.expression(args[1]!, handler);
    this.#jump(abi.OP_JUMP, end);
    this.#moved(-1);
    this.#land(unbound, height);
    this.#landPlain(otherwise);
    this.expression(args[2]!, handler);
    this.#landPlain(end);
  }

  #isEmpty(arg: Expr): void {
    const height = this.#height;
    const unbound: Label = { users: [] };
    const end: Label = { users: [] };
    this.expression(arg, unbound);
    this.#code(abi.OP_IS_EMPTY);
    if (unbound.users.length > 0) {
      this.#jump(abi.OP_JUMP, end);
      this.#moved(-1);
      this.#land(unbound, height);
      this.#constant(this.#consts.truth());
    }
    this.#landPlain(end);
  }

  #coalesce(alternatives: readonly Expr[]): void {
    const height = this.#height;
    const end: Label = { users: [] };
    for (const alternative of alternatives) {
      const unbound: Label = { users: [] };
      this.expression(alternative, unbound);
      this.#jump(abi.OP_JUMP_FILLED, end);
      this.#moved(-1);
      this.#land(unbound, height);
    }
    this.#constant(this.#consts.bytes(new Uint8Array()));
    this.#landPlain(end);
  }

  #coalesceList(arg: Expr, name: string): void {
    const height = this.#height;
    const unbound: Label = { users: [] };
    const end: Label = { users: [] };
    this.expression(arg, unbound);
    this.#code(abi.OP_COALESCE, 0, 0, this.#consts.bytes(toBytes(name)));
    if (unbound.users.length > 0) {
      this.#jump(abi.OP_JUMP, end);
      this.#moved(-1);
      this.#land(unbound, height);
      this.#constant(this.#consts.bytes(new Uint8Array()));
    }
    this.#landPlain(end);
  }

  #fail(error: number, name: string): void {
    this.#code(abi.OP_FAIL, -100 - error, 0, this.#consts.bytes(toBytes(name)));
    this.#moved(1);
  }

  #constant(index: number): void {
    this.#code(abi.OP_CONST, 0, 0, index);
    this.#moved(1);
  }

  #jump(op: number, label: Label): void {
    label.users.push({ index: this.#code(op), operand: "c" });
  }

  /** Unbound variables continue here, with the stack cut back to `height`. */
  #land(label: Label, height: number): void {
    if (label.users.length === 0) return;
    this.#landPlain(label);
    this.#code(abi.OP_UNWIND, 0, height);
    this.#height = height;
  }

  #landPlain(label: Label): void {
    for (const { index, operand } of label.users) {
      this.#codes[index]![operand] = this.#codes.length;
    }
  }

  #code(op: number, a = 0, b = 0, c = 0): number {
    return this.#codes.push({ op, a, b, c }) - 1;
  }

  #moved(by: number): void {
    this.#height += by;
    this.#heightMax = Math.max(this.#heightMax, this.#height);
  }

  finish(): Uint8Array<ArrayBuffer> {
    const writer = new ByteWriter(512);
    writer.u32(abi.EXPR_MAGIC).u32(flagsOf(this.#options.switches));
    writer.u32(this.#codes.length).u32(this.#consts.count).u32(this.#heightMax);
    writer.u32(0);
    const lengthAt = writer.length + 4;
    writer.u32(0).u32(0);
    for (const { op, a, b, c } of this.#codes) writer.u8(op).u8(a).u16(b).u32(c);
    this.#consts.write(writer);
    writer.align(8);
    writer.patchU32(lengthAt, writer.length);
    return writer.finish();
  }
}

/** May this function be called with so many arguments? */
export function acceptsCount(
  spec: { readonly id: number; readonly arities: readonly number[] },
  count: number,
  switches: Switches,
): boolean {
  if (spec.arities.includes(count)) return true;
  return spec.id === abi.FN_CONCAT && switches.variadic_concat && count > 2;
}

function flagsOf(switches: Switches): number {
  return (
    (switches.text_functions_keep_utf8 ? abi.EXPR_FLAG_KEEP_UTF8 : 0) |
    (switches.quotes_are_exact ? abi.EXPR_FLAG_LARGE_FLOATS : 0)
  );
}

/** Constants, each kept once. Data is laid out when the pool is written. */
class ConstantPool {
  readonly #known = new Map<string, number>();
  readonly #entries: { tag: number; len: number; number?: bigint | number; data?: Uint8Array[] }[] =
    [];

  get count(): number {
    return this.#entries.length;
  }

  bytes(value: Uint8Array): number {
    return this.#add(`b${latin1(value)}`, { tag: abi.TAG_BYTES, len: value.length, data: [value] });
  }

  integer(value: bigint): number {
    if (BigInt.asIntN(64, value) === value) {
      return this.#add(`i${value}`, { tag: abi.TAG_INT, len: 0, number: value });
    }
    const text = toBytes(String(value));
    return this.#add(`i${value}`, { tag: abi.TAG_BIGINT, len: text.length, data: [text] });
  }

  float(value: number): number {
    const key = `f${Object.is(value, -0) ? "-0" : value}`;
    return this.#add(key, { tag: abi.TAG_FLOAT, len: 0, number: value });
  }

  truth(): number {
    return this.#add("t", { tag: abi.TAG_TRUE, len: 0, number: 0n });
  }

  path(names: readonly string[]): number {
    const data = names.map((name) => toBytes(name));
    return this.#add(`p${names.join("\n")}`, { tag: abi.TAG_PATH, len: names.length, data });
  }

  program(value: Uint8Array): number {
    return this.#add(`r${latin1(value)}`, {
      tag: abi.TAG_PROGRAM,
      len: value.length,
      data: [value],
    });
  }

  #add(
    key: string,
    entry: { tag: number; len: number; number?: bigint | number; data?: Uint8Array[] },
  ): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const index = this.#entries.push(entry) - 1;
    this.#known.set(key, index);
    return index;
  }

  write(writer: ByteWriter): void {
    let at = writer.length + this.#entries.length * abi.VALUE_BYTES;
    const data = new ByteWriter(256);
    const base = at;
    for (const entry of this.#entries) {
      writer.u32(entry.tag).u32(entry.len);
      if (typeof entry.number === "bigint") writer.i64(entry.number);
      else if (typeof entry.number === "number") writer.f64(entry.number);
      else {
        data.align(8);
        at = base + data.length;
        writer.u32(at).u32(0);
        if (entry.tag === abi.TAG_PATH) writePath(data, base, entry.data!);
        else data.bytes(entry.data![0]!);
      }
    }
    writer.bytes(data.finish());
  }
}

/** (offset, length) pairs, then the names. */
function writePath(data: ByteWriter, base: number, names: readonly Uint8Array[]): void {
  let at = base + data.length + names.length * 8;
  for (const name of names) {
    data.u32(at).u32(name.length);
    at += name.length;
  }
  for (const name of names) data.bytes(name);
}
