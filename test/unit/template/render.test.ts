import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTemplate, type TemplateOptions } from "../../../src/compile/template.ts";
import { AUTHN_NAMES, MOUNTPOINT_NAMES } from "../../../src/compile/template-places.ts";
import { resolveSwitches } from "../../../src/config/compatibility.ts";
import type { RequestFields } from "../../../src/core/request.ts";
import { templateRecord } from "../../../src/template/record.ts";
import {
  formEncode,
  renderGeneric,
  renderMountpoint,
  renderRaw,
  renderText,
  renderTopic,
  renderUrlPath,
} from "../../../src/template/render.ts";
import { bindSql, parseSql } from "../../../src/template/sql.ts";
import { parseStructure, renderStructure } from "../../../src/template/structure.ts";

const strict = resolveSwitches("strict");
const emqx = resolveSwitches("emqx");
const options: TemplateOptions = { allowed: AUTHN_NAMES, switches: strict };
const parse = (text: string) => parseTemplate(text, options);
const ff = Uint8Array.of(0xff);

describe("renderText and renderRaw", () => {
  const record = templateRecord({
    clientId: "c",
    username: null,
    certPem: Uint8Array.of(1, 2, 3, 255),
    clientAttrs: { bad: ff, half: Uint8Array.of(0xc3), rest: Uint8Array.of(0xa9), n: 5 },
  });

  it("say which placeholders had no value", () => {
    expect(renderText(parse("${clientid}/${username}/${password}/${username}"), record)).toEqual({
      ok: true,
      value: "c///",
      absent: ["username", "password"],
    });
  });

  it("differ on bytes that are not UTF-8", () => {
    const template = parse("x${client_attrs.bad}");
    const bytes = Uint8Array.of(0x78, 0xff);
    expect(renderRaw(template, record)).toEqual({ ok: true, value: bytes, absent: [] });
    expect(renderText(template, record)).toEqual({ ok: false, error: "not_utf8", bytes });
  });

  it("judge UTF-8 on the whole text", () => {
    expect(renderText(parse("${client_attrs.half}${client_attrs.rest}"), record)).toMatchObject({
      ok: true,
      value: "é",
    });
  });

  it("write certificates as base64", () => {
    expect(renderText(parse("${cert_pem}"), record)).toMatchObject({ ok: true, value: "AQID/w==" });
  });
});

describe("renderUrlPath", () => {
  it("encodes values and leaves the path as written", () => {
    const record = templateRecord({ clientId: "a b/../é", clientAttrs: { x: ff } });
    expect(renderUrlPath(parse("/é/%20/${clientid}/${client_attrs.x}"), record)).toMatchObject({
      ok: true,
      value: "/é/%20/a+b%2F..%2F%C3%A9/%FF",
    });
  });

  it("decodes back to the value", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const encoded = formEncode(text);
        expect(encoded).toMatch(/^(?:[A-Za-z0-9*._+-]|%[0-9A-F]{2})*$/);
        expect(decodeURIComponent(encoded.replaceAll("+", "%20"))).toBe(text);
      }),
    );
  });
});

describe("renderTopic", () => {
  const topic = (text: string, fields: RequestFields, switches = emqx) =>
    renderTopic(parseTemplate(text, { ...options, switches }), templateRecord(fields), switches);

  it("matches nothing without a value, but writes an undefined one as a word", () => {
    expect(topic("t/${username}/#", { username: null })).toMatchObject({ value: "t/undefined/#" });
    expect(topic("t/${username}/${client_attrs.a}", {})).toEqual({
      ok: false,
      error: "absent",
      names: ["username", "client_attrs.a"],
    });
  });

  it("keeps an escape in a constant topic unless names are strict", () => {
    expect(topic("t/${$}{username}", {})).toMatchObject({ value: "t/${$}{username}" });
    expect(topic("t/${$}{username}", {}, strict)).toMatchObject({ value: "t/${username}" });
  });

  it("matches nothing when it is not UTF-8", () => {
    expect(topic("${clientid}", { clientId: ff })).toMatchObject({ error: "not_utf8" });
  });
});

describe("renderMountpoint", () => {
  const mount = (text: string, fields: RequestFields, switches = strict) =>
    renderMountpoint(
      parseTemplate(text, { allowed: MOUNTPOINT_NAMES, switches, namespacesSurvive: true }),
      templateRecord(fields),
      switches,
    );

  it.each([
    ["${username}/", { username: null }, ["username"]],
    ["${username}/", {}, ["username"]],
    ["${username}/", { username: "" }, ["username"]],
    ["${clientid}/${client_attrs.tns}/", { clientId: "c" }, ["client_attrs.tns"]],
    ["${client_attrs.a.b}/", { clientAttrs: { "a.b": "x" } }, ["client_attrs.a.b"]],
  ])("refuses %s when %j leaves a placeholder without value", (text, fields, names) => {
    expect(mount(text, fields)).toEqual({ ok: false, error: "absent", names });
  });

  it.each(["+", "#", "a/b", "a\u0000", "a\nb", "a\u0085b", "\u007f"])(
    "refuses the value %j",
    (username) => {
      expect(mount("${username}/", { username })).toEqual({
        ok: false,
        error: "unsafe",
        names: ["username"],
      });
      expect(mount("${username}/", { username }, emqx)).toMatchObject({ value: `${username}/` });
    },
  );

  it("refuses a value that makes a topic of the broker's own", () => {
    expect(mount("${username}/", { username: "$SYS" })).toMatchObject({ error: "unsafe" });
    expect(mount("t/${username}/", { username: "$SYS" })).toMatchObject({ value: "t/$SYS/" });
    expect(mount("$x/${username}/", { username: "u" })).toMatchObject({ value: "$x/u/" });
  });

  it("allows separators when told to", () => {
    const switches = resolveSwitches("strict", { separator_in_placeholder: true });
    expect(mount("${username}/", { username: "a/b" }, switches)).toMatchObject({ value: "a/b/" });
    expect(mount("${username}/", { username: "a/+" }, switches)).toMatchObject({ error: "unsafe" });
  });

  it("keeps what has no value as written in EMQX", () => {
    expect(mount("${username}/${zone}/", { zone: "z" }, emqx)).toMatchObject({
      value: "${username}/z/",
      absent: ["username"],
    });
  });

  it("keeps bytes that are not UTF-8", () => {
    expect(mount("${username}/", { username: ff })).toMatchObject({
      value: Uint8Array.of(0xff, 0x2f),
    });
  });
});

describe("renderGeneric", () => {
  it("fails on a value without text", () => {
    const record = templateRecord({ other: { peername: { type: "tuple" } } });
    expect(
      renderGeneric(parseTemplate("${peername}", { ...options, allowed: "any" }), record),
    ).toEqual({ ok: false, error: "no_text", names: ["peername"] });
  });

  it("writes the whole record for an empty name", () => {
    const record = templateRecord({ clientId: "c", clientAttrs: [["k", "v"]], other: { n: 1.5 } });
    const template = parseTemplate("${}", { ...options, allowed: "any" });
    expect(renderGeneric(template, record)).toMatchObject({
      value: '{"n":1.5,"clientid":"c","client_attrs":{"k":"v"}}',
    });
  });
});

describe("templateRecord", () => {
  it("takes the last of equal names and does not confuse names with properties", () => {
    const record = templateRecord({
      clientAttrs: [
        ["a", "1"],
        ["a", "2"],
        ["__proto__", "p"],
      ],
    });
    const read = (name: string) => renderText(parse(`\${client_attrs.${name}}`), record);
    expect(read("a")).toMatchObject({ value: "2" });
    expect(read("__proto__")).toMatchObject({ value: "p" });
    expect(read("constructor")).toMatchObject({ value: "", absent: ["client_attrs.constructor"] });
  });
});

describe("structures", () => {
  const text = (value: string) =>
    ({ type: "bytes", value: new TextEncoder().encode(value) }) as const;

  it("render every text and nothing else", () => {
    const shape = {
      type: "map",
      entries: [
        [text("${clientid}"), { type: "list", items: [text("x${username}"), { type: "null" }] }],
        [text("n"), { type: "integer", value: 5n }],
      ],
    } as const;
    const record = templateRecord({ clientId: "c" });
    expect(renderStructure(parseStructure(shape, options), record, "json")).toEqual({
      ok: true,
      value: {
        type: "map",
        entries: [
          [text("c"), { type: "list", items: [text("x"), { type: "null" }] }],
          [text("n"), { type: "integer", value: 5n }],
        ],
      },
      absent: ["username"],
    });
  });

  it("refuse bytes that are not UTF-8 in JSON only", () => {
    const structure = parseStructure(text("${clientid}"), options);
    const record = templateRecord({ clientId: ff });
    expect(renderStructure(structure, record, "json")).toMatchObject({ error: "not_utf8" });
    expect(renderStructure(structure, record, "raw")).toMatchObject({
      value: { type: "bytes", value: ff },
    });
  });
});

describe("SQL", () => {
  it("never lets a value into the statement", () => {
    fc.assert(
      fc.property(fc.string(), (username) => {
        const sql = parseSql('a = ${username} or b = "${username}"', "numbered", options);
        expect(sql.statement).toBe("a = $1 or b = $2");
        const bytes = new TextEncoder().encode(username);
        expect(bindSql(sql, templateRecord({ username }), options)).toEqual([bytes, bytes]);
      }),
    );
  });

  it("drops double quotes only where they touch the placeholder on both sides", () => {
    const statement = (text: string) => parseSql(text, "question_mark", options).statement;
    expect(statement('"${username}"')).toBe("?");
    expect(statement('" ${username}"')).toBe('" ?"');
    expect(statement('"${username}')).toBe('"?');
    expect(statement('"${username}${clientid}"')).toBe('"??"');
    expect(statement('"${username}""${clientid}"')).toBe("??");
    expect(statement("'${username}'")).toBe("'?'");
  });

  it("keeps types, and an unknown name is a text of its own", () => {
    const sql = parseSql("${peerport} ${nope} ${client_attrs.m}", "question_mark", options);
    const record = templateRecord({
      peerPort: 1883,
      clientAttrs: { m: { type: "map", entries: [] } },
    });
    expect(sql.unknown).toEqual(["nope"]);
    expect(bindSql(sql, record, options)).toEqual([
      1883n,
      new TextEncoder().encode("${nope}"),
      "{}",
    ]);
  });
});
