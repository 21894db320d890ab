/** What every kind of batch works with: one core instance that takes a new image per line. */
import { ENTRY_EXPRESSION } from "../../assembly/abi.ts";
import { packImage } from "../compile/image.ts";
import { compileRegex } from "../compile/regex/index.ts";
import type { Switches } from "../config/compatibility.ts";
import { createHost, type HostPorts } from "../core/host.ts";
import { type CoreMemory, type CoreModule, instantiate, loadImage } from "../core/wasm.ts";

export interface BatchContext {
  readonly switches: Switches;
  readonly memory: CoreMemory;
}

/** A context over a compiled core. The ports are the clock and environment expressions see. */
export function createBatchContext(options: {
  readonly module: CoreModule;
  readonly switches: Switches;
  readonly ports: HostPorts;
}): BatchContext {
  const ports: HostPorts = {
    compilePattern: (pattern) => {
      const result = compileRegex(pattern);
      return result.ok ? result.program : undefined;
    },
    ...options.ports,
  };
  const memory = instantiate(options.module, createHost(ports), packImage([], 0));
  return { switches: options.switches, memory };
}

/** Makes these blobs the expressions 0, 1, … of the context's core. */
export function loadExpressions(context: BatchContext, blobs: readonly Uint8Array[]): void {
  const entries = blobs.map((blob, id) => ({ kind: ENTRY_EXPRESSION, id, blob }));
  loadImage(context.memory, packImage(entries, 0));
}
