/** Durations and sizes as settings read them. Source: authentication §7.4. */

const UNIT_MS: Readonly<Record<string, number>> = {
  f: 14 * 86_400_000,
  w: 7 * 86_400_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};

const DURATION = /^(?:[0-9]+(?:\.[0-9]+)?(?:ms|MS|[fwdhmsFWDHMS]))+$/;
const DURATION_PART = /([0-9]+(?:\.[0-9]+)?)(ms|MS|[fwdhmsFWDHMS])/g;
/** No duration needs more, and matching stays cheap. */
const QUANTITY_UNITS_MAX = 100;

/** Milliseconds of a text such as `1h30m` or `1.5s`, fractions kept; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  if (text.length > QUANTITY_UNITS_MAX || !DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(DURATION_PART)) {
    total += Number(amount) * (UNIT_MS[(unit as string).toLowerCase()] as number);
  }
  return total;
}

const UNIT_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1024,
  mb: 1024 ** 2,
  gb: 1024 ** 3,
};

const SIZE = /^([0-9]+)(b|B|kb|KB|mb|MB|gb|GB)$/;

/** Bytes of a text such as `10MB`; undefined if it is none. */
export function parseSize(text: string): number | undefined {
  if (text.length > QUANTITY_UNITS_MAX) return undefined;
  const match = SIZE.exec(text);
  if (!match) return undefined;
  return Number(match[1]) * (UNIT_BYTES[(match[2] as string).toLowerCase()] as number);
}
