// The Date field, RFC 9110 §6.6.1: made once a tick, whatever the number of responses. Reading a clock costs as much as
// parsing a header field; the value may therefore be up to a second old, as with any server that caches it.

import { formatTimestamp } from "@tw/httputil";
import type { IOLoop } from "@tw/ioloop";

/** What counts ticks: it does so while there are connections, and only they ask for the date. */
export interface Ticking {
  readonly tick: number;
}

/** The present `Date` value of one server. */
export class DateCache {
  readonly #loop: IOLoop;
  readonly #ticking: Ticking;
  #tick = 0;
  #text = "";

  constructor(loop: IOLoop, ticking: Ticking) {
    this.#loop = loop;
    this.#ticking = ticking;
  }

  /** The time as IMF-fixdate, such as `Sun, 06 Nov 1994 08:49:37 GMT`. */
  get value(): string {
    if (this.#tick !== this.#ticking.tick) {
      this.#tick = this.#ticking.tick;
      this.#text = formatTimestamp(this.#loop.wallTime());
    }
    return this.#text;
  }
}
