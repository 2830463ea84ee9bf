// The first line of a message, and the phrases that go with status codes.

import { isFieldText } from "./grammar.js";

/** The first line of a request, RFC 9112 §3. `version` is the version's text: `HTTP/1.1`. */
export interface RequestStartLine {
  readonly method: string;
  /** The request target as it came. */
  readonly path: string;
  readonly version: string;
}

/** The first line of a response, RFC 9112 §4. */
export interface ResponseStartLine {
  readonly version: string;
  readonly code: number;
  /** As it came. Where it is sent, an empty one stands for the registered phrase; see {@link reasonPhrase}. */
  readonly reason: string;
}

/** Reason phrases of the registered status codes, RFC 9110 §15 and the IANA registry. */
export const responses: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  102: "Processing",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  207: "Multi-Status",
  208: "Already Reported",
  226: "IM Used",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  305: "Use Proxy",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  418: "I'm a Teapot",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  424: "Failed Dependency",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  506: "Variant Also Negotiates",
  507: "Insufficient Storage",
  508: "Loop Detected",
  510: "Not Extended",
  511: "Network Authentication Required",
};

/**
 * The phrase to send with `code`: `reason` when it is given and harmless, the registered one when it is not given,
 * else `Unknown`: for an empty reason too, as in Tornado (C16). In a {@link ResponseStartLine} an empty one is one that is
 * not given.
 *
 * S-23: a reason with a control character, `<` or a character above U+00FF becomes `Unknown`, so that neither the
 * status line nor an error page that repeats it can be injected into.
 */
export function reasonPhrase(code: number, reason?: string): string {
  if (reason === undefined) return responses[code] ?? "Unknown";
  return reason !== "" && isFieldText(reason) && !reason.includes("<") && !reason.includes("\t")
    ? reason
    : "Unknown";
}
