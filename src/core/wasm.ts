/**
 * The decision core as a WebAssembly instance: the only file that names WebAssembly or holds a
 * view of its memory.
 *
 * A call writes its request into the input buffer, makes one call and reads a number (or one value)
 * back. Nothing here decides anything.
 */
import {
  ABI_VERSION,
  ERR_EXPRESSION_BLOB,
  ERR_HANDLE,
  ERR_IMAGE_CHECKSUM,
  ERR_IMAGE_LENGTH,
  ERR_IMAGE_MAGIC,
  ERR_IMAGE_SECTION,
  ERR_IMAGE_VERSION,
  ERR_INPUT,
  ERR_MEMORY,
  ERR_REGEX_BLOB,
  ERR_RULES_BLOB,
  ERR_TOPIC,
  INPUT_BYTES_MAX,
  OK,
} from "../../assembly/abi.ts";
import { CoreError } from "../errors.ts";
import type { Text } from "../types.ts";

/** assembly/index.ts, as the host sees it. */
export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  readonly abi_version: WebAssembly.Global;
  image_alloc(bytes: number): number;
  image_open(): number;
  input_ptr(): number;
  scratch_alloc(bytes: number): number;
  records_used(): number;
  client_open(): number;
  client_rules(handle: number, bytes: number): number;
  client_stored(handle: number, bytes: number, shared: number, how: number): number;
  client_shared(handle: number, shared: number): number;
  rules_open(bytes: number): number;
  rules_close(handle: number): number;
  client_close(handle: number): number;
  decide(handle: number, topicBytes: number, request: number): number;
  is_covered(handle: number, filterBytes: number, request: number): number;
  topic_match(filterBytes: number, topicBytes: number): number;
  result_ptr(): number;
  json_lookup(textBytes: number, pathBytes: number): number;
  jwt_lookup(tokenBytes: number, pathBytes: number): number;
  is_jwt(tokenBytes: number): number;
  regex_test(programBytes: number, textBytes: number): number;
  regex_exec(programBytes: number, textBytes: number, start: number, flags: number): number;
  regex_replace(programBytes: number, textBytes: number, replacementBytes: number): number;
  regex_steps(): bigint;
  expression_eval(id: number, asText: number): number;
  expression_holds(id: number): number;
  expression_slots(id: number): number;
  expression_error_argument(): number;
  expression_steps(): number;
}

/** The compiled core. */
export type CoreModule = WebAssembly.Module;

/** Answers the core's one import; see assembly/host.ts. Returns 0 or a negative error. */
export type HostCall = (
  memory: CoreMemory,
  op: number,
  args: number,
  argc: number,
  out: number,
) => number;

const STATUS_TEXT: Record<number, string> = {
  [ERR_IMAGE_MAGIC]: "not a policy image",
  [ERR_IMAGE_VERSION]: "the image was made for another version; compile it again",
  [ERR_IMAGE_LENGTH]: "the image is cut short or padded",
  [ERR_IMAGE_CHECKSUM]: "the image is damaged (checksum)",
  [ERR_IMAGE_SECTION]: "the image is damaged (entry table)",
  [ERR_EXPRESSION_BLOB]: "the image is damaged (expression)",
  [ERR_RULES_BLOB]: "the image is damaged (rules)",
  [ERR_REGEX_BLOB]: "the image is damaged (regular expression)",
  [ERR_MEMORY]: "no memory for the image or the client",
  [ERR_INPUT]: "the request is malformed or too large",
  [ERR_HANDLE]: "no such client",
  [ERR_TOPIC]: "the topic is too long or has too many levels",
};

/** Throws the CoreError of a negative status; hands back anything else. */
export function checkStatus(status: number): number {
  if (status >= OK) return status;
  const code =
    status <= ERR_IMAGE_MAGIC && status >= ERR_REGEX_BLOB ? "ERR_CORE_IMAGE" : "ERR_CORE";
  throw new CoreError(code, STATUS_TEXT[status] ?? `status ${status}`);
}

/**
 * Views of an instance's memory, rebuilt after growth in one place. Views handed out are valid
 * until the next call into the core.
 */
export class CoreMemory {
  readonly exports: CoreExports;
  /** Its own field, since an instance's exports are looked up by name at every call. */
  readonly decide: CoreExports["decide"];
  /** Start of the input buffer; set by loadImage. */
  inputPtr = 0;
  #bytes = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));
  /** The input buffer, and where it was when this was made. */
  #input: Uint8Array = new Uint8Array(0);
  #inputAt = 0;
  /** The input buffer from #tailAt on. */
  #tail: Uint8Array = new Uint8Array(0);
  #tailAt = 0;

  constructor(exports: CoreExports) {
    this.exports = exports;
    this.decide = exports.decide;
  }

  get bytes(): Uint8Array {
    this.#refresh();
    return this.#bytes;
  }

  get view(): DataView {
    this.#refresh();
    return this.#view;
  }

  /** Writes a text to the start of the input buffer: its length in bytes, or -1 if it does not fit. */
  writeInput(text: Text): number {
    if (this.#input.length === 0 || this.#inputAt !== this.inputPtr) {
      this.#inputAt = this.inputPtr;
      this.#input = this.bytes.subarray(this.inputPtr, this.inputPtr + INPUT_BYTES_MAX);
    }
    const input = this.#input;
    if (typeof text === "string" && text.length > LOOP_CHARS_MAX) {
      const { read, written } = encoder.encodeInto(text, input);
      return read === text.length ? written : -1;
    }
    return writeText(input, 0, INPUT_BYTES_MAX, text);
  }

  /**
   * Writes a text at an address in the input buffer: its length in bytes, or -1 if it does not fit. Cheap for a
   * long string where the last one went: a view of that place is kept.
   */
  writeAt(at: number, text: Text): number {
    const end = this.inputPtr + INPUT_BYTES_MAX;
    if (typeof text !== "string" || text.length <= LOOP_WITHOUT_VIEW_MAX) {
      return writeText(this.bytes, at, end, text);
    }
    if (this.#tailAt !== at || this.#tail.length !== end - at) {
      this.#tailAt = at;
      this.#tail = this.bytes.subarray(at, end);
    }
    const { read, written } = encoder.encodeInto(text, this.#tail);
    return read === text.length ? written : -1;
  }

  /** Growth detaches the old buffer, which empties its views: cheaper to ask than the buffer. */
  #refresh(): void {
    if (this.#bytes.length !== 0) return;
    const { buffer } = this.exports.memory;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }
}

const encoder = new TextEncoder();
/** Up to here a loop over ASCII beats encodeInto; the second where a view has still to be made. */
const LOOP_CHARS_MAX = 20;
const LOOP_WITHOUT_VIEW_MAX = 32;

/**
 * Writes a text at `at` and returns its length in bytes, or -1 when it does not fit before `end`.
 */
export function writeText(bytes: Uint8Array, at: number, end: number, text: Text): number {
  if (typeof text !== "string") {
    if (text.length > end - at) return -1;
    bytes.set(text, at);
    return text.length;
  }
  const length = text.length;
  if (length <= LOOP_WITHOUT_VIEW_MAX && length <= end - at) {
    let i = 0;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) break;
      bytes[at + i] = code;
    }
    if (i === length) return length;
  }
  const { read, written } = encoder.encodeInto(text, bytes.subarray(at, end));
  return read === length ? written : -1;
}

/** Makes an instance and loads the image. Throws CoreError when the image is refused. */
export function instantiate(
  module: WebAssembly.Module,
  hostCall: HostCall,
  image: Uint8Array,
): CoreMemory {
  let memory: CoreMemory | undefined;
  const instance = new WebAssembly.Instance(module, {
    env: {
      host: (op: number, args: number, argc: number, out: number) =>
        hostCall(memory!, op, args, argc, out),
    },
  });
  memory = new CoreMemory(instance.exports as unknown as CoreExports);
  if (memory.exports.abi_version.value !== ABI_VERSION) {
    throw new CoreError(
      "ERR_CORE_ABI",
      "core.wasm and the package around it do not belong together",
    );
  }
  loadImage(memory, image);
  return memory;
}

/** Replaces the image of an instance; its clients are forgotten. */
export function loadImage(memory: CoreMemory, image: Uint8Array): void {
  const at = memory.exports.image_alloc(image.length);
  if (at === 0) throw new CoreError("ERR_CORE_MEMORY", STATUS_TEXT[ERR_MEMORY]!);
  memory.bytes.set(image, at);
  memory.inputPtr = memory.exports.input_ptr();
  checkStatus(memory.exports.image_open());
}

/** First address behind the input buffer. */
export function inputEnd(memory: CoreMemory): number {
  return memory.exports.input_ptr() + INPUT_BYTES_MAX;
}
