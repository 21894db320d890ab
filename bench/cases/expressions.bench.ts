/**
 * Evaluating expressions: the two seed expressions and each group of functions. One operation copies
 * what the expression reads of the client into the request record, evaluates, and has the answer as
 * the connect pipeline wants it: a condition, or a text that can be an attribute. Rivals: the same
 * written by hand in JavaScript. The reference's own evaluator does 106 k/s and 97 k/s.
 */
import { strict as assert } from "node:assert";
import { ENTRY_EXPRESSION } from "../../assembly/abi.ts";
import { compileExpression } from "../../src/compile/expr/index.ts";
import { packImage } from "../../src/compile/image.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { attributeText } from "../../src/connect/client-attrs.ts";
import { evaluatesToTrue, evaluateToBytes, slotsRead } from "../../src/core/expressions.ts";
import { createHost } from "../../src/core/host.ts";
import { encodeRequest, type RequestFields } from "../../src/core/request.ts";
import { type CoreMemory, instantiate } from "../../src/core/wasm.ts";
import { loadModuleSync } from "../../src/core/wasm-inline.gen.ts";
import { type BenchCase, type CaseReport, measureCase, type Rival } from "../harness.ts";

const encodePart = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token as identity providers make them; only its payload is looked at. */
const TOKEN = [
  encodePart({ alg: "HS256", typ: "JWT" }),
  encodePart({
    iss: "https://id.example.com/",
    sub: "urn:test:unitid:1001010-1000010:clientid:test",
    aud: "mqtt",
    exp: 1_790_000_000,
    iat: 1_750_000_000,
    scp: "openid read foobar",
  }),
  "c2lnbmF0dXJlIG9mIHRoaXJ0eS10d28gYnl0ZXMgLi4u",
].join(".");

const CLIENT: RequestFields = {
  clientId: "1001010-1000010",
  username: "unit-7",
  password: TOKEN,
  zone: { type: "atom", name: "default" },
  certSubject: "CN=unit-7,OU=plant1,O=Example",
  clientAttrs: { tns: "tenant1" },
};

interface ExpressionCase {
  readonly name: string;
  readonly expression: string;
  /** The same by hand. */
  readonly byHand: (client: {
    clientId: string;
    password: string;
    subject: string;
  }) => string | boolean;
}

const payloadOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString());

const CASES: readonly ExpressionCase[] = [
  {
    name: "seed expression 1",
    expression: "str_neq(nth(4, tokens(jwt_value(password,'sub'),':')), clientid)",
    byHand: ({ password, clientId }) => {
      const parts = String(payloadOf(password).sub)
        .split(":")
        .filter((part) => part !== "");
      return (parts[3] ?? "") !== clientId;
    },
  },
  {
    name: "seed expression 2",
    expression: "nth(2, regex_extract(jwt_value(password,'scp'), '(^|\\s)(read)(\\s|$)'))",
    byHand: ({ password }) => /(^|\s)(read)(\s|$)/.exec(String(payloadOf(password).scp))?.[2] ?? "",
  },
  {
    name: "text",
    expression: "concat([upper(substr(clientid, 0, 4)), '-', lower(username)])",
    byHand: ({ clientId }) => `${clientId.slice(0, 4).toUpperCase()}-unit-7`,
  },
  {
    name: "conditions",
    expression: "iif(is_empty(client_attrs.none), coalesce(client_attrs.tns, zone), 'x')",
    byHand: () => "tenant1",
  },
  {
    name: "regular expression",
    expression: "nth(1, regex_extract(cert_subject, 'OU=([^,]+)'))",
    byHand: ({ subject }) => /OU=([^,]+)/.exec(subject)?.[1] ?? "",
  },
  {
    name: "encodings",
    expression: "base64_encode(hexstr2bin(bin2hexstr(clientid)))",
    byHand: ({ clientId }) => Buffer.from(clientId).toString("base64"),
  },
  {
    name: "range by digest (host call)",
    expression: "hash_to_range(clientid, 1, 16)",
    byHand: () => "",
  },
];

export const cases: Readonly<Record<string, BenchCase>> = Object.fromEntries(
  CASES.map((one) => [`expression: ${one.name}`, (name) => expressionCase(name, one)]),
);

async function expressionCase(
  name: string,
  { expression, byHand }: ExpressionCase,
): Promise<CaseReport> {
  const memory = loadExpression(expression);
  const hand = {
    clientId: String(CLIENT.clientId),
    password: TOKEN,
    subject: String(CLIENT.certSubject),
  };
  const slots = slotsRead(memory, [0]);
  const expected = byHand(hand);
  const ours = (typeof expected === "boolean" ? asTruth : asText)(memory, slots);
  const rivals: Rival[] = [{ name: "portcullis", run: ours }];
  if (expected !== "") {
    assert.equal(ours(), expected);
    rivals.push({ name: "by hand in JavaScript", run: () => byHand(hand) });
  }
  const about = `record of ${TOKEN.length} bytes, ${expression}`;
  const report = await measureCase(name, about, rivals);
  assertMemoryStays(memory);
  return report;
}

/** As a check of `cinfo` asks it. */
function asTruth(memory: CoreMemory, slots: number): () => boolean {
  return () => {
    encodeRequest(memory, CLIENT, slots);
    return evaluatesToTrue(memory, 0);
  };
}

/** As an attribute gets it. */
function asText(memory: CoreMemory, slots: number): () => string | undefined {
  return () => {
    encodeRequest(memory, CLIENT, slots);
    const result = evaluateToBytes(memory, 0);
    return result instanceof Uint8Array ? attributeText(result) : undefined;
  };
}

function loadExpression(expression: string): CoreMemory {
  const { blob, issues } = compileExpression(
    { value: expression },
    { switches: resolveSwitches("strict"), place: "client_attrs" },
  );
  assert(blob, issues.map(({ message }) => message).join("; "));
  const host = createHost({ now: () => Date.now(), env: () => undefined });
  const image = packImage([{ kind: ENTRY_EXPRESSION, id: 0, blob }], 0);
  return instantiate(loadModuleSync(), host, image);
}

/** A hundred thousand evaluations leave the core's memory where it was. */
function assertMemoryStays(memory: CoreMemory): void {
  encodeRequest(memory, CLIENT);
  const { exports } = memory;
  const before = [
    exports.scratch_alloc(0),
    exports.records_used(),
    exports.memory.buffer.byteLength,
  ];
  for (let i = 0; i < 100_000; i++) exports.expression_eval(0, 1);
  const after = [
    exports.scratch_alloc(0),
    exports.records_used(),
    exports.memory.buffer.byteLength,
  ];
  assert.deepEqual(after, before);
}
