/** The core for hosts that import modules instead of compiling bytes (workerd). */
import module from "../../core.wasm";

/** The decision core, as the host's bundler compiled it. */
export async function loadModule(): Promise<WebAssembly.Module> {
  return module;
}
