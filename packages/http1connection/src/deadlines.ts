// Deadlines of many connections for the price of a number each: one timer counts ticks, and a connection that waits
// holds the tick by which something must have happened. No clock is read and no timer made per request.

import type { IOLoop, Timeout } from "@tw/ioloop";
import { Deferred, housekeeping } from "@tw/util";

/** Something that must not wait for ever. */
export interface Expirable {
  /** The tick at which {@link onExpired} is called; 0 is never. */
  deadline: number;
  onExpired(): void;
}

const MAX_TICK_MS = 1000;
const MIN_TICK_MS = 10;

/** Who is late at a tick in such numbers, as slow attackers are that came together, keeps the loop for so many at a time. */
const AT_A_TIME = 64;

/** The connections of one server or client, and the timer that looks at them while there are any. */
export class Deadlines<Member extends Expirable = Expirable> {
  readonly #loop: IOLoop;
  readonly #tickMs: number;
  readonly #members = new Set<Member>();
  #timer: Timeout | undefined;
  #tick = 1;
  /** How much of a tick passes between two looks: 1, or a half, a quarter, … */
  #step = 1;
  #empty: Deferred | undefined;

  /** `shortestMs`: the shortest timeout that will be asked for; ticks are a quarter of it, within 10 ms and 1 s. */
  constructor(loop: IOLoop, shortestMs: number) {
    this.#loop = loop;
    this.#tickMs = Math.max(MIN_TICK_MS, Math.min(MAX_TICK_MS, shortestMs / 4));
  }

  add(member: Member): void {
    this.#members.add(member);
    if (this.#timer !== undefined) return;
    this.#tick++;
    this.#arm();
  }

  /** Goes up at least once a second while there are members: what is true for a second is true for a tick. */
  get tick(): number {
    return this.#tick;
  }

  delete(member: Member): void {
    this.#members.delete(member);
    if (this.#members.size > 0 || this.#timer === undefined) return;
    this.#loop.removeTimeout(this.#timer);
    this.#timer = undefined;
    this.#step = 1;
    this.#empty?.resolve();
    this.#empty = undefined;
  }

  /** Resolves when the last member is gone. */
  async whenEmpty(): Promise<void> {
    if (this.#members.size === 0) return;
    this.#empty ??= new Deferred();
    await this.#empty.promise;
  }

  /** The members, for whoever has to close them all. */
  get members(): ReadonlySet<Member> {
    return this.#members;
  }

  /** Milliseconds between two ticks. */
  get tickMs(): number {
    return this.#tickMs;
  }

  /** How many ticks from now on are certainly `ms`, so that nothing is divided per request; 0 for 0, which is never. */
  ticks(ms: number): number {
    return ms === 0 ? 0 : (Math.ceil(ms / this.#stepMs) + 1) * this.#step;
  }

  /** How many ticks back is certainly `ms` ago, for a tick that was noted before somebody hastened. */
  ticksAgo(ms: number): number {
    return Math.ceil(ms / this.#tickMs) + 1;
  }

  /** The tick that lies `ms` ahead, rounded up; this one for 0. */
  after(ms: number): number {
    return this.#tick + this.ticks(ms);
  }

  /**
   * Looks more often from now on, where `ms` is shorter than what was to be asked for, until no members are left: ticks
   * stay as long as they are, and are counted in parts.
   */
  hasten(ms: number): void {
    const before = this.#step;
    while (ms !== 0 && ms / 4 < this.#stepMs && this.#stepMs >= 2 * MIN_TICK_MS) this.#step /= 2;
    if (this.#step === before || this.#timer === undefined) return;
    this.#loop.removeTimeout(this.#timer);
    this.#arm();
  }

  get #stepMs(): number {
    return this.#tickMs * this.#step;
  }

  #arm(): void {
    this.#timer = this.#loop.callLater(this.#stepMs, this.#turn);
  }

  /** After a blocked loop the bytes of a peer may wait in the kernel: who seems late is asked again after one poll. */
  readonly #turn = housekeeping((): void => {
    this.#tick += this.#step;
    this.#arm();
    const late: Member[] = [];
    for (const member of this.#members) {
      if (member.deadline !== 0 && member.deadline <= this.#tick) late.push(member);
    }
    if (late.length > 0) this.#expire(late, this.#tick, 0);
  });

  #expire(late: readonly Member[], tick: number, from: number): void {
    this.#loop.afterPoll(() => {
      const to = from + AT_A_TIME;
      if (to < late.length) this.#expire(late, tick, to);
      for (const member of late.slice(from, to)) {
        if (member.deadline !== 0 && member.deadline <= tick && this.#members.has(member)) member.onExpired();
      }
    });
  }
}
