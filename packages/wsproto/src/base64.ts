// base64, RFC 4648 §4, as far as the handshake needs it.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Encodes bytes, padded. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const word = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += digit(word >>> 18) + digit(word >>> 12);
    text += i + 1 < bytes.length ? digit(word >>> 6) : "=";
    text += i + 2 < bytes.length ? digit(word) : "=";
  }
  return text;
}

function digit(bits: number): string {
  return ALPHABET[bits & 63] as string;
}
