import { describe, expect, it } from "vitest";
import {
  parseTopicTemplate,
  type TopicTemplate,
} from "../../../../src/compile/rule/topic-template.ts";
import { resolveSwitches } from "../../../../src/config/compatibility.ts";

const emqx = resolveSwitches("emqx");
const literal = resolveSwitches("emqx", { template_literals_stay_literal: true });
const strict = resolveSwitches("strict");

/** Placeholders as `<name>`; a topic that is no template in brackets. */
const shape = (topic: TopicTemplate): string => {
  if (topic.type === "never") return "never";
  if (topic.type === "text") return `[${topic.text}]`;
  return topic.parts.map((part) => (part.type === "text" ? part.text : `<${part.name}>`)).join("");
};

describe("topic templates", () => {
  it.each([
    ["plant/+/#", "[plant/+/#]"],
    ["${clientid}", "<clientid>"],
    ["${.username}/a", "<username>/a"],
    ["a/${zone}/${cert_common_name}", "a/<zone>/<cert_common_name>"],
    ["a${client_attrs.a}b/${client_attrs.a.b}", "a<client_attrs.a>b/<client_attrs.a.b>"],
    ["$${clientid}", "$<clientid>"],
    ["é/${clientid}", "é/<clientid>"],
  ])("are read alike in every mode: %s", (text, expected) => {
    for (const switches of [emqx, literal, strict]) {
      const { topic, unknown } = parseTopicTemplate(text, switches);
      expect(shape(topic)).toBe(expected);
      expect(unknown).toEqual([]);
    }
  });

  it.each([
    // text, unknown, emqx, with template_literals_stay_literal
    ["${topic}", ["${topic}"], "[${topic}]", "[${topic}]"],
    ["${}/${clientid}", ["${}"], "${}/<clientid>", "${}/<clientid>"],
    ["${client_attrs}", ["${client_attrs}"], "[${client_attrs}]", "[${client_attrs}]"],
    [
      "${topic}/${clientid}/${client_attrs.a}",
      ["${topic}"],
      "${topic}/<clientid>/${client_attrs.a}",
      "${topic}/<clientid>/<client_attrs.a>",
    ],
    ["${$}{clientid}/${.x}", ["${x}"], "<clientid>/${x}", "[${$}{clientid}/${.x}]"],
    ["${$}{topic}/${x}", ["${x}"], "<topic>/${x}", "[${$}{topic}/${x}]"],
    ["${topic}/${topic}/${clientid}", ["${topic}", "${topic}"], "${topic}/${topic}/<clientid>"],
  ])("read %s a second time when a name in it is unknown", (text, unknown, loose, kept = loose) => {
    expect(parseTopicTemplate(text, emqx).unknown).toEqual(unknown);
    expect(shape(parseTopicTemplate(text, emqx).topic)).toBe(loose);
    expect(parseTopicTemplate(text, literal).unknown).toEqual(unknown);
    expect(shape(parseTopicTemplate(text, literal).topic)).toBe(kept);
  });

  it.each([
    // text, emqx, strict
    ["a/${$}", "[a/${$}]", "[a/$]"],
    ["a/${$}{clientid}", "[a/${$}{clientid}]", "[a/${clientid}]"],
    ["${$}/${clientid}", "$/<clientid>", "$/<clientid>"],
    ["${$}${$}{x}/${zone}", "$${x}/<zone>", "$${x}/<zone>"],
  ])("stand as written without a placeholder, and never so in strict mode: %s", (text, ...read) => {
    for (const [index, switches] of [emqx, strict].entries()) {
      const { topic, unknown } = parseTopicTemplate(text, switches);
      expect(shape(topic)).toBe(read[index]);
      expect(unknown).toEqual([]);
    }
  });

  it.each([
    ["${", "[${]", ["${"]],
    ["${clientid", "[${clientid]", ["${"]],
    ["${ clientid }", "[${ clientid }]", ["${"]],
    ["${é}/${${clientid}", "${é}/${<clientid>", ["${", "${"]],
    ["${client_attrs.}", "<client_attrs.>", ["${client_attrs.}"]],
    ["${$$}/${topic}/${", "[${$$}/${topic}/${]", ["${", "${topic}", "${"]],
  ])("refuse in strict mode what EMQX reads as text: %s", (text, loose, unknown) => {
    expect(shape(parseTopicTemplate(text, emqx).topic)).toBe(loose);
    expect(parseTopicTemplate(text, strict).unknown).toEqual(unknown);
  });

  it("have hyphens in their names in strict mode only", () => {
    expect(shape(parseTopicTemplate("${client_attrs.a-b}", strict).topic)).toBe(
      "<client_attrs.a-b>",
    );
    const { topic, unknown } = parseTopicTemplate("${client_attrs.a-b}", emqx);
    expect(shape(topic)).toBe("[${client_attrs.a-b}]");
    expect(unknown).toEqual([]);
  });

  it("are read from bytes that are UTF-8, and match nothing from others", () => {
    const bytes = new TextEncoder().encode("é/${clientid}");
    expect(shape(parseTopicTemplate(bytes, strict).topic)).toBe("é/<clientid>");
    const damaged = Uint8Array.of(0xc3, ...new TextEncoder().encode("/${clientid}"));
    expect(shape(parseTopicTemplate(damaged, strict).topic)).toBe("never");
    const plain = Uint8Array.of(0xc3, 0x2f);
    expect(parseTopicTemplate(plain, strict).topic).toEqual({ type: "text", text: plain });
  });
});
