/**
 * JSON numbers: validation and value. Integers keep every digit; fractions and exponents make a
 * double, correctly rounded. Source: RFC 8259 §6, expressions §4.7.
 */
import { HOST_PARSE_FLOAT } from "../abi/host";
import { TAG_BIGINT, TAG_BYTES, TAG_FLOAT, TAG_INT } from "../abi/values";
import { host } from "../host";

/**
 * Written exponents are read up to here. LIMIT: far above any number of digits that fits in memory, so that
 * digits cannot bring a capped exponent back into range, and ten times it still fits in 32 bits.
 */
const EXPONENT_CAP: i32 = 100000000;

/** Address behind the number that `readNumber` read last. */
export let behindNumber: usize = 0;

// What measureNumber saw last: ±mantissa × 10^exponent, exactly so while there are at most 19 digits.
/** Neither fraction nor exponent? */
let isInteger: bool = false;
/** First significant digits, at most 19. */
let mantissa: u64 = 0;
/** Significant digits in all, leading zeros not counted. */
let digitCount: u32 = 0;
let exponent: i32 = 0;

/** Request and answer of a host call. */
const hostValue = memory.data(16, 8);
/** 10^0 … 10^22: every power of ten that a double holds exactly. */
const exactPowers = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
]);

/**
 * Checks the number at `at` (a digit or `-`). Answers the address behind it, or 0: not a JSON number, or
 * one too large for a double although it has a fraction or an exponent. Cost: one pass, and a host
 * call for numbers within a rounding of the largest double.
 */
export function scanNumber(at: usize, end: usize): usize {
  // Nothing can be wrong with an integer but its form, and most numbers are integers.
  let behind = at;
  if (load<u8>(behind) == 0x2d) behind++;
  const first = behind;
  behind = digitsEnd(first, end);
  if (behind == first || (load<u8>(first) == 0x30 && behind - first > 1)) return 0;
  if (behind == end || !isFractionMark(load<u8>(behind))) return behind;
  behind = measureNumber(at, end);
  return behind && fitsDouble(at, behind) ? behind : 0;
}

/**
 * The same without the question of size, leaving digits and exponent in the variables above.
 */
function measureNumber(at: usize, end: usize): usize {
  mantissa = 0;
  digitCount = 0;
  exponent = 0;
  isInteger = true;
  if (load<u8>(at) == 0x2d) at++;
  if (!isDigitAt(at, end)) return 0;
  if (load<u8>(at) == 0x30) at++;
  else at = scanDigits(at, end);
  if (at < end && load<u8>(at) == 0x2e) {
    isInteger = false;
    const fraction = at + 1;
    if (!isDigitAt(fraction, end)) return 0;
    at = scanDigits(fraction, end);
    exponent -= <i32>(at - fraction);
  }
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    isInteger = false;
    at = scanExponent(at + 1, end);
  }
  return at;
}

/** Reads the number at `at`, which scanNumber accepts, into `out`. 0, or the error that the host answered. */
export function readNumber(at: usize, end: usize, out: usize): i32 {
  behindNumber = measureNumber(at, end);
  const isNegative = load<u8>(at) == 0x2d;
  if (isInteger) {
    const limit: u64 = isNegative ? 0x8000000000000000 : 0x7fffffffffffffff;
    if (digitCount <= 19 && mantissa <= limit) {
      store<u32>(out, TAG_INT);
      store<u32>(out, 0, 4);
      store<i64>(out, isNegative ? 0 - <i64>mantissa : <i64>mantissa, 8);
    } else {
      storeText(out, TAG_BIGINT, at, behindNumber);
    }
    return 0;
  }
  if (!digitCount) {
    storeFloat(out, isNegative ? -0.0 : 0.0);
    return 0;
  }
  // Both factors are exact doubles, so the one rounding of the product or quotient is the right one.
  if (digitCount <= 15 && exponent >= -22 && exponent <= 22) {
    let value = <f64>mantissa;
    if (exponent < 0) value /= load<f64>(exactPowers + (<usize>-exponent << 3));
    else value *= load<f64>(exactPowers + (<usize>exponent << 3));
    storeFloat(out, isNegative ? -value : value);
    return 0;
  }
  storeText(hostValue, TAG_BYTES, at, behindNumber);
  return host(HOST_PARSE_FLOAT, hostValue, 1, out);
}

@inline
function isDigitAt(at: usize, end: usize): bool {
  return at < end && <u32>load<u8>(at) - 0x30 < 10;
}

/** Address of the first byte in [at, end) that is no digit, or `end`. Sixteen bytes a step. */
@inline
function digitsEnd(at: usize, end: usize): usize {
  for (; at < end; at += 16) {
    const digits = i8x16.sub(v128.load(at), i8x16.splat(0x30));
    const others = i8x16.bitmask(i8x16.gt_u(digits, i8x16.splat(9)));
    if (others) return min(at + <usize>ctz(others), end);
  }
  return end;
}

/** Is this what stands between an integer and a fraction or exponent? */
@inline
function isFractionMark(byte: u32): bool {
  return byte == 0x2e || (byte | 0x20) == 0x65;
}

/** Takes in all digits from `at` and answers the address behind them. */
function scanDigits(at: usize, end: usize): usize {
  for (; isDigitAt(at, end); at++) {
    const digit = <u64>load<u8>(at) - 0x30;
    if (!(digitCount | <u32>digit)) continue;
    if (digitCount < 19) mantissa = mantissa * 10 + digit;
    else exponent++;
    digitCount++;
  }
  return at;
}

/** The part behind `e`: an optional sign and digits. Answers the address behind it, or 0. */
function scanExponent(at: usize, end: usize): usize {
  const isNegative = at < end && load<u8>(at) == 0x2d;
  if (isNegative || (at < end && load<u8>(at) == 0x2b)) at++;
  if (!isDigitAt(at, end)) return 0;
  let written: i32 = 0;
  for (; isDigitAt(at, end); at++) {
    if (written < EXPONENT_CAP) written = written * 10 + (<i32>load<u8>(at) - 0x30);
  }
  exponent += isNegative ? -written : written;
  return at;
}

/** Does the number last measured, [start, behind), round to a finite double? */
function fitsDouble(start: usize, behind: usize): bool {
  if (!digitCount) return true;
  // The number is d.ddd × 10^power.
  const power = exponent + <i32>min<u32>(digitCount, 19) - 1;
  if (power != 308) return power < 308;
  let leading = mantissa;
  for (let n = min<u32>(digitCount, 19); n < 19; n++) leading *= 10;
  // Numbers below 1.797693134862315807937… × 10^308 round to a finite double, others do not.
  if (leading != 1797693134862315807) return leading < 1797693134862315807;
  storeText(hostValue, TAG_BYTES, start, behind);
  if (host(HOST_PARSE_FLOAT, hostValue, 1, hostValue)) return false;
  return abs(load<f64>(hostValue, 8)) <= f64.MAX_VALUE;
}

@inline
function storeText(out: usize, tag: u32, at: usize, behind: usize): void {
  store<u32>(out, tag);
  store<u32>(out, <u32>(behind - at), 4);
  store<u64>(out, <u64>at, 8);
}

@inline
function storeFloat(out: usize, value: f64): void {
  store<u32>(out, TAG_FLOAT);
  store<u32>(out, 0, 4);
  store<f64>(out, value, 8);
}
