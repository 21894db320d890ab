/**
 * The order in which sources answer, and what it comes to when none does.
 * Source: authorization §4.1, §4.4, §4.5.
 */
import type { Verdict } from "../types.ts";

/** `nomatch` and `ignore` both move on; `failure` does as the failure policy says. */
export type SourceResult = "allow" | "deny" | "nomatch" | "ignore" | "failure";

export interface AuthzSource {
  /** `client_info` for the client's own rules, else the source's type. */
  readonly name: string;
  /** A throw counts as `failure`. */
  readonly check: () => SourceResult;
}

export interface SourcesPolicy {
  readonly isSuperuser: boolean;
  readonly noMatch: Verdict;
  /** A failing source refuses and ends the chain, instead of being skipped. */
  readonly failureDenies: boolean;
}

/** The first source that answers decides; `by` is its name, `superuser` or `default`. */
export function decideSources(
  sources: readonly AuthzSource[],
  { isSuperuser, noMatch, failureDenies }: SourcesPolicy,
): { readonly verdict: Verdict; readonly by: string } {
  if (isSuperuser) return { verdict: "allow", by: "superuser" };
  for (const source of sources) {
    const result = ask(source);
    if (result === "allow" || result === "deny") return { verdict: result, by: source.name };
    if (result === "failure" && failureDenies) return { verdict: "deny", by: source.name };
  }
  return { verdict: noMatch, by: "default" };
}

function ask(source: AuthzSource): SourceResult {
  try {
    return source.check();
  } catch {
    return "failure";
  }
}
