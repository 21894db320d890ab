/** What a configuration text may use up. Hostile text meets one of these, never a full stack. */

/** UTF-16 units of all files of one configuration together. */
export const TEXT_UNITS_MAX = 4 * 1024 * 1024;
/** Braces, brackets and dotted key segments inside each other, includes counted along. */
export const NESTING_MAX = 64;
/** Files read by `include`, repeated ones counted again. */
export const INCLUDES_MAX = 100;
/** Values written in a document, and values it has once substitutions are filled in. */
export const VALUES_MAX = 200_000;
/** UTF-16 units that joining texts may produce in all. */
export const JOINED_UNITS_MAX = 8 * 1024 * 1024;
/** A substitution that needs a substitution that needs … */
export const SUBSTITUTION_DEPTH_MAX = 100;
/** Issues kept of one run. */
export const ISSUES_MAX = 100;
