// The line between parts, CRLF "--" boundary, RFC 2046 §5.1.1, and how it is found.
//
// The boundary holds no CR, so that CR stands only at the start of the delimiter. Two things follow. At the end of a
// view at most one beginning of a delimiter can be open, at the last CR; and it needs no bytes kept, only their number,
// because they are the delimiter's own. Nothing is ever looked for twice.
//
// The search is Horspool's: it looks at the last byte first, and data seldom has bytes of the delimiter, so that most of
// it is skipped by the length of the delimiter at a time. Comparing begins at the CR, and two compared runs cannot
// overlap (the second would begin at a CR within the first): whatever a peer sends, the time is linear.

/** A delimiter, ready to be searched for. */
export class Delimiter {
  readonly bytes: Uint8Array;
  /** How far the search may move when its last byte is over this byte. */
  readonly #skip: Uint8Array;

  constructor(boundary: string) {
    const text = `\r\n--${boundary}`;
    const { length } = text;
    this.bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    this.#skip = new Uint8Array(256).fill(length);
    for (let i = 0; i < length - 1; i++) this.#skip[this.bytes[i] as number] = length - 1 - i;
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Index of the first whole delimiter in `view` from `from` on, or −1. */
  find(view: Uint8Array, from: number): number {
    const { bytes } = this;
    const skip = this.#skip;
    const last = bytes.length - 1;
    const mark = bytes[last];
    for (let end = from + last; end < view.length; ) {
      const byte = view[end] as number;
      if (byte === mark && view[end - last] === CR) {
        let i = 1;
        while (i < last && view[end - last + i] === bytes[i]) i++;
        if (i === last) return end - last;
      }
      end += skip[byte] as number;
    }
    return -1;
  }

  /** Length of the beginning of a delimiter that `view` ends with, looked for from `from` on; 0 when there is none. */
  openAtEnd(view: Uint8Array, from: number): number {
    const start = Math.max(from, view.length - this.bytes.length + 1);
    for (let at = view.length - 1; at >= start; at--) {
      if (view[at] === CR) return this.match(view, at, 0) === view.length ? view.length - at : 0;
    }
    return 0;
  }

  /** Compares `view` from `at` on with the delimiter from its byte `matched` on; index of the first byte that differs. */
  match(view: Uint8Array, at: number, matched: number): number {
    const end = Math.min(view.length, at + this.bytes.length - matched);
    let i = at;
    while (i < end && view[i] === this.bytes[matched + i - at]) i++;
    return i;
  }
}

const CR = 0x0d;
