/** One download of a key set: bounded in time, size and redirects; what it holds is never shown. */
import { readBody } from "../body.ts";
import { isJsonObject, type JsonValue, member, parseJson } from "../json/parse.ts";
import type { Fetch, SetTimer, Timer } from "../ports/ports.ts";
import { decodeDocument } from "../text.ts";
import type { Crypto, VerificationKey } from "./crypto.ts";
import { readKeySet } from "./key-set.ts";

/** LIMIT: of one download, redirects and body included. */
export const DOWNLOAD_MS_MAX = 5000;
/** LIMIT: real sets have a few kilobytes. */
export const KEY_SET_BYTES_MAX = 1_048_576;
export const REDIRECTS_MAX = 3;

export interface DownloadPorts {
  readonly crypto: Crypto;
  readonly fetch: Fetch;
  readonly setTimer: SetTimer;
}

export interface DownloadOptions {
  readonly endpoint: string;
  /** The endpoint has this issuer's OpenID provider configuration, which says where the keys are. */
  readonly discoveryIssuer?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The status must be 200; otherwise only the body counts. */
  readonly wantsStatus200: boolean;
  /** One unusable key does not spoil the set. */
  readonly skipBadKeys: boolean;
  /** See KeySetOptions. */
  readonly known?: readonly VerificationKey[] | undefined;
}

export type Download =
  | {
      readonly ok: true;
      readonly keys: readonly VerificationKey[];
      readonly warnings: readonly string[];
    }
  /** The problem holds nothing of the answer but its status. */
  | { readonly ok: false; readonly problem: string };

/** A problem whose text may be shown, unlike that of other exceptions. */
class DownloadProblem extends Error {}

/**
 * Fetches a key set. Never rejects. `signal` gives it up early.
 *
 * A redirect is followed unless it leaves TLS or HTTP; configured headers, which may be credentials,
 * go to the configured origin alone. For the `jwks_uri` of a provider configuration the same holds.
 * All requests together have the time of one download.
 *
 * Source: authentication §3.3.6, §8 item 13; RFC 7517 §5; OpenID Connect Discovery 1.0 §4.
 */
export async function downloadKeySet(
  options: DownloadOptions,
  ports: DownloadPorts,
  signal: AbortSignal,
): Promise<Download> {
  const giveUp = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    giveUp.signal.addEventListener("abort", () => reject(giveUp.signal.reason));
  });
  const stop = (): void => giveUp.abort(new DownloadProblem("the download was given up"));
  signal.addEventListener("abort", stop);
  let timer: Timer | undefined;
  try {
    timer = ports.setTimer(
      () => giveUp.abort(new DownloadProblem(`no answer within ${DOWNLOAD_MS_MAX / 1000} s`)),
      DOWNLOAD_MS_MAX,
    );
    if (signal.aborted) stop();
    // Raced, because not every fetch and not every body heeds its signal.
    return await Promise.race([download(options, ports, giveUp.signal), aborted]);
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  } finally {
    timer?.clear();
    signal.removeEventListener("abort", stop);
  }
}

async function download(
  options: DownloadOptions,
  ports: DownloadPorts,
  signal: AbortSignal,
): Promise<Download> {
  const { discoveryIssuer, wantsStatus200, skipBadKeys, known } = options;
  const endpoint = new URL(options.endpoint);
  const { headers } = options;
  const request: Request = { headers, origin: endpoint.origin, fetch: ports.fetch, signal };
  const url =
    discoveryIssuer === undefined ? endpoint : await discover(endpoint, discoveryIssuer, request);
  const { response } = await follow(url, request);
  const document = await readJson(response, { wantsStatus200 });
  return readKeySet(document, ports.crypto, { skipBadKeys, known });
}

/** What all requests of a download share. */
interface Request {
  readonly headers: Readonly<Record<string, string>>;
  /** Where the headers may go. */
  readonly origin: string;
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
}

/**
 * Where a provider's configuration says that its keys are. It must name the issuer, to the letter, or
 * one provider could speak for another.
 */
async function discover(endpoint: URL, issuer: string, request: Request): Promise<URL> {
  const { response, url } = await follow(endpoint, request);
  const configuration = await readJson(response, { wantsStatus200: true });
  if (!isJsonObject(configuration) || member(configuration, "issuer") !== issuer) {
    throw new DownloadProblem("the provider configuration is not that of the `issuer`");
  }
  const written = member(configuration, "jwks_uri");
  if (typeof written !== "string" || !URL.canParse(written)) {
    throw new DownloadProblem("the provider configuration has no `jwks_uri`");
  }
  return admitted(new URL(written), url, "`jwks_uri` is");
}

async function readJson(
  response: Response,
  { wantsStatus200 }: { readonly wantsStatus200: boolean },
): Promise<JsonValue> {
  if (wantsStatus200 && response.status !== 200) {
    discard(response);
    throw new DownloadProblem(`the answer has status ${response.status}`);
  }
  const document = parseJson(await readText(response));
  if (!document.ok) throw new DownloadProblem("the answer is not JSON");
  return document.value;
}

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** The answer after redirects, and from where. Followed by hand: fetch would take the headers anywhere. */
async function follow(
  start: URL,
  { headers, origin, fetch, signal }: Request,
): Promise<{ readonly response: Response; readonly url: URL }> {
  let url = start;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const sent = url.origin === origin ? headers : { accept: "application/json" };
    const response = await fetch(url.href, { headers: sent, redirect: "manual", signal });
    if (response.type === "opaqueredirect") {
      throw new DownloadProblem("the answer is a redirect, which cannot be followed here");
    }
    const location = response.headers.get("location");
    if (!REDIRECTS.includes(response.status) || location === null) return { response, url };
    discard(response);
    url = redirected(location, url);
  }
  throw new DownloadProblem(`there are more than ${REDIRECTS_MAX} redirects`);
}

function redirected(location: string, from: URL): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (url === undefined)
    throw new DownloadProblem("the answer is a redirect to an unusable address");
  return admitted(url, from, "the answer is a redirect to");
}

/** An address that an answer led to: never out of TLS, to another scheme, or with credentials. */
function admitted(url: URL, from: URL, what: string): URL {
  if (url.username !== "" || url.password !== "") {
    throw new DownloadProblem(`${what} an unusable address`);
  }
  if (url.protocol !== "https:" && url.protocol !== from.protocol) {
    const scheme = url.protocol === "http:" ? "plain HTTP" : "another scheme";
    throw new DownloadProblem(`${what} ${scheme}`);
  }
  return url;
}

async function readText({ body }: Response): Promise<string> {
  if (!body) return "";
  const bytes = await readBody(body, KEY_SET_BYTES_MAX);
  if (!bytes) throw new DownloadProblem(`the answer has more than ${KEY_SET_BYTES_MAX} bytes`);
  const text = decodeDocument(bytes);
  if (text === undefined) throw new DownloadProblem("the answer is not UTF-8");
  return text;
}

/** Lets go of a body nobody wants, so that its connection is free. */
function discard(response: Response): void {
  response.body?.cancel().catch(() => {});
}

/** A system error's code (`ECONNREFUSED`) says enough; its message may quote what was received. */
function problemOf(error: unknown): string {
  if (error instanceof DownloadProblem) return error.message;
  const cause = error instanceof Error ? error.cause : undefined;
  const code = (cause as { code?: unknown } | undefined)?.code;
  const isName = typeof code === "string" && /^[A-Z0-9_]{1,64}$/.test(code);
  return isName ? `the endpoint cannot be reached (${code})` : "the endpoint cannot be reached";
}
