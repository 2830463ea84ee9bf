// Ranges of bytes, RFC 9110 §14. As in Tornado a range has a start and an end like `slice`: the end is not part of it.
//
//   Range: bytes=0-4      { start: 0, end: 5 }           first byte to last byte, both included on the wire
//   Range: bytes=5-       { start: 5, end: undefined }
//   Range: bytes=-5       { start: -5, end: undefined }  the last five

import { checkInteger, trimBlanks } from "@tw/util";

/** What a client asks for; negative starts count from the end. */
export interface RequestedRange {
  readonly start: number | undefined;
  readonly end: number | undefined;
}

/** Bytes of a representation: `start` is the first, `end` the one after the last. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Ranges that one request may ask for; more are a way to make a server send the same bytes again and again. */
const MAX_RANGES = 16;

/**
 * Reads a Range field that asks for one range of bytes. `undefined` for anything else, a list of ranges included: the
 * field is then to be ignored, RFC 9110 §14.2, and the answer has the whole.
 *
 * What asks for nothing (`bytes=-0`, `bytes=2-1`) is read, and {@link satisfyRange} refuses it. Blanks around the
 * numbers and a number without `-` are taken as Tornado takes them. Positions above 2⁵³ − 1 are taken for that.
 *
 * @example
 * parseRange("bytes=1-2"); // { start: 1, end: 3 }
 */
export function parseRange(value: string): RequestedRange | undefined {
  const specs = rangeSpecs(value);
  return specs === undefined || specs.includes(",") ? undefined : readSpec(specs);
}

/**
 * Reads a Range field that asks for one range of bytes or several, in the order they came. `undefined` when one is
 * malformed, when there is none, and when there are more than 16: the field is then to be ignored.
 *
 * @example
 * parseRanges("bytes=0-0, -1"); // [{ start: 0, end: 1 }, { start: -1, end: undefined }]
 */
export function parseRanges(value: string): RequestedRange[] | undefined {
  const ranges: RequestedRange[] = [];
  for (const spec of rangeSpecs(value)?.split(",") ?? []) {
    // RFC 9110 §5.6.1.2: empty elements are ignored.
    if (trimBlanks(spec) === "") continue;
    const range = readSpec(spec);
    if (range === undefined || ranges.length === MAX_RANGES) return undefined;
    ranges.push(range);
  }
  return ranges.length === 0 ? undefined : ranges;
}

/**
 * The bytes that a range means in a representation of `size` bytes, cut off at its end; `undefined` for none, which is
 * answered with 416 and {@link unsatisfiedRange}. A range that turns out to be the whole is answered with 200.
 *
 * @throws TypeError or RangeError for a `size` that is no number of bytes
 * @example
 * satisfyRange({ start: -5, end: undefined }, 30); // { start: 25, end: 30 }
 */
export function satisfyRange(range: RequestedRange, size: number): ByteRange | undefined {
  checkInteger("size", size);
  const { start: from = 0, end: to = size } = range;
  const start = from < 0 ? Math.max(size + from, 0) : from;
  const end = Math.min(to, size);
  // RFC 9110 §14.1.2: the last bytes of an empty representation are all of it.
  if (from < 0 && size === 0) return { start: 0, end: 0 };
  return start < end ? { start, end } : undefined;
}

/**
 * The bytes that several ranges mean: those that can be satisfied, in the order they came. Ranges that overlap or touch
 * become one, in place of the first, so that no byte is sent twice, RFC 9110 §15.3.7.2. None at all is answered with 416.
 *
 * @throws TypeError or RangeError for a `size` that is no number of bytes
 * @example
 * satisfyRanges(parseRanges("bytes=-1, 0-3, 2-5") ?? [], 30); // [{ start: 29, end: 30 }, { start: 0, end: 6 }]
 */
export function satisfyRanges(ranges: readonly RequestedRange[], size: number): ByteRange[] {
  checkInteger("size", size);
  let united: ByteRange[] = [];
  for (const requested of ranges) {
    const range = satisfyRange(requested, size);
    if (range === undefined) continue;
    const touching = united.filter((other) => other.start <= range.end && range.start <= other.end);
    const whole = {
      start: Math.min(range.start, ...touching.map(({ start }) => start)),
      end: Math.max(range.end, ...touching.map(({ end }) => end)),
    };
    const place = touching[0];
    if (place === undefined) united.push(whole);
    else united = united.flatMap((each) => (each === place ? whole : touching.includes(each) ? [] : each));
  }
  return united;
}

/**
 * Writes the Content-Range of a 206, RFC 9110 §14.4. Without a start it begins at 0, without an end it goes to the end.
 *
 * @throws RangeError for what is not part of `total` bytes, or is empty
 * @example
 * contentRange(0, 1, 4); // "bytes 0-0/4"
 */
export function contentRange(start: number | undefined, end: number | undefined, total: number): string {
  checkInteger("total", total);
  const first = start ?? 0;
  const after = end ?? total;
  checkInteger("start", first, 0, total - 1);
  checkInteger("end", after, first + 1, total);
  return `bytes ${first}-${after - 1}/${total}`;
}

/**
 * Writes the Content-Range of a 416, RFC 9110 §14.4.
 *
 * @throws TypeError or RangeError for what is no number of bytes
 * @example
 * unsatisfiedRange(4); // "bytes *\/4"
 */
export function unsatisfiedRange(total: number): string {
  checkInteger("total", total);
  return `bytes */${total}`;
}

/** What follows `bytes=`, or `undefined` for another unit. */
function rangeSpecs(value: string): string | undefined {
  const equals = value.indexOf("=");
  // RFC 9110 §14.2 (2): another unit is none.
  return equals !== -1 && trimBlanks(value.slice(0, equals)) === "bytes"
    ? value.slice(equals + 1)
    : undefined;
}

function readSpec(spec: string): RequestedRange | undefined {
  const dash = spec.indexOf("-");
  const first = trimBlanks(dash === -1 ? spec : spec.slice(0, dash));
  const last = trimBlanks(dash === -1 ? "" : spec.slice(dash + 1));
  if (!/^\d*$/.test(first) || !/^\d*$/.test(last)) return undefined;
  if (first !== "") return { start: position(first), end: last === "" ? undefined : position(last) + 1 };
  if (last === "") return undefined;
  const length = position(last);
  return length === 0 ? { start: undefined, end: 0 } : { start: -length, end: undefined };
}

function position(digits: string): number {
  // RFC 9110 §14.1.2 (1): what cannot be counted is behind every end.
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
