// The suite that every LoopHost has to pass, for any test runner: cases are named, and fail by throwing.

import { invariant } from "@tw/util";
import type { LoopHost, ScheduledTurn } from "./host.js";

/** A host under examination. */
export interface HostSubject {
  readonly host: LoopHost;
  /** Lets at least `ms` milliseconds of the host's time pass, running what is due. */
  pass(ms: number): Promise<void>;
}

/** One line of the contract. */
export interface HostCase {
  readonly name: string;
  run(subject: HostSubject): Promise<void>;
}

/** Milliseconds: long enough to be told apart on a real host, short enough to wait for. */
const STEP_MS = 5;

/**
 * The contract of `LoopHost`, case by case; each wants a host of its own.
 *
 * @example
 * for (const { name, run } of hostCases) it(name, () => run(makeSubject()));
 */
export const hostCases: readonly HostCase[] = [
  {
    name: "now() never goes back and starts at 0 or later",
    async run({ host, pass }) {
      const first = host.now();
      invariant(first >= 0, `now() is ${first}`);
      await pass(STEP_MS);
      invariant(host.now() >= first + STEP_MS, "time passed and now() did not show it");
    },
  },
  {
    name: "wallNow() is milliseconds since 1970 and moves with now()",
    async run({ host, pass }) {
      const before = host.wallNow();
      invariant(before > Date.UTC(2000, 0, 1), `wallNow() is ${before}`);
      await pass(STEP_MS);
      invariant(host.wallNow() > before, "the wall clock stands still");
    },
  },
  {
    name: "schedule() never runs a turn during the call, even one that is overdue",
    async run({ host, pass }) {
      const ran: number[] = [];
      for (const at of [0, -1, host.now()]) host.schedule(at, () => ran.push(at));
      invariant(ran.length < 1, "a turn ran during schedule()");
      await pass(STEP_MS);
      invariant(ran.length === 3, `${ran.length} of 3 turns ran`);
    },
  },
  {
    name: "schedule() runs a turn once, and not before its time",
    async run({ host, pass }) {
      const at = host.now() + STEP_MS + 0.25;
      const times: number[] = [];
      host.schedule(at, () => times.push(host.now()));
      await pass(STEP_MS * 4);
      invariant(times.length === 1, `the turn ran ${times.length} times`);
      invariant((times[0] as number) >= at, `ran at ${times[0]}, due at ${at}`);
    },
  },
  {
    name: "schedule() runs overdue turns in the order in which they were scheduled",
    async run({ host, pass }) {
      const order: number[] = [];
      for (const n of [1, 2, 3]) host.schedule(0, () => order.push(n));
      await pass(STEP_MS);
      invariant(order.join() === "1,2,3", `order was ${order.join()}`);
    },
  },
  {
    name: "a turn that a turn schedules for now runs in a later one",
    async run({ host, pass }) {
      const log: string[] = [];
      host.schedule(0, () => {
        host.schedule(0, () => log.push("inner"));
        log.push("outer");
      });
      await pass(STEP_MS);
      invariant(log.join() === "outer,inner", `saw ${log.join()}`);
    },
  },
  {
    name: "cancel() keeps a turn from running, may be repeated, and may come too late",
    async run({ host, pass }) {
      let runs = 0;
      const turns: ScheduledTurn[] = [0, host.now() + STEP_MS].map((at) => host.schedule(at, () => runs++));
      for (const turn of [...turns, ...turns]) turn.cancel();
      const ran = host.schedule(0, () => undefined);
      await pass(STEP_MS * 3);
      for (const turn of [...turns, ran]) turn.cancel();
      invariant(runs === 0, `${runs} cancelled turns ran`);
    },
  },
  {
    name: "an unref'd turn still runs while something else goes on; ref() and unref() may be repeated",
    async run({ host, pass }) {
      let runs = 0;
      for (const at of [0, host.now() + STEP_MS]) {
        const turn = host.schedule(at, () => runs++);
        for (const ref of [false, false, true, true, false]) turn.setRef(ref);
      }
      await pass(STEP_MS * 3);
      invariant(runs === 2, `${runs} of 2 unref'd turns ran`);
    },
  },
];
