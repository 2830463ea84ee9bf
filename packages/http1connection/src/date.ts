// The Date field, RFC 9110 §6.6.1: made once a second, whatever the number of responses.

import { formatTimestamp } from "@tw/httputil";
import type { IOLoop } from "@tw/ioloop";

/** The present `Date` value of one loop. */
export class DateCache {
  readonly #loop: IOLoop;
  #second = -1;
  #text = "";

  constructor(loop: IOLoop) {
    this.#loop = loop;
  }

  /** The time as IMF-fixdate, such as `Sun, 06 Nov 1994 08:49:37 GMT`. */
  get value(): string {
    const second = Math.floor(this.#loop.wallTime() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = formatTimestamp(second * 1000);
    }
    return this.#text;
  }
}
