/**
 * Integer constants that both compilers read: AssemblyScript (assembly/) and TypeScript (src/). This is
 * all of them, for TypeScript; the core takes them from the files, which import nothing and have no
 * types on purpose.
 */
export * from "./abi/decisions.ts";
export * from "./abi/expressions.ts";
export * from "./abi/functions.ts";
export * from "./abi/host.ts";
export * from "./abi/image.ts";
export * from "./abi/limits.ts";
export * from "./abi/regex.ts";
export * from "./abi/request.ts";
export * from "./abi/rules.ts";
export * from "./abi/status.ts";
export * from "./abi/values.ts";
export * from "./abi/version.ts";
