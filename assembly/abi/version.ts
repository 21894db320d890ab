/** What the core and the package around it check that they have in common. */

/** Bumped whenever an export, a record or a blob changes shape. Checked by the loader. */
export const ABI_VERSION = 4;
