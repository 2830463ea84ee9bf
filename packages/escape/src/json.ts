// JSON that may stand inside a script element.

import { fromUtf8 } from "@tw/util";

/**
 * Serialises `value` as JSON with `</` written as `<\/`: the same JSON, but it cannot end a `<script>` element that it
 * is put into.
 *
 * @throws TypeError when the value has no JSON form (`undefined`, a function, a symbol, a cycle, a bigint)
 */
export function jsonEncode(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`No JSON form: ${typeof value}`);
  return text.includes("</") ? text.replaceAll("</", "<\\/") : text;
}

/**
 * Parses JSON out of text or UTF-8 bytes.
 *
 * @throws SyntaxError when it is not JSON
 * @throws TypeError when the bytes are not UTF-8
 */
export function jsonDecode(source: string | Uint8Array): unknown {
  return JSON.parse(typeof source === "string" ? source : fromUtf8(source, { fatal: true }));
}
