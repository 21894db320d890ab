/**
 * The core's one import. It serves the few functions that need the host: non-ASCII text, digests,
 * environment, random, time, arbitrary precision, and regular expressions that are not literals.
 *
 * `args` points at `argc` values (16 bytes each, see abi/values.ts); the host writes its answer as one
 * value to `out`, with any bytes in scratch it asked for by scratch_alloc. Returns 0 or a
 * negative expression error.
 */
@external("env", "host")
export declare function host(op: i32, args: usize, argc: i32, out: usize): i32;
