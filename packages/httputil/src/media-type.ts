// Media types, RFC 9110 §8.3.1: what a body is.

import { skipBlanks, tokenEnd, valueAt, valueEnd } from "./scan.js";

/** A media type, or with `*` a range of them. */
export interface MediaType {
  /** `type/subtype`, in lower case. */
  readonly essence: string;
  readonly type: string;
  readonly subtype: string;
  /** Values as they came, without quotes, by name in lower case; of a name that comes twice the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Parameters of one media type. */
const MAX_PARAMETERS = 32;

/**
 * Reads a Content-Type, or one range of an Accept. `undefined` for what breaks the grammar: no subtype, blanks around
 * the `/` or a `=`, a parameter without value, a quote without end, more than 32 parameters. Linear time.
 *
 * @example
 * parseMediaType("Text/HTML; charset=utf-8")?.essence; // "text/html"
 */
export function parseMediaType(text: string): MediaType | undefined {
  const start = skipBlanks(text, 0);
  const slash = tokenEnd(text, start);
  const end = text[slash] === "/" ? tokenEnd(text, slash + 1) : -1;
  if (slash === start || end <= slash + 1) return undefined;
  const parameters = readParameters(text, end);
  if (parameters === undefined) return undefined;
  const type = text.slice(start, slash).toLowerCase();
  const subtype = text.slice(slash + 1, end).toLowerCase();
  return { essence: `${type}/${subtype}`, type, subtype, parameters };
}

/** RFC 9110 §5.6.6: `*( OWS ";" OWS [ name "=" value ] )`, to the end of the text. */
function readParameters(text: string, from: number): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  let at = skipBlanks(text, from);
  while (text[at] === ";") {
    at = skipBlanks(text, at + 1);
    const equals = tokenEnd(text, at);
    if (equals === at) continue;
    const end = text[equals] === "=" ? valueEnd(text, equals + 1) : -1;
    if (end === -1 || parameters.size === MAX_PARAMETERS) return undefined;
    const name = text.slice(at, equals).toLowerCase();
    if (!parameters.has(name)) parameters.set(name, valueAt(text, equals + 1, end));
    at = skipBlanks(text, end);
  }
  return at === text.length ? parameters : undefined;
}
