/**
 * Seeds every property: by the commit in CI and by default, so that a commit's run can be repeated;
 * at random when fuzzing. FC_SEED sets it by hand. A failing property prints the seed it had.
 */
import fc from "fast-check";

const seed = Number(process.env.FC_SEED);
if (Number.isInteger(seed) && !process.env.FUZZ_MINUTES) fc.configureGlobal({ seed });
