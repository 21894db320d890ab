import { expect, test } from "vitest";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { byteString } from "../reference/client.ts";
import { renderTopic } from "../reference/template.ts";
import { referenceClient, type VectorClient } from "../support/authz-vectors.ts";
import { readVectors } from "../support/vectors.ts";

interface TemplateVector {
  readonly id: string;
  readonly kind: string;
  readonly template: string;
  readonly client: VectorClient;
  readonly result?: string | { readonly unresolved: readonly string[] };
}

test("the reference renders topic templates as recorded", () => {
  const switches = resolveSwitches("emqx");
  const vectors = readVectors<TemplateVector>("template").filter(
    // Attributes are texts here, so vectors that look into nested ones do not apply.
    ({ kind, template }) => kind === "authz_topic" && !/client_attrs\.\w+\./.test(template),
  );
  expect(vectors.length).toBeGreaterThan(40);
  const wrong = vectors.filter(({ template, client, result }) => {
    const texts = Object.entries(client.client_attrs ?? {}).filter(
      ([, value]) => typeof value === "string",
    );
    const record = referenceClient({ ...client, client_attrs: Object.fromEntries(texts) });
    const rendered = renderTopic(byteString(template), record, switches);
    return rendered !== (typeof result === "string" ? byteString(result) : undefined);
  });
  expect(wrong).toEqual([]);
});
