/** `portcullis batch client_attrs`: the attributes of a line's client, and their merge. */
import { compileExpression } from "../compile/expr/index.ts";
import {
  type AttributeEntry,
  initClientAttrs,
  isAttributeName,
  mergeClientAttrs,
} from "../connect/client-attrs.ts";
import { encodeRequest } from "../core/request.ts";
import type { Text } from "../types.ts";
import { decodeClient } from "./client.ts";
import { type BatchContext, loadExpressions } from "./context.ts";
import { decodeTerm, encodeBytes, TermError } from "./terms.ts";

export type ClientAttrsAnswer =
  | {
      readonly attrs: Readonly<Record<string, unknown>>;
      readonly merged?: Readonly<Record<string, unknown>>;
    }
  | { readonly config_error: true };

/** Answers one line: `{init, client, authn_client_attrs?}`. Throws TermError. */
export function answerClientAttrs(line: unknown, context: BatchContext): ClientAttrsAnswer {
  const {
    init,
    client,
    authn_client_attrs: given,
  } = line as Readonly<Record<"init" | "client" | "authn_client_attrs", unknown>>;
  const blobs: Uint8Array[] = [];
  const entries = compileInit(init, context, blobs);
  if (entries === undefined) return { config_error: true };
  const fields = decodeClient(client);
  loadExpressions(context, blobs);
  encodeRequest(context.memory, fields);
  const attrs = initClientAttrs(context.memory, entries);
  if (given === undefined) return { attrs: { ...attrs } };
  const merged = mergeClientAttrs(attrs, decodeAttrs(given));
  return { attrs: { ...attrs }, merged: encodeAttrs(merged) };
}

function compileInit(
  init: unknown,
  { switches }: BatchContext,
  blobs: Uint8Array[],
): readonly AttributeEntry[] | undefined {
  if (!Array.isArray(init)) return undefined;
  const entries: AttributeEntry[] = [];
  for (const { expression, set_as_attr: name } of init) {
    if (typeof expression !== "string" || typeof name !== "string") return undefined;
    const { blob } = compileExpression({ value: expression }, { switches, place: "client_attrs" });
    if (blob === undefined || !isAttributeName(name)) return undefined;
    entries.push({ name, id: blobs.push(blob) - 1 });
  }
  return entries;
}

function decodeAttrs(given: unknown): Record<string, Text> {
  if (given === null || typeof given !== "object") throw new TermError("no attributes");
  const attrs: Record<string, Text> = Object.create(null);
  for (const [name, term] of Object.entries(given)) {
    const value = decodeTerm(term);
    if (value.type !== "bytes") throw new TermError("an attribute is no text");
    attrs[name] = value.value;
  }
  return attrs;
}

function encodeAttrs(attrs: Readonly<Record<string, Text>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attrs).map(([name, text]) => [
      name,
      typeof text === "string" ? text : encodeBytes(text),
    ]),
  );
}
