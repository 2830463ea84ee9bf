// Which of the languages a server has is the one a client would rather get, RFC 9110 §12.5.4.
//
// A range speaks of an offer in one of three ways, nearest first:
//
//   en-GB  of  en-GB     it is meant
//   en     of  en-GB     it is one of those that are meant, RFC 4647 §3.3.1
//   en-GB  of  en        it is what remains when nothing nearer is there: the lookup of RFC 4647 §3.4

import { type Preference, parsePreferences } from "./preferences.js";

/** What the field says of one offer. */
interface Match {
  readonly q: number;
  /** Of a range that was shortened `1 / n`, n being how many subtags were cut off; 0 when only `*` speaks of the offer. */
  readonly nearness: number;
}

const MEANT = 3;
const HELD = 2;
const NOT_WANTED: Match = { q: 0, nearness: 0 };

/**
 * The offered language that an Accept-Language field prefers; `undefined` when it takes none of them. Without the field
 * (`null`), or with nothing readable in it, the first.
 *
 * `en` takes `en-GB`, and `en-GB` is content with `en`. Among offers of the same quality the nearest to what was asked for
 * is taken: the very language, one that a range holds, what a range is cut to, with as little as possible cut off; among
 * equally near ones the first. An offer between two ranges, as `zh-Hant` is between `zh` and `zh-Hant-TW`, has the higher
 * of their qualities. The case of languages does not matter.
 *
 * @example
 * acceptsLanguages("de-CH, fr;q=0.9", ["fr", "de"]); // "de"
 * acceptsLanguages("en-GB", ["en", "en-GB"]); // "en-GB"
 */
export function acceptsLanguages(field: string | null, offers: readonly string[]): string | undefined {
  const preferences = parsePreferences(field ?? "");
  if (preferences.length === 0) return offers[0];
  let taken: string | undefined;
  let best = NOT_WANTED;
  for (const offer of offers) {
    const match = matchOf(offer.toLowerCase(), preferences);
    if (match.q === 0 || !isBetter(match, best)) continue;
    taken = offer;
    best = match;
  }
  return taken;
}

/** `preferences` have the highest quality first: of ranges that are equally near the first counts. */
function matchOf(language: string, preferences: readonly Preference[]): Match {
  let holder: Preference | undefined;
  let cut: Match | undefined;
  let any: Match | undefined;
  for (const preference of preferences) {
    const { value, q } = preference;
    if (value === language) return { q, nearness: MEANT };
    if (value === "*") any ??= { q, nearness: 0 };
    // Of the ranges that hold the offer the longest is nearest.
    else if (language.startsWith(`${value}-`)) {
      if (holder === undefined || value.length > holder.value.length) holder = preference;
    }
    // Who does not want en-GB may want en.
    else if (q > 0 && value.startsWith(`${language}-`)) {
      const nearness = 1 / value.slice(language.length + 1).split("-").length;
      if (cut === undefined || nearness > cut.nearness) cut = { q, nearness };
    }
  }
  const held = holder && { q: holder.q, nearness: HELD };
  if (held !== undefined && cut !== undefined) return isBetter(cut, held) ? cut : held;
  return held ?? cut ?? any ?? NOT_WANTED;
}

function isBetter(one: Match, other: Match): boolean {
  return one.q === other.q ? one.nearness > other.nearness : one.q > other.q;
}
