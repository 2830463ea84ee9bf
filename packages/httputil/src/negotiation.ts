// Content negotiation, RFC 9110 §12: which of the things a server has is the one a client would rather get.
//
// One rule for all: of everything that the client said, what speaks most specifically of an offer is its quality; the
// offer of highest quality is taken, and among equals the one that the server named first. Languages, which have their own
// way to be near each other, are in accept-language.ts.

import { sameName } from "./grammar.js";
import type { HTTPHeaders } from "./headers.js";
import { type MediaType, parseMediaType } from "./media-type.js";
import { boundedElements, parsePreferences, readQuality } from "./preferences.js";
import { listElements } from "./scan.js";

/** How specifically something speaks of an offer, or −1 when it does not speak of it. */
type Specificity = number;

/**
 * The offered media type that an Accept field prefers; `undefined` when it takes none of them, which is answered with 406
 * or with the first regardless, RFC 9110 §12.4.1. Without the field (`null`), or with nothing readable in it, the first.
 *
 * `text/html;level=1` speaks more specifically than `text/html`, that than `text/*`, that than any type. Elements after the
 * hundredth, and such as break the grammar, are not looked at.
 *
 * @throws TypeError for an offer that is no media type
 * @example
 * accepts("text/*;q=0.5, application/json", ["text/html", "application/json"]); // "application/json"
 */
export function accepts(field: string | null, offers: readonly string[]): string | undefined {
  const types = offers.map((offer) => {
    const type = parseMediaType(offer);
    if (type === undefined || type.essence.includes("*")) throw new TypeError(`Not a media type: ${offer}`);
    return type;
  });
  const ranges = field === null ? [] : readRanges(field);
  if (ranges.length === 0) return offers[0];
  const qualities = types.map((type) => qualityOf(ranges, ({ range }) => specificityOf(range, type)) ?? 0);
  return best(offers, qualities);
}

/**
 * The offered coding that an Accept-Encoding field prefers, or `"identity"`, which is always on offer, after the others:
 * it is the answer without the field (`null`), and with an empty one. `undefined` when the client refuses that too.
 * Linear in the field; `x-gzip` is `gzip`, RFC 9110 §8.4.1.3.
 *
 * @example
 * acceptsEncodings("gzip, br", ["br", "gzip"]); // "br"
 * acceptsEncodings("gzip;q=0, *", ["gzip"]); // "identity"
 */
export function acceptsEncodings(field: string | null, offers: readonly string[]): string | undefined {
  const preferences = parsePreferences(field ?? "");
  const all = offers.some((offer) => sameName(offer, "identity")) ? offers : [...offers, "identity"];
  const qualities = all.map((offer) => {
    const coding = withoutX(offer.toLowerCase());
    const quality = qualityOf(preferences, ({ value }) =>
      value === "*" ? 0 : withoutX(value) === coding ? 1 : -1,
    );
    // RFC 9110 §12.5.3: acceptable unless it was refused, but whoever names others would rather have those.
    return quality ?? (coding === "identity" ? UNSAID : 0);
  });
  return best(all, qualities);
}

/**
 * Adds names to the Vary field, RFC 9110 §12.5.5, so that caches keep apart what was negotiated. A name that is there stays
 * alone, and `*` says it all.
 *
 * @example
 * const headers = new HTTPHeaders({ Vary: "Origin" });
 * addVary(headers, "Accept-Encoding");
 * headers.get("Vary"); // "Origin, Accept-Encoding"
 */
export function addVary(headers: HTTPHeaders, ...names: readonly string[]): void {
  const value = headers.get("Vary");
  const present = value === null ? [] : [...listElements(value)];
  if (present.includes("*")) return;
  const missing = names.filter((name) => !present.some((other) => sameName(other, name)));
  if (missing.includes("*")) headers.set("Vary", "*");
  else if (missing.length > 0) headers.set("Vary", [...present, ...missing].join(", "));
}

interface WeightedRange {
  readonly range: MediaType;
  readonly q: number;
}

function readRanges(field: string): WeightedRange[] {
  const ranges: WeightedRange[] = [];
  for (const element of boundedElements(field)) {
    const range = parseMediaType(element);
    if (range === undefined || (range.type === "*" && range.subtype !== "*")) continue;
    // A weight is no parameter: it has no quotes, RFC 9110 §12.4.2.
    if (/;[ \t]*q="/i.test(element)) continue;
    const q = readQuality(range.parameters.get("q") ?? "1");
    if (q !== undefined) ranges.push({ range, q });
  }
  return ranges;
}

/** The narrower the type the more, then the more parameters the more. */
function specificityOf(range: MediaType, offer: MediaType): Specificity {
  let count = 0;
  for (const [name, value] of range.parameters) {
    // What stands behind the weight was an extension of it, RFC 7231 §5.3.2, and says nothing of the type.
    if (name === "q") break;
    const offered = offer.parameters.get(name);
    if (offered === undefined || !(name === "charset" ? sameName(offered, value) : offered === value))
      return -1;
    count++;
  }
  if (range.type === "*") return count;
  if (range.type !== offer.type) return -1;
  if (range.subtype === "*") return 100 + count;
  return range.subtype === offer.subtype ? 200 + count : -1;
}

/** The quality that speaks most specifically, of equally specific ones the highest; `undefined` when none speaks. */
function qualityOf<T extends { readonly q: number }>(
  said: readonly T[],
  specificity: (each: T) => Specificity,
) {
  let most = -1;
  let quality: number | undefined;
  for (const each of said) {
    const specific = specificity(each);
    if (specific === -1 || specific < most) continue;
    quality = specific > most ? each.q : Math.max(quality ?? 0, each.q);
    most = specific;
  }
  return quality;
}

function best(offers: readonly string[], qualities: readonly number[]): string | undefined {
  const highest = Math.max(0, ...qualities);
  return highest === 0 ? undefined : offers[qualities.indexOf(highest)];
}

function withoutX(coding: string): string {
  return coding === "x-gzip" || coding === "x-compress" ? coding.slice(2) : coding;
}

/** Below every weight that can be said. */
const UNSAID = 0.0001;
