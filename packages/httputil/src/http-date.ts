// Dates as they come, RFC 9110 §5.6.7: one form that is sent, and two that have been obsolete since 1995 and must be
// understood.
//
//   Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate
//   Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
//   Sun Nov  6 08:49:37 1994          asctime

import { MONTHS } from "./timestamp.js";

/**
 * Reads a date of HTTP into milliseconds since the epoch, or `undefined` for anything else: names in another case,
 * another zone, a day that the month does not have. The name of the day is not compared with the date. A leap second
 * is the second after it.
 *
 * @param now the present, in milliseconds since the epoch, for the years of two digits that RFC 850 wrote: they are at
 * most 50 years ahead of it, RFC 9110 §5.6.7. Without it 70 to 99 are 1970 to 1999, and the others 2000 to 2069.
 * @example
 * parseHTTPDate("Sun, 06 Nov 1994 08:49:37 GMT"); // 784_111_777_000
 */
export function parseHTTPDate(text: string, now?: number): number | undefined {
  // The longest form, so that nobody makes us look at a megabyte.
  if (text.length > "Wednesday, 06-Nov-94 08:49:37 GMT".length) return undefined;
  const fixdate = IMF_FIXDATE.exec(text);
  if (fixdate !== null) {
    const [, day, month, year, time] = fixdate;
    return instant(Number(year), month, Number(day), time);
  }
  const asctime = ASCTIME.exec(text);
  if (asctime !== null) {
    const [, month, day, time, year] = asctime;
    return instant(Number(year), month, Number(day), time);
  }
  // RFC 9110 §5.6.7 (1): the third form, when it was neither of the others.
  const rfc850 = RFC_850.exec(text);
  if (rfc850 === null) return undefined;
  const [, day, month, yy, time] = rfc850;
  const at = (century: number) => instant(century + Number(yy), month, Number(day), time);
  if (now === undefined) return at(Number(yy) >= 70 ? 1900 : 2000);
  const horizon = new Date(now);
  horizon.setUTCFullYear(horizon.getUTCFullYear() + 50);
  const century = Math.floor(horizon.getUTCFullYear() / 100) * 100;
  const latest = at(century);
  // Also where that century's 29 February does not exist.
  // RFC 9110 §5.6.7 (4): at most 50 years ahead.
  return latest !== undefined && latest <= horizon.getTime() ? latest : at(century - 100);
}

/**
 * Milliseconds since the epoch, or `undefined` when there is no such date.
 *
 * @param time `hh:mm:ss`
 */
export function instant(year: number, month: string | undefined, day: number, time = ""): number | undefined {
  const [hour = 24, minute = 60, second = 61] = time.split(":").map(Number);
  // 60 is a leap second, RFC 9110 §5.6.7.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  const date = new Date(0);
  date.setUTCFullYear(year, MONTHS.indexOf(month ?? ""), day);
  if (date.getUTCDate() !== day || date.getUTCFullYear() !== year) return undefined;
  return date.setUTCHours(hour, minute, second);
}

const MONTH = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const TIME = String.raw`(\d\d:\d\d:\d\d)`;
const IMF_FIXDATE: RegExp = new RegExp(
  String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ${MONTH} (\d{4}) ${TIME} GMT$`,
);
const RFC_850: RegExp = new RegExp(
  String.raw`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-${MONTH}-(\d\d) ${TIME} GMT$`,
);
const ASCTIME: RegExp = new RegExp(
  String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} ([ \d]\d) ${TIME} (\d{4})$`,
);
