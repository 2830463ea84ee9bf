export { fromUtf8, utf8 } from "@tw/util";
export { xhtmlEscape, xhtmlUnescape } from "./html.js";
export { jsonDecode, jsonEncode } from "./json.js";
export { parseQs, parseQsBytes } from "./query.js";
export { type UrlEscapeOptions, urlEscape, urlUnescape, urlUnescapeBytes } from "./url.js";
