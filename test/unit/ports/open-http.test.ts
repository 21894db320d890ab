import { describe, expect, it } from "vitest";
import { openHttp } from "../../../bindings/node/http-client.ts";
import { loadModuleSync } from "../../../src/core/wasm-inline.gen.ts";
import { createJoseCrypto } from "../../../src/crypto/jose.ts";
import { createEngine } from "../../../src/engine.ts";
import { UsageError } from "../../../src/errors.ts";
import type { HttpClientOptions } from "../../../src/ports/http.ts";
import { openHttpClient } from "../../../src/ports/open-http.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { imageFrom } from "../../support/policy.ts";

const fetch = () => Promise.reject(new Error("nobody is asked here"));
const { cert, key } = makeCertificate({ subject: [{ CN: "a" }] });

describe("a host that has fetch alone", () => {
  const open = (options: HttpClientOptions) => {
    const opening = openHttpClient(options, { fetch });
    return opening.ok ? [...opening.warnings] : opening.problem;
  };

  it("makes requests with it, and closes nothing", () => {
    const opening = openHttpClient({ tls: { verify: true } }, { fetch });
    expect(opening).toEqual({ ok: true, client: { fetch }, warnings: [] });
  });

  it.each([
    [{ ca: cert }, "cacertfile"],
    [{ cert, key }, "certfile, keyfile"],
    [{ serverName: "" }, "server_name_indication"],
  ])("refuses settings that say whom to trust", (settings, names) => {
    const problem = `TLS settings (${names}) cannot be kept by this runtime`;
    expect(open({ tls: { verify: true, ...settings } })).toBe(problem);
  });

  it("says which settings have no effect", () => {
    expect(open({ tls: { verify: false } })).toEqual([
      "certificates are always checked by this runtime",
    ]);
    expect(open({ poolSize: 8, pipelining: 1 })).toEqual([]);
    expect(open({ poolSize: 9 })).toHaveLength(1);
    expect(open({ connectTimeoutMs: 1 })).toHaveLength(1);
    expect(open({ tls: { verify: true, ciphers: "A" } })).toHaveLength(1);
  });

  it("does not load a policy with an authority of its own", async () => {
    const image = imageFrom({
      conf: `authentication = [{
        mechanism = password_based, backend = http, method = get, url = "https://auth.example/"
        ssl { enable = true, cacertfile = """${cert}""" }
      }]`,
    });
    const engine = createEngine({
      image,
      crypto: createJoseCrypto(),
      module: loadModuleSync(),
      ports: { fetch },
    });
    await expect(engine).rejects.toThrow(/authentication\[1\].ssl: TLS settings \(cacertfile\)/);
  });
});

describe("a host with a client of its own", () => {
  it("is given the options, and what it refuses is a problem", () => {
    const asked: HttpClientOptions[] = [];
    const client = { fetch };
    const accept = (options: HttpClientOptions) => {
      asked.push(options);
      return client;
    };
    const options = { poolSize: 2, tls: { verify: true, ca: cert } };
    const opening = openHttpClient(options, { fetch, openHttp: accept });
    expect([opening, asked]).toEqual([{ ok: true, client, warnings: [] }, [options]]);
    const refuse = () => {
      throw new UsageError("ERR_USAGE_TLS", "not this one");
    };
    expect(openHttpClient(options, { fetch, openHttp: refuse })).toEqual({
      ok: false,
      problem: "not this one",
    });
  });

  it("opens nothing without the key that an image was compiled without", () => {
    const tls = { verify: true, cert, key: null };
    expect(() => openHttp({ tls })).toThrow("the key is not known");
    expect(() => openHttp({ tls: { verify: true, cert } })).toThrow(/needs both/);
    openHttp({ tls: { verify: true, cert, key } }).close?.();
  });
});
