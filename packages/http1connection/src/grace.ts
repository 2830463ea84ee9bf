// Who may ask once more: connections of which their server takes leave while nothing is asked on them, since a request may
// be on its way. All have the same time, so one timer serves them in their order.

import type { IOLoop, Timeout } from "@tw/ioloop";

/** How long a connection that has just been answered, or has not asked yet, may still ask while its server drains. */
export const DRAIN_GRACE_MS = 1000;

/** So many connections are closed in a turn of the loop. */
const AT_A_TIME = 64;

/** Somebody who is closed behind its grace, unless it has asked. */
export interface Graced {
  onGraceOver(): void;
}

/** The connections of one server that may ask once more. */
export class Grace<Member extends Graced = Graced> {
  readonly #loop: IOLoop;
  /** Each with the time at which its grace is over; who comes later has no less. */
  readonly #members = new Map<Member, number>();
  #ms: number = DRAIN_GRACE_MS;
  #timer: Timeout | undefined;

  constructor(loop: IOLoop) {
    this.#loop = loop;
  }

  /** Milliseconds. */
  get ms(): number {
    return this.#ms;
  }

  /** Shortens it, also for those who have it. */
  shorten(ms: number): void {
    if (ms >= this.#ms) return;
    this.#ms = ms;
    const end = this.#loop.time() + ms;
    for (const [member, until] of this.#members) if (until > end) this.#members.set(member, end);
    this.#arm();
  }

  /** As long as it is by default, for those who come now. */
  reset(): void {
    this.#ms = DRAIN_GRACE_MS;
  }

  give(member: Member): void {
    if (this.#members.has(member)) return;
    this.#members.set(member, this.#loop.time() + this.#ms);
    if (this.#members.size === 1) this.#arm();
  }

  delete(member: Member): void {
    if (this.#members.delete(member) && this.#members.size === 0) this.#arm();
  }

  /** For the first of them. */
  #arm(): void {
    if (this.#timer !== undefined) this.#loop.removeTimeout(this.#timer);
    this.#timer = undefined;
    for (const until of this.#members.values()) {
      const ms = Math.max(0, until - this.#loop.time());
      // After a blocked loop the request of a peer may wait in the kernel.
      this.#timer = this.#loop.callLater(ms, () => this.#loop.afterPoll(() => this.#end()));
      return;
    }
  }

  #end(): void {
    const now = this.#loop.time();
    let left = AT_A_TIME;
    for (const [member, until] of this.#members) {
      if (until > now || left-- === 0) break;
      this.#members.delete(member);
      member.onGraceOver();
    }
    this.#arm();
  }
}
