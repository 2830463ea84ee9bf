// How the senders of a loop share its turns. Each may give the kernel a share in a turn; so that a thousand of them do not
// make a turn that everybody else waits for, all together have a budget. Whoever has used his share up, or finds the budget
// used up, rests in a line, and each turn lets the first of the line go on:
//
//   rest ──► [ f │ e │ d │ c │ b │ a ]        turn: a, b, c, d        poll        turn: e, f, …
//                                             └── a budget ──┘
//
// What is small neither counts nor rests: an answer of a few KiB never waits behind downloads.

import { AsyncResource } from "node:async_hooks";
import { type IOLoop, LazyAsyncResource } from "@tw/ioloop";

/** Bytes that the senders of a loop give to the kernel in a turn, together. */
const TURN_BUDGET = 1024 * 1024;

/** Who may have to rest. */
export interface Sender {
  /** @internal Goes on, and tells how much of the budget is its own now. */
  goOnRested(): number;
}

/** The turns of one loop, as far as much is sent in them. */
export class SenderTurns {
  /** The present one. It is another when a turn of the loop has begun since {@link add}. */
  number = 0;
  readonly #loop: IOLoop;
  readonly #line = new Map<Sender, Place>();
  #given = 0;
  #asked = false;

  constructor(loop: IOLoop) {
    this.#loop = loop;
  }

  /** Whether the budget of this turn is used up. */
  get over(): boolean {
    return this.#given >= TURN_BUDGET;
  }

  /** The kernel took so many bytes that count. */
  add(bytes: number): void {
    this.#given += bytes;
    if (!this.#loop.closed) this.#ask();
  }

  /**
   * Lets `sender` go on behind those who rest already, and not in this turn; in the async context of this call.
   *
   * @throws LoopClosedError `ERR_TW_LOOP_CLOSED`, and nothing has changed
   */
  rest(sender: Sender): void {
    this.#ask();
    this.#line.set(sender, new Place(this.number));
  }

  /** It has nothing to send any more. */
  leave(sender: Sender): void {
    this.#line.delete(sender);
  }

  #ask(): void {
    if (this.#asked && !this.#loop.closed) return;
    // Each has a context of its own; what serves all of them has nobody's.
    outside.runInAsyncScope(this.#loop.addCallback<[]>, this.#loop, this.#begin);
    this.#asked = true;
  }

  /** The next turn. */
  readonly #begin = (): void => {
    this.number++;
    this.#asked = false;
    this.#given = 0;
    let budget = TURN_BUDGET;
    try {
      for (const [sender, place] of this.#line) {
        if (budget <= 0 || place.since === this.number || this.#loop.closed) break;
        this.#line.delete(sender);
        budget -= place.runInAsyncScope(sender.goOnRested, sender);
      }
    } finally {
      // What one throws must not keep the others waiting for ever.
      if (this.#line.size > 0 && !this.#loop.closed) this.#ask();
    }
  };
}

/** The turns of `loop`. */
export function turnsOf(loop: IOLoop): SenderTurns {
  const known = turns.get(loop);
  if (known !== undefined) return known;
  const made = new SenderTurns(loop);
  turns.set(loop, made);
  return made;
}

/** A place in the line: since which turn, and in whose context its sender goes on. */
class Place extends LazyAsyncResource {
  readonly since: number;

  constructor(since: number) {
    super("TWRestingSender");
    this.since = since;
  }
}

const outside = new AsyncResource("TWSenderTurns");

const turns = new WeakMap<IOLoop, SenderTurns>();
