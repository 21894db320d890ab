import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isConstant,
  parseTemplate,
  parseTemplates,
  type TemplateOptions,
  templateIssues,
  templateNames,
} from "../../../src/compile/template.ts";
import { TOPIC_NAMES } from "../../../src/compile/template-places.ts";

const emqx: TemplateOptions = {
  allowed: ["username", "clientid", "client_attrs.*"],
  switches: { template_literals_stay_literal: false, strict_placeholder_names: false },
};
const strict: TemplateOptions = {
  ...emqx,
  switches: { template_literals_stay_literal: true, strict_placeholder_names: true },
};
/** Placeholders as `<name>`, so that literal text cannot be taken for them. */
const shape = (text: string, options: TemplateOptions): string =>
  parseTemplate(text, options)
    .parts.map((part) => (typeof part === "string" ? part : `<${part.name}>`))
    .join("");

describe("template syntax", () => {
  it.each([
    ["", ""],
    ["plain", "plain"],
    ["${username}", "<username>"],
    ["${.username}", "<username>"],
    ["a${username}b${clientid}", "a<username>b<clientid>"],
    ["${client_attrs.a.b}", "<client_attrs.a.b>"],
    ["${client_attrs.}", "<client_attrs.>"],
    ["${$}", "$"],
    ["${$}{username}", "${username}"],
    ["${$}${username}", "$<username>"],
    ["$${username}", "$<username>"],
    ["${${username}}", "${<username>}"],
    ["${$$}", "${$$}"],
    ["${ username }", "${ username }"],
    ["${username", "${username"],
    ["$username}", "$username}"],
    ["${username}}", "<username>}"],
    ["\\${username}", "\\<username>"],
    ["${é}", "${é}"],
    ["%u%c", "%u%c"],
  ])("reads %s as %s", (text, expected) => {
    expect(shape(text, emqx)).toBe(expected);
  });

  it("splits names at every dot and keeps empty pieces", () => {
    const { parts } = parseTemplate("${client_attrs..a.}", emqx);
    expect(parts).toStrictEqual([
      { name: "client_attrs..a.", path: ["client_attrs", "", "a", ""] },
    ]);
  });

  it("allows hyphens in names only with strict_placeholder_names", () => {
    expect(shape("${client_attrs.my-attr}", emqx)).toBe("${client_attrs.my-attr}");
    expect(shape("${client_attrs.my-attr}", strict)).toBe("<client_attrs.my-attr>");
  });

  it("tells constant templates from others", () => {
    expect(isConstant(parseTemplate("a/${$}{username}", emqx))).toBe(true);
    expect(isConstant(parseTemplate("a/${topic}", emqx))).toBe(true);
    expect(isConstant(parseTemplate("a/${username}", emqx))).toBe(false);
    expect(templateNames(parseTemplate("${username}${clientid}/${username}", emqx))).toEqual([
      "username",
      "clientid",
    ]);
  });
});

describe("names that are not allowed", () => {
  it.each([
    ["${topic}/${username}", "${topic}/<username>", "${topic}/<username>"],
    ["${.topic}", "${topic}", "${topic}"],
    ["${.}", "${}", "${}"],
    ["${}", "${}", "${}"],
    ["${username.x}", "${username.x}", "${username.x}"],
    ["${client_attrs}", "${client_attrs}", "${client_attrs}"],
    ["${topic}/${client_attrs.t}", "${topic}/${client_attrs.t}", "${topic}/<client_attrs.t>"],
    ["${topic}/${$}{username}", "${topic}/<username>", "${topic}/${username}"],
    ["${topic}/${$}{password}", "${topic}/<password>", "${topic}/${password}"],
    ["${topic}${$}${username}", "${topic}$<username>", "${topic}$<username>"],
    ["${topic}${$}${$}{username}", "${topic}$<username>", "${topic}$${username}"],
  ])("%s is %s in EMQX and %s by default", (text, inEmqx, byDefault) => {
    expect(shape(text, emqx)).toBe(inEmqx);
    expect(shape(text, strict)).toBe(byDefault);
  });

  it("affect every text of the same unit in EMQX, none by default", () => {
    const texts = ["${topic}", "${client_attrs.t}", "${$}{password}"];
    const names = (options: TemplateOptions) => parseTemplates(texts, options).map(templateNames);
    expect(names(emqx)).toEqual([[], [], ["password"]]);
    expect(names(strict)).toEqual([[], ["client_attrs.t"], []]);
  });

  it("spare namespaces where the place says so", () => {
    expect(shape("${topic}/${client_attrs.t}", { ...emqx, namespacesSurvive: true })).toBe(
      "${topic}/<client_attrs.t>",
    );
  });

  it("are reported once each, misspelt ones only with strict_placeholder_names", () => {
    const text = "${topic}/${topic}/${ username }/${$}{x y}";
    expect(parseTemplate(text, emqx).unknown).toEqual(["topic"]);
    expect(parseTemplate(text, strict).unknown).toEqual(["topic", " username "]);
    expect(parseTemplate("${username}/${${clientid}}/$x", strict).unknown).toEqual([]);
    expect(parseTemplate("${anything}", { ...strict, allowed: "any" }).unknown).toEqual([]);
  });

  it("make issues that name the place and the fix", () => {
    const options = { ...strict, allowed: TOPIC_NAMES };
    const template = parseTemplate("a/${topic}", options);
    const at = { file: "acl.conf", line: 3, column: 14 };
    expect(templateIssues(template, options, { severity: "error", path: "rules[2]", at })).toEqual([
      {
        severity: "error",
        code: "ERR_CONFIG_PLACEHOLDER",
        path: "rules[2]",
        message: "unknown placeholder `${topic}`",
        hint:
          "known here: ${username}, ${clientid}, ${cert_common_name}, ${zone}, " +
          "${client_attrs.NAME}; write ${$}{topic} for the literal text",
        at,
      },
    ]);
    expect(templateIssues(template, options, { severity: "warning", path: "" })[0]?.message).toBe(
      "unknown placeholder `${topic}` is kept as literal text",
    );
  });
});

describe("template laws", () => {
  const pieces = fc.constantFrom(
    ..."${}.$ax-_ ".split(""),
    "${",
    "${$}",
    "${username}",
    "${topic}",
    "${client_attrs.a}",
  );
  const texts = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(""));

  it("never makes a disallowed name live by default", () => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const name of templateNames(parseTemplate(text, strict))) {
          expect(name === "username" || name.startsWith("client_attrs.")).toBe(true);
        }
      }),
    );
  });

  it("reads a text without a dollar sign as itself", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes("$"));
        expect(parseTemplate(text, emqx).parts).toEqual(text === "" ? [] : [text]);
      }),
    );
  });

  it("keeps literals merged", () => {
    fc.assert(
      fc.property(texts, fc.constantFrom(emqx, strict), (text, options) => {
        const { parts } = parseTemplate(text, options);
        parts.forEach((part, index) => {
          expect(part).not.toBe("");
          expect(typeof part === "string" && typeof parts[index + 1] === "string").toBe(false);
        });
      }),
    );
  });

  it("takes a hostile text in one pass", () => {
    const text = "${".repeat(200_000);
    expect(parseTemplate(text, emqx).parts).toEqual([text]);
    expect(parseTemplate(`\${${"a".repeat(400_000)}`, strict).parts).toHaveLength(1);
  });
});
