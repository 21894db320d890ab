/** The rule compiler's parser of topic templates against the general one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTopicTemplate, type TopicTemplate } from "../../src/compile/rule/topic-template.ts";
import { isConstant, parseTemplate } from "../../src/compile/template.ts";
import { TOPIC_NAMES } from "../../src/compile/template-places.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { runs } from "../support/runs.ts";

const texts = fc
  .array(
    fc.constantFrom(
      ..."${}.$ax-_ /+#é".split(""),
      "${",
      "${$}",
      "${$}{clientid}",
      "${clientid}",
      "${.username}",
      "${zone}",
      "${topic}",
      "${}",
      "${client_attrs.a}",
      "${client_attrs.a-b}",
      "${client_attrs.a.b}",
      "${client_attrs.}",
      "${client_attrs}",
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

const shape = (topic: TopicTemplate): unknown => {
  if (topic.type !== "template") return topic.type === "text" ? topic.text : undefined;
  return topic.parts.map((part) => (part.type === "text" ? part.text : { name: part.name }));
};

describe("topic templates", () => {
  it.each([
    ["emqx", resolveSwitches("emqx")],
    ["literals stay literal", resolveSwitches("emqx", { template_literals_stay_literal: true })],
  ])("are read alike by both parsers: %s", (_, switches) => {
    fc.assert(
      fc.property(texts, (text) => {
        const template = parseTemplate(text, { allowed: TOPIC_NAMES, switches });
        const parts = template.parts.map((part) =>
          typeof part === "string" ? part : { name: part.name },
        );
        expect(shape(parseTopicTemplate(text, switches).topic)).toEqual(
          isConstant(template) ? text : parts,
        );
      }),
      runs(3000),
    );
  });

  it("are read alike by both parsers where nothing is refused: strict", () => {
    const switches = resolveSwitches("strict");
    fc.assert(
      fc.property(texts, (text) => {
        const parse = parseTopicTemplate(text, switches);
        const template = parseTemplate(text, { allowed: TOPIC_NAMES, switches });
        if (template.unknown.length > 0) expect(parse.unknown).not.toEqual([]);
        fc.pre(parse.unknown.length === 0);
        const parts = template.parts.map((part) =>
          typeof part === "string" ? part : { name: part.name },
        );
        expect(shape(parse.topic)).toEqual(isConstant(template) ? parts.join("") : parts);
      }),
      runs(3000),
    );
  });
});
