/** The recorded decisions, through compiler, image and core. */
import { describe, expect, test } from "vitest";
import { readAcl } from "../../src/compile/acl/index.ts";
import { compileRegex } from "../../src/compile/regex/index.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { matchTopic } from "../../src/core/rules.ts";
import type { Text } from "../../src/types.ts";
import {
  type AuthzQuestion,
  referenceClient,
  type VectorClient,
} from "../support/authz-vectors.ts";
import { allow, filter, PUBLISH } from "../support/rule-builders.ts";
import { coreWith, decideOnce, newCore, requestOf } from "../support/rules-core.ts";
import { readVectors, type VectorText, vectorText } from "../support/vectors.ts";

interface AuthzRulesVector extends AuthzQuestion {
  readonly acl: VectorText;
  readonly result?: string;
}

interface TopicMatchVector {
  readonly id: string;
  readonly filter: VectorText;
  readonly topic: VectorText;
  readonly match: boolean;
}

interface TemplateVector {
  readonly id: string;
  readonly kind: string;
  readonly template: VectorText;
  readonly client: VectorClient;
  readonly result: string | { readonly unresolved: readonly string[] };
}

const switches = resolveSwitches("emqx");
const RESULTS = { allow: "allow", deny: "deny", no_match: "nomatch", failed: "exception" } as const;

describe("the core in emqx mode", () => {
  test("decides every recorded rule file as recorded", () => {
    const wrong = readVectors<AuthzRulesVector>("authz_rules").filter((vector) => {
      const { rules, issues } = readAcl(vectorText(vector.acl), {
        file: "acl.conf",
        switches,
        securityProfile: vector.security_profile ?? "legacy",
        validatePattern: (pattern) => {
          const compiled = compileRegex(pattern);
          return compiled.ok ? undefined : compiled.message;
        },
      });
      if (issues.some(({ severity }) => severity === "error")) {
        return vector.result !== undefined;
      }
      const core = coreWith(rules, switches);
      const client = requestOf(referenceClient(vector.client));
      const answer = decideOnce(core, client, vector.action, vectorText(vector.topic));
      return RESULTS[answer.verdict] !== vector.result;
    });
    expect(wrong).toEqual([]);
  });

  test("renders every recorded topic template of text values as recorded", () => {
    const vectors = readVectors<TemplateVector>("template").filter(
      ({ kind, client }) =>
        kind === "authz_topic" &&
        Object.values(client.client_attrs ?? {}).every((value) => typeof value === "string"),
    );
    const wrong = vectors.filter(({ template, client, result }) => {
      const core = coreWith([allow([filter(vectorText(template))])], switches);
      const ask = (topic: Text) =>
        decideOnce(core, requestOf(referenceClient(client)), PUBLISH, topic).verdict;
      if (typeof result !== "string") return ask("undefined") !== "no_match";
      const isOpen = result === "+" || result.endsWith("#");
      return ask(result) !== "allow" || (!isOpen && ask(`${result}x`) !== "no_match");
    });
    expect(vectors.length).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
  });

  test("matches every recorded topic as recorded", () => {
    const core = newCore();
    const wrong = readVectors<TopicMatchVector>("topic_match").filter(
      ({ filter, topic, match }) =>
        matchTopic(core, vectorText(filter), vectorText(topic)) !== match,
    );
    expect(wrong).toEqual([]);
  });
});
