// Field lines, RFC 9112 §5: names and values out of text.

import { quote, trimBlanks } from "@tw/util";
import { HTTPInputError } from "./errors.js";
import { isFieldText, isToken } from "./grammar.js";

/**
 * Splits a section that a parser has validated, from `from` to its empty line, into `[name, value, name, value]`.
 * Around a value stand SP and HTAB only (S-03).
 */
export function splitSection(text: string, from: number): string[] {
  const fields: string[] = [];
  for (let start = from; ; ) {
    const end = text.indexOf("\r\n", start);
    if (end <= start) return fields;
    const colon = text.indexOf(":", start);
    fields.push(text.substring(start, colon), trimBlanks(text.substring(colon + 1, end)));
    start = end + 2;
  }
}

/**
 * Splits text that nobody has validated. Lines end in CRLF or LF; one empty line may end them.
 *
 * @throws HTTPInputError for a line that is no field, and for anything behind the empty line
 */
export function parseLines(text: string): string[] {
  const fields: string[] = [];
  for (let start = 0; start < text.length; ) {
    const lf = text.indexOf("\n", start);
    const end = lf === -1 ? text.length : lf;
    const line = text.slice(start, end > start && lf !== -1 && text[end - 1] === "\r" ? end - 1 : end);
    start = end + 1;
    if (line !== "") readLine(line, fields);
    else if (start < text.length) throw new HTTPInputError("Text behind the empty line of a header");
  }
  return fields;
}

/**
 * Appends name and value of one line, without its line end.
 *
 * @throws HTTPInputError for what is no field: no colon, a name that is no token (a blank before the colon makes it
 * none), a control other than HTAB in the value, and a line that begins with a blank, RFC 9112 §5.2
 */
export function readLine(line: string, fields: string[]): void {
  const colon = line.indexOf(":");
  if (colon === -1) throw new HTTPInputError(`No colon in header line ${quote(line)}`);
  const name = line.slice(0, colon);
  const value = line.slice(colon + 1);
  if (!isToken(name)) throw new HTTPInputError(`Header name ${quote(name)} is not a token`);
  if (!isFieldText(value)) throw new HTTPInputError(`Invalid value of header ${name}: ${quote(value)}`);
  fields.push(name, trimBlanks(value));
}
