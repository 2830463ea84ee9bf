// Memory that the addon writes from without looking anything up: a write names a range of it by two numbers. Short pieces of a
// few kinds, which would be joined or copied anyway, cost least this way.
//
//   0                                 SIZE
//   ├─ put, text ── … ──┼──── free ────┤      one owner's, until he lets go of it
//
// Nobody else has it: it can be neither detached nor changed behind the addon's back.

import type { NativePoller } from "./native.js";
import type { WritePage } from "./types.js";

const SIZE = 16 * 1024;

/** The page of one poller. */
export class PrivatePage implements WritePage {
  owner: object | undefined = undefined;
  readonly #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(new ArrayBuffer(SIZE));

  constructor(native: NativePoller) {
    native.page(this.#bytes);
  }

  get size(): number {
    return SIZE;
  }

  put(bytes: Uint8Array, at: number): number {
    const { length } = bytes;
    checkRoom(at, length);
    this.#bytes.set(bytes, at);
    return at + length;
  }

  putText(text: string, at: number): number {
    const bytes = this.#bytes;
    const { length } = text;
    checkRoom(at, length);
    let all = 0;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      all |= code;
      bytes[at + i] = code;
    }
    // Cut down to its low byte, U+010A would become a line feed.
    if (all > 0xff) throw new RangeError("A text on the page is latin1 bytes");
    return at + length;
  }

  slice(from: number, to: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(from, to);
  }
}

/** Written so that NaN is no place either. */
function checkRoom(at: number, length: number): void {
  if (!(at >= 0 && at + length <= SIZE))
    throw new RangeError(`The page has no room for ${length} bytes at ${at}`);
}
