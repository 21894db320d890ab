/** Portcullis on Deno: the edge verifier, and a decision service over HTTP. */
import { createVerifier, type Verifier, type VerifierOptions } from "../edge/index.ts";

export * from "../edge/index.ts";

interface DenoServer {
  readonly addr: { readonly hostname: string; readonly port: number };
  readonly finished: Promise<void>;
  shutdown(): Promise<void>;
}

interface DenoServe {
  serve(
    options: { port: number; hostname: string; onListen?: () => void },
    handler: (request: Request) => Promise<Response>,
  ): DenoServer;
}

export interface ServeOptions extends VerifierOptions {
  /** Default 8787; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1: a decision service is not for the open network. */
  readonly hostname?: string | undefined;
}

/** Answers questions over HTTP with Deno.serve until `shutdown` is called. */
export async function serve(
  options: ServeOptions,
): Promise<{ readonly server: DenoServer; readonly verifier: Verifier }> {
  const { port = 8787, hostname = "127.0.0.1", ...rest } = options;
  const verifier = await createVerifier(rest);
  const { Deno } = globalThis as unknown as { Deno: DenoServe };
  const server = Deno.serve({ port, hostname }, (request) => verifier.fetch(request));
  return { server, verifier };
}
