// Validates UTF-8 that arrives in pieces, and finds the first wrong byte at that byte: RFC 6455 §8.1 lets the receiver
// fail at once, and Autobahn's cases 6.* ask for it. The ranges are those of RFC 3629 §4, so that overlong forms,
// surrogates and numbers beyond U+10FFFF are refused at their second byte.

/** After as many bytes of ASCII the rest of the run is skipped by words. */
const WORDWISE = 64;

/** Carries the state of one text message from piece to piece. */
export class Utf8Validator {
  #needed = 0;
  #lower = 0x80;
  #upper = 0xbf;

  /** Whether the bytes so far end between two characters. */
  get complete(): boolean {
    return this.#needed === 0;
  }

  /** Forgets everything, for the next message. */
  reset(): void {
    this.#needed = 0;
    this.#lower = 0x80;
    this.#upper = 0xbf;
  }

  /** Takes `bytes[start, end)`; false when they cannot continue what came before. */
  push(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      if (this.#needed === 0) {
        at = skipAscii(bytes, at, end);
        if (at === end) return true;
        if (!this.#lead(bytes[at++] as number)) return false;
        continue;
      }
      const byte = bytes[at++] as number;
      if (byte < this.#lower || byte > this.#upper) return false;
      this.#lower = 0x80;
      this.#upper = 0xbf;
      this.#needed--;
    }
    return true;
  }

  #lead(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte === 0xe0) this.#lower = 0xa0;
    else if (byte === 0xed) this.#upper = 0x9f;
    else if (byte === 0xf0) this.#lower = 0x90;
    else if (byte === 0xf4) this.#upper = 0x8f;
    return true;
  }
}

/** Index of the first byte ≥ 0x80 in `bytes[start, end)`, or `end`. Words only after a run that pays for their view. */
function skipAscii(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const run = Math.min(end, start + WORDWISE);
  while (at < run && (bytes[at] as number) < 0x80) at++;
  if (at < run || at === end) return at;
  while (at < end && ((bytes.byteOffset + at) & 3) !== 0 && (bytes[at] as number) < 0x80) at++;
  if (at === end || (bytes[at] as number) >= 0x80) return at;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (end - at) >>> 2);
  let i = 0;
  while (i < words.length && ((words[i] as number) & 0x80808080) === 0) i++;
  at += i * 4;
  while (at < end && (bytes[at] as number) < 0x80) at++;
  return at;
}
