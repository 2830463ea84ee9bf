// Text that came from the network must not be able to write a second log line, or to talk to the terminal.
//
// Escaped are C0 and C1 controls (an ESC or a CSI moves the cursor and repaints what was logged before), DEL, the
// Unicode line separators, and the bidirectional overrides, which show text in another order than it has.

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this file is about
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Makes text safe for one line of a log: `\n`, `\r`, `\t`, otherwise `\u001b`. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (char) => SHORT[char] ?? unicodeEscape(char));
}

/** As {@link escapeControls}, for text that is JSON already: only escapes that JSON knows. */
export function escapeJson(json: string): string {
  return json.replace(UNSAFE, unicodeEscape);
}

function unicodeEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
