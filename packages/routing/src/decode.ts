// Parameters out of an encoded path.

import { urlUnescape } from "@tw/escape";
import type { RawArgs } from "./pattern.js";

/** Percent-decodes every parameter as UTF-8; `+` stays a plus. `undefined` when one of them is not UTF-8. */
export function decodeArgs(raw: RawArgs): (string | undefined)[] | undefined {
  try {
    return raw.map((text) => (text === undefined || PLAIN.test(text) ? text : urlUnescape(text, PATH_STYLE)));
  } catch {
    return undefined;
  }
}

const PLAIN = /^[\x20-\x24\x26-\x7e]*$/;
const PATH_STYLE = { plus: false } as const;
