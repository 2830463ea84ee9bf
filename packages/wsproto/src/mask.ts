// Masking, RFC 6455 §5.3: byte i of a payload is XORed with byte i mod 4 of the key. A key is held as one 32-bit
// number whose most significant byte comes first on the wire; 0 is the identity, which is how unmasked frames are read.
//
// Short runs go byte by byte. Long ones are copied first and then XORed in place by aligned 32-bit words, because the
// source (a view into a receive buffer) is hardly ever aligned and the target always can be.

/** From this length on, two typed array views are cheaper than the bytes. */
const WORDWISE = 192;
const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/**
 * Masks or unmasks `data` with a key of exactly four bytes, into an array of its own.
 *
 * @throws RangeError when the key is not four bytes long
 */
export function applyMask(key: Uint8Array, data: Uint8Array): Uint8Array {
  if (key.length !== 4) throw new RangeError(`A masking key has 4 bytes, not ${key.length}`);
  const word =
    ((key[0] as number) << 24) | ((key[1] as number) << 16) | ((key[2] as number) << 8) | (key[3] as number);
  const masked = new Uint8Array(data.length);
  maskInto(masked, 0, data, 0, data.length, word, 0);
  return masked;
}

/**
 * Copies `source[start, end)` to `target` at `at`, XORed with `key`. `phase` is the number of payload bytes that came
 * before (only its two low bits count). `source` is left as it is.
 */
export function maskInto(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
  key: number,
  phase: number,
): void {
  const length = end - start;
  if (length < WORDWISE) {
    const turned = rotate(key, phase);
    for (let i = 0; i < length; i++) {
      target[at + i] = (source[start + i] as number) ^ (turned >>> (24 - ((i & 3) << 3)));
    }
    return;
  }
  target.set(source.subarray(start, end), at);
  if (key !== 0) maskInPlace(target, at, at + length, key, phase);
}

/** XORs `bytes[start, end)` where they are. */
function maskInPlace(bytes: Uint8Array, start: number, end: number, key: number, phase: number): void {
  let at = start;
  let turned = rotate(key, phase);
  for (; at < end && ((bytes.byteOffset + at) & 3) !== 0; at++) {
    bytes[at] = (bytes[at] as number) ^ (turned >>> 24);
    turned = rotate(turned, 1);
  }
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (end - at) >>> 2);
  const word = LITTLE_ENDIAN ? swap(turned) : turned;
  const count = words.length;
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    words[i] = (words[i] as number) ^ word;
    words[i + 1] = (words[i + 1] as number) ^ word;
    words[i + 2] = (words[i + 2] as number) ^ word;
    words[i + 3] = (words[i + 3] as number) ^ word;
  }
  for (; i < count; i++) words[i] = (words[i] as number) ^ word;
  for (at += count * 4; at < end; at++) {
    bytes[at] = (bytes[at] as number) ^ (turned >>> 24);
    turned = rotate(turned, 1);
  }
}

/** The key as seen from payload byte `phase`. */
function rotate(key: number, phase: number): number {
  const bits = (phase & 3) << 3;
  return bits === 0 ? key : (key << bits) | (key >>> (32 - bits));
}

function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
