// The watchdog's own thread: looks at the counter, asks where the loop is stuck, says so, and reports when it is over.
//
//            counter still for thresholdMs          prompt answer: JavaScript
//   quiet ─────────────────────────────────► asked ───────────────────────► located ──┐ counter moves
//                                            │   ▲  none, or late: native call        ├──────────────► reported
//                                            └───┼──────────────────────► native ─────┘
//                                                └──── still blocked, once ──┘
//
// V8 takes a pause at the first JavaScript behind a native call. What a late answer shows is therefore what follows, and
// who made the call is known from the profile alone.

import type { Session } from "node:inspector";
import { type Block, isNobody, NO_LINE, NO_SAMPLE, newBlock, TOO_OFTEN } from "./block.js";
import { Detector } from "./detector.js";
import { type PauseResult, Pauser, Sampler } from "./inspector.js";
import { LiveLine } from "./live-line.js";
import type { ActivityReader } from "./memory.js";
import { Offenders } from "./offenders.js";
import type { BlockedReport, CodePosition } from "./report.js";
import { blame, type Frame, placeOf, type Span, sampledStack } from "./stack.js";

/** Stacks that may be asked for in a minute: each costs the loop some milliseconds. Further blocks are named by job. */
const PAUSES_PER_MINUTE = 20;

/** How soon a thread that is in JavaScript hears a question: within a millisecond, if it has a processor. */
const PROMPT_MS = 20;

/** How long the thread may be silent before the line says native call; on a busy machine it takes its time. */
const ANSWER_MS = 200;

/** Samples after which the profile is begun anew, which bounds its memory to some MB. */
const MAX_SAMPLES = 20_000;

/** What the watcher is started with. */
export interface WatcherSettings {
  readonly thresholdMs: number;
  readonly sampleMs: number;
  readonly live: number | false;
  /** Where this package is: its own frames are nobody's fault. Empty where that cannot be told. */
  readonly ownUrl: string;
}

/** One loop under watch. `session` is connected to its thread, or `undefined` where that cannot be. */
export class Watcher {
  readonly #reader: ActivityReader;
  readonly #settings: WatcherSettings;
  readonly #report: (report: BlockedReport) => void;
  readonly #detector: Detector;
  readonly #pauser: Pauser | undefined;
  readonly #sampler: Sampler | undefined;
  readonly #offenders = new Offenders();
  readonly #live: LiveLine;
  #block: Block | undefined;
  #pauses = PAUSES_PER_MINUTE;
  #refilledAt = 0;
  #profileSince = 0;

  constructor(
    reader: ActivityReader,
    session: Session | undefined,
    settings: WatcherSettings,
    report: (report: BlockedReport) => void,
  ) {
    this.#reader = reader;
    this.#settings = settings;
    this.#report = report;
    this.#detector = new Detector(settings.thresholdMs);
    this.#live = new LiveLine(settings.live);
    this.#pauser = session && new Pauser(session);
    this.#sampler = session && new Sampler(session, settings.sampleMs);
  }

  /** Calls `started` when everything is in place, which needs the loop to be free once. */
  start(started: () => void): void {
    setInterval(() => this.#look(), this.#settings.thresholdMs / 4);
    this.#profileSince = performance.now();
    if (this.#sampler === undefined) started();
    else this.#sampler.start(started);
  }

  #look(): void {
    const now = performance.now();
    const { seq } = this.#reader;
    const verdict = this.#detector.look(seq, now);
    if (verdict === "blocked") this.#begin(seq, now);
    else if (verdict === "ended") this.#end(this.#detector.stood(now));
    else this.#wait(now);
  }

  #begin(seq: number, now: number): void {
    const running = this.#reader.running();
    // It ended while we read, or the report of the one before is not out yet: this one goes without.
    if (this.#reader.seq !== seq || this.#block !== undefined) return;
    const block = newBlock(running, seq, now);
    this.#block = block;
    if (this.#pauser === undefined) this.#giveUp(block, NO_LINE);
    else if (!this.#mayPause(now)) this.#giveUp(block, TOO_OFTEN);
    else this.#pauser.ask((result) => this.#answered(block, result));
  }

  /** Blocked still after a native call has returned: by what? */
  #askAgain(block: Block, now: number): void {
    if (block.askedAgain || !this.#mayPause(now)) return this.#locate(block);
    block.askedAgain = true;
    block.state = "asked";
    block.askedAt = now;
    this.#pauser?.ask((result) => this.#answered(block, result));
  }

  /** Named by its job, without a line. */
  #giveUp(block: Block, note: string): void {
    block.state = "located";
    block.note = note;
    this.#live.located(block, undefined, this.#lasting());
  }

  #answered(block: Block, result: PauseResult): void {
    if (result.at === "held") block.state = "held";
    // A pause that comes when the loop has gone on shows somebody else.
    else if (result.at === "stack" && this.#reader.seq === block.seq) {
      block.stack = result.stack;
      block.heardAt = result.heardAt;
      block.seenAt = performance.now();
      // After a native call the block is mostly over: whether it goes on is seen later.
      if (block.state === "asked") {
        if (this.#wasPrompt(block) && this.#blame(block) !== undefined) this.#locate(block);
        else block.state = "native";
      }
    } else if (block.state === "asked") block.state = "native";
    if (block.ended) this.#finish(block);
  }

  #wasPrompt({ heardAt, askedAt }: Block): boolean {
    return heardAt - askedAt <= PROMPT_MS;
  }

  #blame({ stack }: Block): Frame | undefined {
    return blame(stack, this.#settings.ownUrl);
  }

  #locate(block: Block): void {
    block.state = "located";
    this.#live.located(block, this.#blame(block), this.#lasting());
  }

  #wait(now: number): void {
    const block = this.#block;
    const { thresholdMs } = this.#settings;
    if (
      block?.state === "native" &&
      !block.ended &&
      block.stack.length > 0 &&
      now - block.seenAt > thresholdMs
    ) {
      this.#askAgain(block, now);
    }
    if (block?.state === "asked" && !block.ended && now - block.askedAt > ANSWER_MS) {
      block.state = "native";
      this.#live.native(block, this.#detector.still(now));
    }
    const full = this.#settings.sampleMs * MAX_SAMPLES;
    if (block === undefined && full > 0 && now - this.#profileSince > full) this.#renewProfile();
  }

  #end(blockedMs: number): void {
    const block = this.#block;
    if (block === undefined || block.ended) return;
    block.ended = true;
    block.blockedMs = blockedMs;
    if (this.#pauser?.asking) this.#pauser.cancel();
    else this.#finish(block);
  }

  #finish(block: Block): void {
    if (block.state === "held") this.#block = undefined;
    else if (block.note !== "" || this.#sampler === undefined) this.#conclude(block, [], undefined);
    else {
      // Not a moment earlier: what ran before would be blamed for a thread that had no processor.
      const span = spanUs(block.blockedMs, 0);
      const now = performance.now();
      // Our own question kept the thread where V8 took it up, which need not be where it was blocked.
      const without =
        block.seenAt === 0 ? undefined : spanUs(now - block.heardAt, now - block.seenAt, span.toUs);
      this.#profileSince = now;
      this.#sampler.take((profile) => {
        const sampled = profile && sampledStack(profile, span, without);
        const { ownUrl } = this.#settings;
        const promptly = block.state === "located" && this.#wasPrompt(block);
        if (sampled === undefined && !promptly) block.note = NO_SAMPLE;
        const { stack, position } = placeOf(sampled, block.stack, promptly, ownUrl);
        this.#conclude(block, stack, position);
      });
    }
  }

  #conclude(block: Block, stack: readonly Frame[], frame: Frame | undefined): void {
    this.#block = undefined;
    const position = frame && reported(frame);
    if (isNobody(block, position)) return;
    const { running, blockedMs, note } = block;
    const tally = this.#offenders.count(running, position, blockedMs);
    const native = block.state === "native";
    this.#report({ running, blockedMs, position, stack: stack.map(reported), native, ...tally, note });
  }

  #lasting(): number {
    return this.#detector.still(performance.now());
  }

  #mayPause(now: number): boolean {
    if (now - this.#refilledAt > 60_000) {
      this.#refilledAt = now;
      this.#pauses = PAUSES_PER_MINUTE;
    }
    return this.#pauses-- > 0;
  }

  #renewProfile(): void {
    this.#profileSince = performance.now();
    this.#sampler?.take(() => undefined);
  }
}

/** From `beganMs` ago to `endedMs` ago, in µs of the profile's clock. */
function spanUs(beganMs: number, endedMs: number, nowUs = Number(process.hrtime.bigint() / 1000n)): Span {
  return { fromUs: nowUs - beganMs * 1000, toUs: nowUs - endedMs * 1000 };
}

/** As a report has it. */
function reported({ functionName, url, line, column }: Frame): CodePosition {
  return { functionName, url, line, column };
}
