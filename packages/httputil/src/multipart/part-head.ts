// The head of a part, RFC 7578 §4: header lines as in a message, and what its Content-Disposition says.

import { fromLatin1, fromUtf8, latin1, quote } from "@tw/util";
import { readLine } from "../field-lines.js";
import { decodeExtendedValue } from "../forms/extended-value.js";
import { parseHeaderParameters } from "../forms/header-parameters.js";
import { HTTPHeaders } from "../headers.js";
import { multipartError } from "./errors.js";

/** What is known of a part before its data. */
export interface PartHead {
  /** The fields as they came, one character for each byte, as in the head of a message. */
  readonly headers: HTTPHeaders;
  /** The name of the form's field. */
  readonly name: string;
  /**
   * The name of the file, or `undefined` for a field that is none; also where it is empty, which is how browsers send
   * a file input with nothing chosen. **Not a path**: the peer may write `../../etc/passwd` or CR LF. Keep it to show it;
   * never open, join or log it as it is.
   */
  readonly filename: string | undefined;
  /** Its Content-Type, not to be believed; else `application/unknown` for a file and `text/plain` for a field. */
  readonly contentType: string;
}

/** What no field may hold as it is, percent-encoded neither; but CR and LF, which browsers write in names. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * Reads a head without its empty line.
 *
 * @throws HTTPInputError `ERR_TW_MULTIPART_HEAD`
 */
export function parsePartHead(bytes: Uint8Array): PartHead {
  if (!isUtf8(bytes)) throw refused("A part's head is not UTF-8");
  const headers = readFields(fromLatin1(bytes));
  const dispositions = headers.getList("Content-Disposition");
  if (dispositions.length !== 1) {
    throw refused(`A part has ${dispositions.length} Content-Disposition fields, needs 1`);
  }
  const types = headers.getList("Content-Type");
  if (types.length > 1) throw refused(`A part has ${types.length} Content-Type fields`);
  const disposition = dispositions[0] as string;
  const { name, filename } = nameAndFilename(disposition);
  const contentType = types[0] ?? (filename === undefined ? "text/plain" : "application/unknown");
  return { headers, name, filename, contentType };
}

/** As strict as the head of a message: no folding, no bare CR or LF, no other control (S-12). */
function readFields(text: string): HTTPHeaders {
  const fields: string[] = [];
  try {
    if (text !== "") for (const line of text.split("\r\n")) readLine(line, fields);
  } catch (error) {
    throw refused((error as Error).message);
  }
  return HTTPHeaders.fromValidated(fields);
}

function nameAndFilename(disposition: string): { name: string; filename: string | undefined } {
  const parsed = parseHeaderParameters(disposition);
  if (parsed === undefined || parsed.value.toLowerCase() !== "form-data") {
    throw refused(`Not a Content-Disposition of form-data: ${quote(disposition)}`);
  }
  const name = parsed.parameters.get("name");
  if (name === undefined || name === "") throw refused(`A part without a name: ${quote(disposition)}`);
  const extended = parsed.parameters.get("filename*");
  const plain = parsed.parameters.get("filename");
  // RFC 6266 §4.3: filename* wins where both are there.
  const filename = extended === undefined ? plain && decodeName(plain) : decodeExtendedValue(extended);
  if (extended !== undefined && (filename === undefined || CONTROL.test(filename))) {
    throw refused(`Not an extended value, RFC 8187: ${quote(extended)}`);
  }
  return { name: decodeName(name), filename: filename === "" ? undefined : filename };
}

/** UTF-8, and the three escapes with which browsers write a quote, CR and LF (HTML, "escape a multipart/form-data name"). */
function decodeName(text: string): string {
  const name = /^[\x20-\x7e]*$/.test(text) ? text : fromUtf8(latin1(text));
  return name.includes("%") ? name.replace(/%(?:22|0[AaDd])/g, unescapeMark) : name;
}

function unescapeMark(mark: string): string {
  return mark === "%22" ? '"' : mark.toUpperCase() === "%0A" ? "\n" : "\r";
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    fromUtf8(bytes, { fatal: true });
    return true;
  } catch {
    return false;
  }
}

function refused(message: string): Error {
  return multipartError("ERR_TW_MULTIPART_HEAD", message);
}
