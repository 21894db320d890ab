/** A server that is asked about clients, over real HTTP, which a test can turn, break and count. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export type Answering = (response: ServerResponse, asked: Asked) => void;

export interface HttpServer {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** Requests so far. */
  readonly asked: Asked[];
  /** Connections so far. */
  readonly connections: () => number;
  /** What the next requests get; an object is a good answer as JSON. */
  answer: Answering | object;
  close(): Promise<void>;
}

export async function startHttpServer(
  answer: Answering | object,
  tls?: ServerOptions,
): Promise<HttpServer> {
  const asked: Asked[] = [];
  let connections = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    request.setEncoding("latin1");
    for await (const chunk of request) body += chunk;
    const { method = "", url = "", headers } = request;
    const one: Asked = { method, url, headers, body };
    asked.push(one);
    const { answer: now } = running;
    if (typeof now === "function") (now as Answering)(response, one);
    else sendJson(response, now);
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch(() => response.destroy());
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  // A test that has to wait for the machine keeps its connections.
  server.keepAliveTimeout = 60_000;
  server.on(tls ? "secureConnection" : "connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const running: HttpServer = {
    origin: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    asked,
    connections: () => connections,
    answer,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return running;
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
