import { describe, expect, it } from "vitest";
import { ENTRY_EXPRESSION } from "../../../assembly/abi.ts";
import { createCinfoAuthenticator } from "../../../src/authn/cinfo.ts";
import { compileExpression } from "../../../src/compile/expr/index.ts";
import { packImage } from "../../../src/compile/image.ts";
import { connectFields } from "../../../src/connect/fields.ts";
import { encodeRequest } from "../../../src/core/request.ts";
import { loadImage } from "../../../src/core/wasm.ts";
import type { ClientInfo } from "../../../src/types.ts";
import { createVectorContext } from "../../support/expression-batch.ts";

const { memory, switches } = createVectorContext("strict");
const errors: unknown[] = [];

const TEXTS = ["str_eq(username, 'root')", "regex_match(clientid, '^dev-')", "lower(nope)"];
const blobs = TEXTS.map(
  (value) => compileExpression({ value }, { switches, place: "cinfo" }).blob!,
);
loadImage(
  memory,
  packImage(
    blobs.map((blob, id) => ({ kind: ENTRY_EXPRESSION, id, blob })),
    0,
  ),
);

const authenticator = createCinfoAuthenticator({
  id: "cinfo",
  checks: [
    { ids: [2], result: "deny" },
    { ids: [0, 1], result: "ignore" },
    { ids: [0], result: "deny" },
    { ids: [1], result: "allow" },
  ],
  bind: ({ client, clientAttrs }) => {
    const identity = { clientId: client.clientId, username: client.username, isGenerated: false };
    const fields = connectFields(client, identity, undefined, switches);
    encodeRequest(memory, { ...fields, clientAttrs });
    return memory;
  },
  onError: (check, error) => errors.push([check, error]),
});

const ask = (client: ClientInfo): unknown =>
  authenticator.authenticate({ client, clientAttrs: {} });

describe("cinfo", () => {
  it("lets the first check that holds decide", () => {
    expect(ask({ clientId: "dev-1" })).toEqual({
      type: "ok",
      data: { isSuperuser: false, clientAttrs: {} },
    });
    expect(ask({ clientId: "x", username: "root" })).toEqual({
      type: "deny",
      reason: "check_denied",
      code: 0x86,
    });
    expect(ask({ clientId: "dev-1", username: "root" })).toMatchObject({ type: "ignore" });
  });

  it("has no opinion when no check holds", () => {
    expect(ask({ clientId: "x" })).toMatchObject({ type: "ignore" });
  });

  it("takes an expression that fails for one that does not hold, and says so", () => {
    errors.length = 0;
    ask({ clientId: "dev-1" });
    expect(errors).toEqual([[0, { kind: "var_unbound", where: "nope" }]]);
  });

  it("leaves enhanced authentication to others", () => {
    expect(ask({ clientId: "dev-1", authMethod: "SCRAM" })).toMatchObject({ type: "ignore" });
  });
});
