// Lists with weights, RFC 9110 §12.4.2: what a client would rather have.

import { trimBlanks } from "@tw/util";
import { isToken } from "./grammar.js";
import { listElements } from "./scan.js";

/** One element of Accept, Accept-Encoding or Accept-Language. */
export interface Preference {
  /** The element without its weight, in lower case unless it is a media range. */
  readonly value: string;
  /** 0 (not at all) to 1. */
  readonly q: number;
}

/** Elements of a list that are looked at. */
const MAX_PREFERENCES = 100;

/**
 * Reads Accept-Encoding or Accept-Language, or another list of tokens with weights: highest weight first, those of equal
 * weight in the order they came, `q=0` included. What is malformed is left out, a weight that is not exactly `0`, `0.5`
 * to three digits, or `1` included. Elements after the hundredth are not looked at. Linear time.
 *
 * @example
 * parsePreferences("de, en;q=0.5, fr;q=0.8").map(({ value }) => value); // ["de", "fr", "en"]
 */
export function parsePreferences(text: string): Preference[] {
  const preferences: Preference[] = [];
  for (const element of boundedElements(text)) {
    const semicolon = element.indexOf(";");
    const value = trimBlanks(semicolon === -1 ? element : element.slice(0, semicolon)).toLowerCase();
    const q = semicolon === -1 ? 1 : readWeight(trimBlanks(element.slice(semicolon + 1)));
    if (isToken(value) && q !== undefined) preferences.push({ value, q });
  }
  return preferences.sort((a, b) => b.q - a.q);
}

/** The first hundred elements of a list. */
export function* boundedElements(text: string): Generator<string> {
  let count = 0;
  for (const element of listElements(text)) {
    if (count++ === MAX_PREFERENCES) return;
    yield element;
  }
}

/** Reads `q=0.5`; `undefined` for what is no weight. */
function readWeight(text: string): number | undefined {
  return /^q=/i.test(text) ? readQuality(text.slice(2)) : undefined;
}

/** Reads `0.5`, RFC 9110 §12.4.2: three digits behind the point at most, and nothing above 1. */
export function readQuality(text: string): number | undefined {
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : undefined;
}
