import { describe, expect, it } from "vitest";
import { ENTRY_EXPRESSION } from "../../../assembly/abi.ts";
import { compileExpression } from "../../../src/compile/expr/index.ts";
import { packImage } from "../../../src/compile/image.ts";
import {
  type AttributeDrop,
  initClientAttrs,
  isAttributeName,
  mergeClientAttrs,
} from "../../../src/connect/client-attrs.ts";
import { connectFields } from "../../../src/connect/fields.ts";
import { encodeRequest, type RequestFields } from "../../../src/core/request.ts";
import { loadImage } from "../../../src/core/wasm.ts";
import type { ClientInfo } from "../../../src/types.ts";
import { createVectorContext } from "../../support/expression-batch.ts";

const { memory, switches } = createVectorContext("strict");

function fieldsOf(client: ClientInfo): RequestFields {
  const identity = { clientId: client.clientId, username: client.username, isGenerated: false };
  return connectFields(client, identity, undefined, switches);
}

function init(
  entries: readonly (readonly [name: string, text: string])[],
  clientId: string | Uint8Array = "dev-1",
): { readonly attrs: Record<string, string>; readonly drops: readonly [string, AttributeDrop][] } {
  const image = entries.map(([, text], id) => {
    const { blob } = compileExpression({ value: text }, { switches, place: "client_attrs" });
    return { kind: ENTRY_EXPRESSION, id, blob: blob! };
  });
  loadImage(memory, packImage(image, 0));
  encodeRequest(memory, fieldsOf({ clientId, peerPort: 50123 }));
  const drops: [string, AttributeDrop][] = [];
  const attrs = initClientAttrs(
    memory,
    entries.map(([name], id) => ({ name, id })),
    (entry, drop) => drops.push([entry.name, drop]),
  );
  return { attrs, drops };
}

describe("client_attrs_init", () => {
  it("sets the text of each expression, of equal names the later one", () => {
    const { attrs, drops } = init([
      ["a", "nth(1, tokens(clientid, '-'))"],
      ["b", "nth(2, tokens(clientid, '-'))"],
      ["a", "upper(clientid)"],
      ["port", "peerport"],
    ]);
    expect({ ...attrs }).toEqual({ a: "DEV-1", b: "1", port: "50123" });
    expect(drops).toEqual([]);
  });

  it("keeps an earlier result when a later one is empty or fails", () => {
    const { attrs, drops } = init([
      ["a", "clientid"],
      ["a", "username"],
      ["a", "lower(client_attrs.nope)"],
    ]);
    expect({ ...attrs }).toEqual({ a: "dev-1" });
    expect(drops).toEqual([
      ["a", { reason: "error", error: { kind: "var_unbound", where: "client_attrs.nope" } }],
    ]);
  });

  it("drops control characters and bytes that are not UTF-8", () => {
    for (const clientId of ["a\nb", "a\u0000", "a\u007f", "a\u0085b", Uint8Array.of(0xff)]) {
      const { attrs, drops } = init([["a", "clientid"]], clientId);
      expect({ ...attrs }).toEqual({});
      expect(drops).toEqual([["a", { reason: "unprintable" }]]);
    }
    expect(init([["a", "clientid"]], "a é\u00a0").attrs.a).toBe("a é\u00a0");
  });

  it("takes names like __proto__ for ordinary ones", () => {
    const { attrs } = init([["constructor", "clientid"]]);
    expect(Object.keys(attrs)).toEqual(["constructor"]);
    expect(Object.keys(mergeClientAttrs(attrs, { x: "y" }))).toEqual(["constructor", "x"]);
  });

  it("lets an authenticator's attributes win", () => {
    expect({ ...mergeClientAttrs({ a: "1", b: "2" }, { b: "", c: "3" }) }).toEqual({
      a: "1",
      b: "",
      c: "3",
    });
  });

  it.each([
    ["tns", true],
    ["a-b_c9", true],
    ["9", true],
    ["a\n", true],
    ["_a", false],
    ["", false],
    ["a b", false],
    ["é", false],
  ])("attribute name %j: %s", (name, isLegal) => {
    expect(isAttributeName(name)).toBe(isLegal);
  });
});

describe("the request of a client", () => {
  it("binds the password only without enhanced authentication", () => {
    const plain = fieldsOf({ clientId: "c" });
    expect(plain.password).toBeNull();
    const enhanced = fieldsOf({ clientId: "c", password: "p", authMethod: "SCRAM" });
    expect(enhanced).toMatchObject({ password: undefined, authMethod: "SCRAM" });
  });

  it("binds certificate names only when a certificate was presented", () => {
    expect(fieldsOf({ clientId: "c" }).certCommonName).toBeUndefined();
    const fields = fieldsOf({ clientId: "c", certSubject: "O=x" });
    expect(fields).toMatchObject({ certCommonName: null, certSubject: "O=x" });
  });
});
