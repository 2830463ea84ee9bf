// Who a client's request is for, and from whom, by the authority of its URL: RFC 9110 §7.2, RFC 3986 §3.2.

import { encodeUsernamePassword } from "./credentials.js";
import type { HTTPHeaders } from "./headers.js";
import { isHost } from "./host.js";

/** The part of a `URL` that a request is addressed by. */
export interface URLAuthority {
  /** With the port, unless that is the scheme's own. */
  readonly host: string;
  /** Percent-encoded, as the password is. */
  readonly username: string;
  readonly password: string;
}

/**
 * Sets Host, and Authorization where the URL has userinfo, unless `headers` has them already. The userinfo never goes out
 * as a part of the URL. `base64` encodes what is Basic authentication, RFC 7617 §2.
 *
 * @throws TypeError for a Host that is none, also one that was there, and for userinfo that is not percent-encoded UTF-8,
 * or that {@link encodeUsernamePassword} refuses
 * @example
 * addressRequest(headers, new URL("http://u:p@a:81/"), base64); // Host: a:81, Authorization: Basic dTpw
 */
export function addressRequest(
  headers: HTTPHeaders,
  url: URLAuthority,
  base64: (bytes: Uint8Array) => string,
): void {
  // RFC 9112 §3.2 (2): the authority, and no userinfo.
  if (!headers.has("Host")) headers.set("Host", url.host);
  const hosts = headers.getList("Host");
  if (hosts.length > 1 || !isHost(hosts[0] as string))
    throw new TypeError(`Not a Host: ${JSON.stringify(hosts.join(", "))}`);
  if (url.username === "" || headers.has("Authorization")) return;
  const pair = encodeUsernamePassword(decodeUserinfo(url.username), decodeUserinfo(url.password));
  headers.set("Authorization", `Basic ${base64(pair)}`);
}

/**
 * S-33: `new URL()` leaves CR, LF and TAB out of a text, and so asks for something else than it says. What is no text has
 * been through that already. The message repeats no password.
 *
 * @throws TypeError for a text with a control character
 * @example
 * checkURL("http://a/\r\nX-Injected: 1"); // TypeError: Control character in the URL at index 9
 */
export function checkURL(url: unknown): void {
  const at = typeof url === "string" ? url.search(CONTROL) : -1;
  if (at !== -1) throw new TypeError(`Control character in the URL at index ${at}`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;

// The message does not repeat it: it is a secret.
function decodeUserinfo(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError("The userinfo of the URL is not percent-encoded UTF-8");
  }
}
