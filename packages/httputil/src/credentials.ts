// What a user types, as bytes that both ends agree on, RFC 7617 §2.1.

import { utf8 } from "@tw/util";

/**
 * Joins name and password with a colon, as UTF-8 in Unicode normalization form C (Tornado's
 * `encode_username_password`): what Basic authentication encodes as base64, and what both ends of a digest hash.
 *
 * @throws TypeError for what is no string, has a control character, and for a name with a colon, which the server would
 * take for the beginning of the password
 * @example
 * encodeUsernamePassword("u", "p:w"); // the bytes of u:p:w
 */
export function encodeUsernamePassword(username: string, password: string): Uint8Array {
  checkText("username", username);
  checkText("password", password);
  if (username.includes(":")) throw new TypeError("username must not have a colon");
  return utf8(`${username.normalize("NFC")}:${password.normalize("NFC")}`);
}

// The messages repeat neither: what is wrong here is a secret, too.
function checkText(what: string, text: string): void {
  if (typeof text !== "string") throw new TypeError(`${what} must be a string`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 7617 §2 forbids them
  if (/[\x00-\x1f\x7f-\x9f]/.test(text)) throw new TypeError(`${what} must not have control characters`);
}
