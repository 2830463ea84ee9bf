// Dates as HTTP writes them, RFC 9110 §5.6.7.

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
/** As RFC 9110 §5.6.7 spells them. */
export const MONTHS: readonly string[] = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
];

/**
 * Formats milliseconds since the epoch, or a `Date`, as IMF-fixdate. Fractions of a second are cut off.
 *
 * @throws RangeError for what is no instant of the years 0000 to 9999, which the format cannot express
 * @example
 * formatTimestamp(1_359_312_200_500); // "Sun, 27 Jan 2013 18:43:20 GMT"
 */
export function formatTimestamp(time: number | Date): string {
  const date = new Date(time);
  const year = date.getUTCFullYear();
  // Written so that NaN fails too.
  if (!(year >= 0 && year <= 9999))
    throw new RangeError(`Not an instant of the years 0000 to 9999: ${String(time)}`);
  const day = `${DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]}`;
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  // RFC 9110 §5.6.7 (2), (3): the fixed form, one blank each.
  return `${day} ${String(year).padStart(4, "0")} ${clock} GMT`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
