/** A batch context as the recorded vectors were made with: EMQX's semantics and environment. */
import { type BatchContext, createBatchContext } from "../../src/batch/context.ts";
import { type Preset, resolveSwitches } from "../../src/config/compatibility.ts";
import type { HostPorts } from "../../src/core/host.ts";
import { loadModuleSync } from "../../src/core/wasm-inline.gen.ts";

const ENVIRONMENT: Readonly<Record<string, string>> = { EMQXVAR_SITE: "plant7", EMQXVAR_EMPTY: "" };

export function createVectorContext(
  preset: Preset = "emqx",
  ports: Partial<HostPorts> = {},
): BatchContext {
  return createBatchContext({
    module: loadModuleSync(),
    switches: resolveSwitches(preset),
    ports: { now: () => 1_750_000_000_000, env: (name) => ENVIRONMENT[name], ...ports },
  });
}

/** A term with floats as numbers and keys in order, so that equal terms are equal JSON. */
export function canonicalTerm(term: unknown): unknown {
  if (Array.isArray(term)) return term.map(canonicalTerm);
  if (term === null || typeof term !== "object") return term;
  const entries = Object.entries(term);
  const [only] = entries;
  if (entries.length === 1 && only![0] === "$float") {
    const value = Number(only![1]);
    return { $float: Object.is(value, -0) ? "-0.0" : value };
  }
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, canonicalTerm(value)]),
  );
}

/** Features of PCRE2 that the engine refuses, or supports in part, as patterns spell them. */
export const REFUSED_FEATURES: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["look-around", /\(\?<?[=!]/],
  ["back-reference", /\\[1-9]|\\k|\(\?P=|\\g\{?-?\d/],
  ["recursion", /\(\?(?:R|[+-]?\d|&|P>)/],
  ["atomic group", /\(\?>/],
  ["possessive quantifier", /[*+?}]\+/],
  ["conditional", /\(\?\(/],
  ["verb or start option", /\(\*[A-Z]/],
  ["Unicode property", /\\[pP]/],
  ["\\K, \\G, \\C", /\\[KGC]/],
  ["callout", /\(\?C/],
];

/** The refused feature that makes a pattern unusable, if any. */
export function refusedFeature(pattern: string): string | undefined {
  return REFUSED_FEATURES.find(([, spelling]) => spelling.test(pattern))?.[0];
}
