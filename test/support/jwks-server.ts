/** A key set endpoint over real HTTP, which a test can turn, break and count. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "../../src/json/parse.ts";
import type { KeyPair } from "./tokens.ts";

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

export interface JwksServer {
  readonly url: string;
  /** Requests so far. */
  readonly requests: IncomingMessage["headers"][];
  /** What the next requests get; a list of keys is a good answer. */
  answer: Answer | readonly unknown[];
  close(): Promise<void>;
}

export async function startJwksServer(keys: Answer | readonly unknown[]): Promise<JwksServer> {
  const requests: IncomingMessage["headers"][] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers);
    const { answer } = running;
    if (typeof answer === "function") answer(response, request);
    else sendKeys(response, answer);
  });
  // A connection must not end because a test kept this thread busy for long.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const running: JwksServer = {
    url: `http://127.0.0.1:${port}/keys?secret=in-query`,
    requests,
    answer: keys,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return running;
}

export function sendKeys(response: ServerResponse, keys: readonly unknown[], status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ keys }));
}

export function jwk({ publicKey }: Pick<KeyPair, "publicKey">, members: JsonObject = {}): object {
  return { ...publicKey.export({ format: "jwk" }), ...members };
}
