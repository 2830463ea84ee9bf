// What every call that waits takes, and how it is checked.

import { IOLoop } from "@tw/ioloop";
import { checkDurationMs, checkLoop, checkOptions, checkSignal, type MeantOptions } from "@tw/util";

/** Options of a call that waits on a given loop. */
export interface WaitOptions {
  /**
   * Milliseconds of the loop after which the wait is given up. 0 does not wait at all: what is not there already has
   * timed out. @default no limit
   */
  readonly timeoutMs?: number | undefined;
  /** Gives the wait up: it rejects with `signal.reason`. Aborted already, nothing is taken or waited for. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a function that has to know its loop. */
export interface LoopOption {
  /** Whose time it is. @default IOLoop.current() */
  readonly loop?: IOLoop | undefined;
}

const WAIT: MeantOptions = { number: "timeoutMs", AbortSignal: "signal" };
const CALL: MeantOptions = { AbortSignal: "signal", IOLoop: "loop" };
const LOOP: MeantOptions = { IOLoop: "loop" };

/** The loop of these options. */
export function loopOf(options: LoopOption): IOLoop {
  return options.loop ?? IOLoop.current();
}

/** Throws unless these are the options of something that is made for a loop. @throws TypeError */
export function checkLoopOption(options: LoopOption): void {
  checkOptions("options", options, LOOP);
  checkLoop(options.loop);
}

/** Throws unless these are the options of a call that waits on a loop of its own. @throws TypeError */
export function checkCall(options: LoopOption & Pick<WaitOptions, "signal">): void {
  checkOptions("options", options, CALL);
  checkLoop(options.loop);
  checkSignal(options.signal);
}

/** Throws unless the options of a wait are what they should be. @throws TypeError, RangeError */
export function checkWait(options: WaitOptions): void {
  checkOptions("options", options, WAIT);
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined) checkDurationMs("timeoutMs", timeoutMs);
  checkSignal(signal);
}
