// Helpers on bytes that every layer needs. Nothing here keeps a reference to its input unless it says so.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A `Uint8Array` of length zero, shared: never written to because there is nothing to write to. */
export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

/**
 * Whether `value` is a `Uint8Array`, of any realm: what another `vm` context made (test runners have one for each file) is
 * no instance of ours.
 */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || isForeignBytes(value);
}

function isForeignBytes(value: unknown): boolean {
  return ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === "Uint8Array";
}

/** Encodes text as UTF-8. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Decodes UTF-8; malformed sequences become U+FFFD, or throw `TypeError` when `fatal` is given. A byte order mark is kept. */
export function fromUtf8(bytes: Uint8Array, options: { readonly fatal?: boolean } = {}): string {
  return (options.fatal ? strictDecoder : decoder).decode(bytes);
}

/** Encodes text as latin1, one byte per character; characters above U+00FF throw `RangeError`. */
export function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0xff) throw new RangeError(`Not latin1: U+${unit.toString(16).toUpperCase()} at index ${i}`);
    bytes[i] = unit;
  }
  return bytes;
}

/** Decodes latin1 (ISO-8859-1, every byte is the character of that number) from `bytes[start, end)`. */
export function fromLatin1(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = "";
  for (let at = start; at < end; at += 4096) {
    text += String.fromCharCode.apply(
      null,
      bytes.subarray(at, Math.min(at + 4096, end)) as unknown as number[],
    );
  }
  return text;
}

/** Copies chunks into one array; a single chunk is copied too, so that the result is the caller's own. */
export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Index of `needle` in `haystack` from `from` on (0 or more), or −1. An empty needle is found at `from`. */
export function indexOfBytes(haystack: Uint8Array, needle: Uint8Array, from = 0): number {
  if (needle.length === 0) return from <= haystack.length ? from : -1;
  const first = needle[0] as number;
  const last = haystack.length - needle.length;
  for (
    let at = haystack.indexOf(first, from);
    at !== -1 && at <= last;
    at = haystack.indexOf(first, at + 1)
  ) {
    let i = 1;
    while (i < needle.length && haystack[at + i] === needle[i]) i++;
    if (i === needle.length) return at;
  }
  return -1;
}

/** Tells whether two arrays hold the same bytes. Not constant-time: never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
