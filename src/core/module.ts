/**
 * Where the compiled core comes from: inlined bytes, or an imported module under the `workerd`
 * condition, where bytes may not be compiled (package.json, `imports`).
 */
export { loadModule } from "#wasm";
export type { CoreModule } from "./wasm.ts";
