import { afterEach, describe, expect, it, vi } from "vitest";
import { createNodeCrypto } from "../../../bindings/node/crypto.ts";
import { type JwksOptions, JwksSource } from "../../../src/crypto/jwks.ts";
import { KEY_SET_BYTES_MAX, REDIRECTS_MAX } from "../../../src/crypto/jwks-download.ts";
import {
  ASKED_DOWNLOADS_MAX,
  COOL_DOWN_MS,
  KeySetStore,
  REMEMBERED_SETS_MAX,
} from "../../../src/crypto/jwks-store.ts";
import type { JwsHeader } from "../../../src/crypto/jws.ts";
import type { KeyLookup } from "../../../src/crypto/key-source.ts";
import type { Fetch } from "../../../src/ports/ports.ts";
import { type FakeTime, fakeTime } from "../../support/fake-timers.ts";
import {
  type Answer,
  type JwksServer,
  jwk,
  sendKeys,
  startJwksServer,
} from "../../support/jwks-server.ts";
import { makeKeyPair } from "../../support/key-pair.ts";
import { p256, p384, rsa } from "../../support/tokens.ts";

const START_MS = 1_750_000_000_000;
const A = jwk(p256, { kid: "a" });
const B = jwk(p384, { kid: "b" });
const otherP256 = makeKeyPair("ec", { namedCurve: "P-256" });
const BAD = { kty: "RSA", kid: "bad", n: "!!", e: "AQAB" };

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

interface Running {
  readonly server: JwksServer;
  readonly time: FakeTime;
  readonly store: KeySetStore;
  open(options?: Partial<JwksOptions>, fetch?: Fetch): Promise<JwksSource>;
}

async function start(answer: Answer | readonly unknown[]): Promise<Running> {
  const server = await startJwksServer(answer);
  opened.push(server.close);
  const time = fakeTime(START_MS);
  const store = new KeySetStore();
  const open: Running["open"] = async (
    options = {},
    fetch = (url, init) => globalThis.fetch(url, init),
  ) => {
    const source = await JwksSource.open(
      {
        endpoint: server.url,
        headers: { accept: "application/json", authorization: "Bearer s3cret" },
        refreshIntervalSeconds: 300,
        maxFailCount: 5,
        selectsByKid: true,
        skipBadKeys: true,
        isGuarded: true,
        ...options,
      },
      {
        crypto: createNodeCrypto(),
        fetch,
        setTimer: time.setTimer,
        clock: time,
        random: () => 0.5,
        store,
      },
    );
    opened.push(() => source.close());
    return source;
  };
  return { server, time, store, open };
}

const REFERENCE = { selectsByKid: false, skipBadKeys: false, isGuarded: false } as const;

const header = (kid?: string): JwsHeader => ({ alg: "ES256", kid, hasCrit: false, b64: true });
const find = async (source: JwksSource, kid?: string): Promise<KeyLookup> =>
  source.find(header(kid), kid === "b" ? "ES384" : "ES256");

/** Key ids found, or the problem. */
async function found(source: JwksSource, kid?: string): Promise<unknown> {
  const lookup = await find(source, kid);
  return lookup.ok ? lookup.keys.map((key) => key.kid) : lookup.problem;
}

/** Until this many downloads have begun and nothing is under way. */
const settled = ({ server, time }: Running, requests: number): Promise<void> =>
  vi.waitFor(() => {
    expect(server.requests).toHaveLength(requests);
    expect(time.pending()).toBe(1);
    expect(time.delaysMs.at(-1)).not.toBe(5000);
  });

describe("a key set endpoint", () => {
  it("is asked once, with the configured headers, before the source is ready", async () => {
    const running = await start([A, B]);
    const source = await running.open();
    expect(await found(source, "a")).toEqual(["a"]);
    expect(await found(source, "b")).toEqual(["b"]);
    expect(await found(source)).toEqual(["a"]);
    expect(running.server.requests).toHaveLength(1);
    expect(running.server.requests[0]).toMatchObject({
      accept: "application/json",
      authorization: "Bearer s3cret",
    });
    expect(source.warnings).toEqual([]);
  });

  it("answers at once while keys are at hand", async () => {
    const running = await start([A]);
    const source = await running.open();
    expect(source.find(header("a"), "ES256")).not.toBeInstanceOf(Promise);
  });

  it("says which set and which kid, and neither headers nor query", async () => {
    const running = await start([A, BAD]);
    const source = await running.open();
    running.time.advance(12_500);
    const lookup = await find(source, "a");
    expect(lookup.detail).toMatch(
      /^key set http:\/\/127\.0\.0\.1:\d+\/keys \(1 keys, 1 skipped, 12 s old\), alg `ES256`, kid `a`: 1 fit$/,
    );
    running.server.answer = (response) => void response.destroy();
    expect(JSON.stringify(await find(source, "?"))).not.toMatch(/s3cret|in-query/);
  });

  it("is asked again ahead of the interval, and new keys replace the old", async () => {
    const running = await start([A]);
    const source = await running.open();
    running.server.answer = [B];
    expect(running.time.delaysMs.at(-1)).toBe(255_000);
    running.time.advance(254_999);
    expect(await found(source, "a")).toEqual(["a"]);
    running.time.advance(1);
    await settled(running, 2);
    expect(source.keys.map((key) => key.kid)).toEqual(["b"]);
  });

  it("takes the new key of the same kid with the next download", async () => {
    const running = await start([A]);
    const source = await running.open();
    const [before] = source.keys;
    running.server.answer = [jwk(p384, { kid: "a" })];
    running.time.advance(255_000);
    await settled(running, 2);
    expect(before?.type).toBe("P-256");
    expect(source.keys.map((key) => key.type)).toEqual(["P-384"]);
    expect(await found(source, "a")).toEqual([]);
  });

  it("is asked by clients where the host has no timers and no requests of its own", async () => {
    const running = await start([A]);
    let isServing = false;
    const whileServing = (): void => {
      if (!isServing) throw new Error("not now");
    };
    const source = await JwksSource.open(
      {
        ...REFERENCE,
        endpoint: running.server.url,
        headers: {},
        refreshIntervalSeconds: 300,
        maxFailCount: 5,
        isGuarded: true,
      },
      {
        crypto: createNodeCrypto(),
        clock: running.time,
        store: running.store,
        random: () => {
          whileServing();
          return 0;
        },
        fetch: (url, init) => {
          whileServing();
          return fetch(url, init);
        },
        setTimer: (run, delayMs) => {
          whileServing();
          return running.time.setTimer(run, delayMs);
        },
      },
    );
    opened.push(() => source.close());
    expect(await found(source, "a")).toMatch(/^there are no keys/);
    isServing = true;
    running.time.advance(10_000);
    expect(await found(source, "a")).toEqual(["a"]);
  });

  it("is asked by a client when its timer is late", async () => {
    const running = await start([A]);
    const source = await running.open();
    running.time.setClock(START_MS + 300_000);
    expect(await found(source, "a")).toEqual(["a"]);
    await settled(running, 2);
  });
});

describe("an unknown kid", () => {
  it("causes one download, which everybody waits for", async () => {
    const running = await start([A]);
    const source = await running.open();
    running.server.answer = [A, B];
    const all = await Promise.all(Array.from({ length: 50 }, () => found(source, "b")));
    expect(new Set(all.map(String))).toEqual(new Set(["b"]));
    expect(running.server.requests).toHaveLength(2);
  });

  it("causes no other within the cool-down, and one after it", async () => {
    const running = await start([A]);
    const source = await running.open();
    const ask = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, index) => found(source, `x${index}`)));
    await ask(10_000);
    await ask(10);
    expect(running.server.requests).toHaveLength(2);
    running.time.advance(COOL_DOWN_MS - 1);
    await ask(10);
    expect(running.server.requests).toHaveLength(2);
    expect((await find(source, "x")).detail).toContain("not fetched again so soon");
    running.time.advance(1);
    await ask(10);
    expect(running.server.requests).toHaveLength(3);
  });

  it("is asked for after a download that had begun before, not only in it", async () => {
    const held: (() => void)[] = [];
    const running = await start([A]);
    const source = await running.open();
    running.server.answer = (response) => void held.push(() => sendKeys(response, [A]));
    running.time.advance(255_000);
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const asked = found(source, "b");
    running.server.answer = [A, B];
    held[0]!();
    expect(await asked).toEqual(["b"]);
    expect(running.server.requests).toHaveLength(3);
  });

  it("falls back on keys without a name", async () => {
    const running = await start([A, jwk(p256)]);
    const source = await running.open();
    expect(await found(source, "x")).toEqual([undefined]);
    expect(running.server.requests).toHaveLength(2);
  });

  it("says nothing where no key has a name, or names do not count", async () => {
    const running = await start([jwk(p256)]);
    const unnamed = await running.open();
    expect(await found(unnamed, "x")).toEqual([undefined]);
    running.server.answer = [A];
    const reference = await running.open(REFERENCE);
    expect(await found(reference, "x")).toEqual(["a"]);
    expect(running.server.requests).toHaveLength(2);
  });

  it("finds nothing more after close", async () => {
    const running = await start([A]);
    const source = await running.open();
    source.close();
    expect(running.time.pending()).toBe(0);
    expect(await found(source, "b")).toEqual([]);
    expect(await found(source, "a")).toEqual(["a"]);
    expect(running.server.requests).toHaveLength(1);
  });
});

describe("a known kid whose keys do not verify", () => {
  const again = async (source: JwksSource, kid = "a"): Promise<string[] | undefined> => {
    const tried = await find(source, kid);
    const lookup = await source.findAgain(header(kid), "ES256", tried.ok ? tried.keys : []);
    return lookup?.ok ? lookup.keys.map((key) => String(key.kid)) : undefined;
  };

  it("causes one download, and gets only keys that it was not tried with", async () => {
    const running = await start([A]);
    const source = await running.open();
    expect(await Promise.all([again(source), again(source)])).toEqual([[], []]);
    expect(running.server.requests).toHaveLength(2);
    running.server.answer = [jwk(otherP256, { kid: "a" })];
    running.time.setClock(START_MS + COOL_DOWN_MS);
    expect(await Promise.all([again(source), again(source)])).toEqual([["a"], ["a"]]);
    expect(running.server.requests).toHaveLength(3);
  });

  it("causes none within the cool-down, whichever kind of token was there before", async () => {
    const running = await start([A]);
    const source = await running.open();
    expect(await found(source, "?")).toEqual([]);
    running.time.setClock(START_MS + COOL_DOWN_MS - 1);
    expect(await again(source)).toEqual([]);
    expect(running.server.requests).toHaveLength(2);
  });

  it("finds keys that came since at once", async () => {
    const running = await start([A]);
    const source = await running.open();
    const tried = await find(source, "a");
    running.server.answer = [jwk(otherP256, { kid: "a" })];
    running.time.advance(255_000);
    await settled(running, 2);
    const lookup = source.findAgain(header("a"), "ES256", tried.ok ? tried.keys : []);
    expect(lookup).toMatchObject({ ok: true, keys: [{ kid: "a" }] });
    expect(running.server.requests).toHaveLength(2);
  });

  it("is no reason to ask when there is no kid, or names do not count", async () => {
    const running = await start([A]);
    const source = await running.open();
    expect(source.findAgain(header(), "ES256", source.keys)).toBeUndefined();
    expect(source.findAgain(header("?"), "ES256", source.keys)).toBeUndefined();
    const reference = await running.open(REFERENCE);
    expect(reference.findAgain(header("a"), "ES256", reference.keys)).toBeUndefined();
  });

  it("keeps the key object of a key that did not change", async () => {
    const running = await start([A, B]);
    const source = await running.open();
    const [a, b] = source.keys;
    running.server.answer = [jwk(otherP256, { kid: "a" }), B];
    running.time.advance(255_000);
    await settled(running, 2);
    expect(source.keys[0]).not.toBe(a);
    expect(source.keys[1]).toBe(b);
  });
});

describe("an outage", () => {
  const down: Answer = (response) => void response.destroy();

  it("leaves the keys in use for max_fail_count intervals and not longer", async () => {
    const running = await start([A]);
    const source = await running.open({ refreshIntervalSeconds: 10, maxFailCount: 3 });
    running.server.answer = down;
    running.time.setClock(START_MS + 30_000);
    expect(await found(source, "a")).toEqual(["a"]);
    await settled(running, 2);
    running.time.setClock(START_MS + 30_001);
    expect(await found(source, "a")).toMatch(/^there are no keys: the endpoint cannot be reached/);
  });

  it("is followed by tries further and further apart, and by keys when it is over", async () => {
    const running = await start(down);
    const source = await running.open({ refreshIntervalSeconds: 60 });
    expect(source.warnings).toEqual([expect.stringMatching(/cannot be reached/)]);
    const pauses: unknown[] = [];
    for (let requests = 1; requests <= 5; requests += 1) {
      await settled(running, requests);
      pauses.push(running.time.delaysMs.at(-1));
      running.time.advance(running.time.delaysMs.at(-1)!);
    }
    expect(pauses).toEqual([9000, 18_000, 36_000, 54_000, 54_000]);
    await settled(running, 6);
    running.server.answer = [A];
    running.time.advance(54_000);
    await settled(running, 7);
    expect(await found(source, "a")).toEqual(["a"]);
  });

  it("from the start is no reason to wait for long, and who connects meanwhile waits for a try", async () => {
    const running = await start(() => {});
    const opening = running.open();
    await vi.waitFor(() => expect(running.server.requests).toHaveLength(1));
    running.time.advance(5000);
    const source = await opening;
    expect(await found(source, "a")).toBe("there are no keys: no answer within 5 s");
    running.server.answer = [A];
    running.time.advance(9000);
    expect(await found(source, "a")).toEqual(["a"]);
  });

  it("does not lose the keys in a reload", async () => {
    const running = await start([A]);
    (await running.open()).close();
    running.server.answer = down;
    const next = await running.open();
    expect(await found(next, "a")).toEqual(["a"]);
    running.time.setClock(START_MS + 1_500_001);
    expect(await found(next, "a")).toMatch(/^there are no keys/);
    const other = await running.open({ headers: { authorization: "other" } });
    expect(other.keys).toEqual([]);
  });

  it("does not last longer because the clock was set back", async () => {
    const running = await start([A]);
    const source = await running.open({ refreshIntervalSeconds: 10, maxFailCount: 2 });
    running.server.answer = down;
    running.time.setClock(START_MS - 1_000_000);
    expect(await found(source, "a")).toEqual(["a"]);
    running.time.setClock(START_MS - 1_000_000 + 20_001);
    expect(await found(source, "a")).toMatch(/^there are no keys/);
  });
});

describe("an answer that is no key set", () => {
  const text =
    (body: string | Uint8Array, status = 200, headers = {}): Answer =>
    (response) => {
      response.writeHead(status, headers);
      response.end(body);
    };
  const set = JSON.stringify({ keys: [A] });

  async function problem(answer: Answer, options: Partial<JwksOptions> = {}): Promise<unknown> {
    const running = await start(answer);
    return found(await running.open(options));
  }

  it.each<[string, Answer, RegExp]>([
    ["status 500", text(set, 500), /status 500$/],
    ["status 204", text("", 204), /status 204$/],
    ["status 201", text(set, 201), /status 201$/],
    ["a page", text("<html>s3cret</html>"), /not JSON$/],
    ["nothing", text(""), /not JSON$/],
    ["half an answer", text(set.slice(0, -3)), /not JSON$/],
    ["one key", text(JSON.stringify(A)), /no array `keys`$/],
    ["bytes", text(new Uint8Array([0x7b, 0xff])), /not UTF-8$/],
    ["too much", text(" ".repeat(KEY_SET_BYTES_MAX) + set), /more than 1048576 bytes$/],
    [
      "a cut connection",
      (response) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write(set, () => response.destroy());
      },
      /cannot be reached/,
    ],
  ])("%s is a failure", async (_, answer, expected) => {
    expect(await problem(answer)).toMatch(expected);
  });

  it("counts up to the last byte that is allowed, whatever its type is said to be", async () => {
    const padded = " ".repeat(KEY_SET_BYTES_MAX - set.length) + set;
    expect(await problem(text(padded, 200, { "content-type": "text/html" }))).toEqual(["a"]);
  });

  it("may begin with a byte-order mark", async () => {
    expect(await problem(text(`\ufeff${set}`))).toEqual(["a"]);
  });

  it("skips bad keys, and has nothing to say of what was in them", async () => {
    const running = await start([BAD, A, "s3cret"]);
    const source = await running.open();
    expect(await found(source, "a")).toEqual(["a"]);
    expect(source.warnings).toEqual(["keys[0]: `n` is not base64url", "keys[2]: not an object"]);
  });

  it("can be late in the middle", async () => {
    const running = await start((response) => {
      response.writeHead(200);
      response.write('{"keys":');
    });
    const opening = running.open();
    await vi.waitFor(() => expect(running.server.requests).toHaveLength(1));
    running.time.advance(5000);
    expect(await found(await opening)).toMatch(/no answer within 5 s$/);
  });

  it("is given up even when fetch does not heed its signal", async () => {
    const running = await start([]);
    const opening = running.open({}, () => new Promise(() => {}));
    running.time.advance(5000);
    expect(await found(await opening)).toMatch(/no answer within 5 s$/);
  });

  it("never shows what an exception says", async () => {
    const running = await start([]);
    const source = await running.open({}, () => Promise.reject(new TypeError("s3cret")));
    expect(await found(source)).toBe("there are no keys: the endpoint cannot be reached");
  });
});

describe("a redirect", () => {
  const redirect =
    (location: string): Answer =>
    (response) => {
      response.writeHead(302, { location });
      response.end();
    };

  it("is followed on the same host, with the headers", async () => {
    const running = await start((response, request) =>
      request.url === "/moved" ? sendKeys(response, [A]) : redirect("/moved")(response, request),
    );
    expect(await found(await running.open())).toEqual(["a"]);
    expect(running.server.requests[1]?.authorization).toBe("Bearer s3cret");
  });

  it("to another host takes no headers along", async () => {
    const other = await startJwksServer([A]);
    opened.push(other.close);
    const running = await start(redirect(other.url));
    expect(await found(await running.open())).toEqual(["a"]);
    expect(other.requests).toHaveLength(1);
    expect(other.requests[0]?.authorization).toBeUndefined();
  });

  it("is not followed for ever", async () => {
    const running = await start(redirect("/again"));
    expect(await found(await running.open())).toMatch(/more than 3 redirects$/);
    expect(running.server.requests).toHaveLength(REDIRECTS_MAX + 1);
  });

  it.each([
    ["file:///etc/passwd", /another scheme$/],
    ["data:application/json,{}", /another scheme$/],
    ["http://user:s3cret@localhost/", /unusable address$/],
    ["http://[", /unusable address$/],
  ])("to %s is a failure", async (location, expected) => {
    const running = await start(redirect(location));
    expect(await found(await running.open())).toMatch(expected);
    expect(running.server.requests).toHaveLength(1);
  });

  it("never leaves TLS, and may enter it", async () => {
    const urls: string[] = [];
    const answers = async (first: string, location: string): Promise<unknown> => {
      const running = await start([]);
      const source = await running.open({ endpoint: first }, async (url) => {
        urls.push(url);
        return url === first
          ? new Response(null, { status: 307, headers: { location } })
          : Response.json({ keys: [A] });
      });
      return found(source);
    };
    expect(await answers("https://a.test/", "http://a.test/keys")).toMatch(/plain HTTP$/);
    expect(await answers("http://a.test/", "https://a.test/keys")).toEqual(["a"]);
    expect(urls).toEqual(["https://a.test/", "http://a.test/", "https://a.test/keys"]);
  });

  it("that the runtime hides is a failure", async () => {
    const running = await start([]);
    const hidden = { type: "opaqueredirect", status: 0, headers: new Headers() } as Response;
    const source = await running.open({}, () => Promise.resolve(hidden));
    expect(await found(source)).toMatch(/cannot be followed here$/);
  });
});

describe("the reference's way", () => {
  it("does not look at the status, and is spoiled by one bad key", async () => {
    const running = await start((response) => sendKeys(response, [A], 500));
    expect(await found(await running.open(REFERENCE))).toEqual(["a"]);
    running.server.answer = [A, BAD];
    const other = await running.open({ ...REFERENCE, endpoint: `${running.server.url}&2` });
    expect(await found(other)).toMatch(/keys\[1\]/);
  });

  it("asks once an interval whatever happens, and drops the keys with the last failure", async () => {
    const running = await start([A]);
    const source = await running.open({ ...REFERENCE, maxFailCount: 2 });
    running.server.answer = (response) => void response.destroy();
    for (const [requests, expected] of [
      [2, ["a"]],
      [3, expect.stringMatching(/^there are no keys/)],
    ] as const) {
      running.time.advance(299_999);
      expect(running.server.requests).toHaveLength(requests - 1);
      running.time.advance(1);
      await settled(running, requests);
      expect(await found(source, "a")).toEqual(expected);
    }
    running.server.answer = [A];
    running.time.advance(300_000);
    await settled(running, 4);
    expect(await found(source, "x")).toEqual(["a"]);
  });
});

describe("the store", () => {
  it("admits few downloads of all endpoints together, and lets each cool down", () => {
    const store = new KeySetStore();
    const admitted = Array.from({ length: ASKED_DOWNLOADS_MAX + 2 }, (_, index) =>
      store.admit(`e${index}`, 1000),
    );
    expect(admitted.filter(Boolean)).toHaveLength(ASKED_DOWNLOADS_MAX);
    expect(store.admit("e0", 1000 + COOL_DOWN_MS - 1)).toBe(false);
    expect(store.admit("e0", 1000 + COOL_DOWN_MS)).toBe(true);
    expect(store.admit("e0", 1000 + COOL_DOWN_MS)).toBe(false);
    expect(store.admit("e0", 0)).toBe(true);
  });

  it("forgets the oldest set when there are too many", () => {
    const store = new KeySetStore();
    const set = { keys: [], skipped: 0, fetchedAtMs: 0 };
    for (let index = 0; index <= REMEMBERED_SETS_MAX; index += 1) store.remember(`s${index}`, set);
    expect(store.recall("s0")).toBeUndefined();
    expect(store.recall("s1")).toBe(set);
    store.forget("s1");
    expect(store.recall("s1")).toBeUndefined();
  });

  it("keeps one key that is good for RSA beside the others", async () => {
    const running = await start([A, jwk(rsa, { kid: "r" })]);
    const source = await running.open();
    expect(source.keys.map((key) => key.type)).toEqual(["P-256", "RSA"]);
  });
});
