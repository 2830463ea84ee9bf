// `%s %d %i %f %j %o %O %%`, as in `console.log` and pino.

import { toJson, toText } from "./values.js";

const PLACE = /%[sdifjoO%]/g;

/** Puts arguments into their places; those without a place are given back. Never throws. */
export function interpolate(
  template: string,
  args: readonly unknown[],
): { readonly text: string; readonly unused: readonly unknown[] } {
  let next = 0;
  const text = template.replace(PLACE, (place) => {
    if (place === "%%") return "%";
    if (next >= args.length) return place;
    return shown(place, args[next++]);
  });
  return { text, unused: args.slice(next) };
}

function shown(place: string, value: unknown): string {
  switch (place) {
    case "%s":
      return toText(value);
    case "%j":
    case "%o":
    case "%O":
      return toJson(value);
    default:
      return numeric(place, value);
  }
}

function numeric(place: string, value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "number" && typeof value !== "string") return "NaN";
  const number = Number(value);
  return String(place === "%i" ? Math.trunc(number) : number);
}
