// The watchdog's own thread: looks at the counter, asks where the loop is stuck, says so, and reports when it is over.
//
//            counter still for thresholdMs          answer of the debugger
//   quiet ─────────────────────────────────► asked ───────────────────────► located ──┐ counter moves
//                                              │  no answer: a native call            ├──────────────► reported
//                                              └─────────────────────────► native ────┘

import { writeSync } from "node:fs";
import type { Session } from "node:inspector";
import { Detector } from "./detector.js";
import { type PauseResult, Pauser, Sampler } from "./inspector.js";
import type { ActivityReader } from "./memory.js";
import { Offenders } from "./offenders.js";
import {
  type BlockedReport,
  type CodePosition,
  describePosition,
  describeRunning,
  type RunningJob,
  worthSaying,
} from "./report.js";
import { blame, blameNative, sampledStack } from "./stack.js";

/** Stacks that may be asked for in a minute: each costs the loop some milliseconds. Further blocks are named by job. */
const PAUSES_PER_MINUTE = 20;

/** How long the debugger may take to answer before it is taken for a native call; on a busy machine it takes its time. */
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

interface Block {
  readonly running: RunningJob;
  readonly seq: number;
  readonly askedAt: number;
  stack: readonly CodePosition[];
  seenAt: number;
  state: "asked" | "located" | "native" | "held";
  ended: boolean;
  blockedMs: number;
  note: string;
}

const NO_LINE =
  "The line of a loop in a worker thread cannot be named: Node's inspector reaches the main thread only.";
const TOO_OFTEN = "Blocked too often for the stack to be taken each time.";

/** One loop under watch. `session` is connected to its thread, or `undefined` where that cannot be. */
export class Watcher {
  readonly #reader: ActivityReader;
  readonly #settings: WatcherSettings;
  readonly #report: (report: BlockedReport) => void;
  readonly #detector: Detector;
  readonly #pauser: Pauser | undefined;
  readonly #sampler: Sampler | undefined;
  readonly #offenders = new Offenders();
  readonly #nativeSaid = new Offenders();
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
    const block: Block = {
      running,
      seq,
      askedAt: now,
      stack: [],
      seenAt: 0,
      state: "asked",
      ended: false,
      blockedMs: 0,
      note: "",
    };
    this.#block = block;
    if (this.#pauser === undefined) this.#giveUp(block, NO_LINE);
    else if (!this.#mayPause(now)) this.#giveUp(block, TOO_OFTEN);
    else this.#pauser.ask((result) => this.#answered(block, result));
  }

  /** Named by its job, without a line. */
  #giveUp(block: Block, note: string): void {
    block.state = "located";
    block.note = note;
    this.#say(block, undefined, this.#lasting());
  }

  #answered(block: Block, result: PauseResult): void {
    if (result.at === "held") block.state = "held";
    // A pause that comes when the loop has gone on shows somebody else.
    else if (result.at === "stack" && this.#reader.seq === block.seq) {
      block.stack = result.stack;
      block.seenAt = performance.now();
      // After a native call the block is mostly over: whether it goes on is seen later.
      if (block.state === "asked") this.#locate(block);
    } else if (block.state === "asked") block.state = "native";
    if (block.ended) this.#finish(block);
  }

  #locate(block: Block): void {
    block.state = "located";
    this.#say(block, blame(block.stack, this.#settings.ownUrl), this.#lasting());
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
      this.#locate(block);
    }
    if (block?.state === "asked" && !block.ended && now - block.askedAt > ANSWER_MS) {
      block.state = "native";
      const said = this.#nativeSaid.tally(block.running, undefined);
      said.count++;
      // Outside the loop's jobs there would be no name in the line.
      if (block.running.kind !== "outside" && worthSaying(said.count))
        this.#write(block, "a native call, whose line is named when it returns", this.#detector.still(now));
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
    const endUs = Number(process.hrtime.bigint() / 1000n);
    if (block.state === "held") this.#block = undefined;
    else if (block.state === "located" || this.#sampler === undefined) {
      this.#conclude(block, block.stack, blame(block.stack, this.#settings.ownUrl));
    } else {
      const startUs = endUs - (block.blockedMs + this.#settings.thresholdMs / 2) * 1000;
      this.#profileSince = performance.now();
      this.#sampler.take((profile) => {
        const sampled = profile && sampledStack(profile, startUs, endUs);
        const { ownUrl } = this.#settings;
        if (sampled === undefined) {
          block.note = "No sample was taken of this native call: its place is where the stack was next seen.";
          this.#conclude(block, block.stack, blame(block.stack, ownUrl));
        } else this.#conclude(block, sampled, blameNative(sampled, block.stack, ownUrl));
      });
    }
  }

  #conclude(block: Block, stack: readonly CodePosition[], position: CodePosition | undefined): void {
    this.#block = undefined;
    if (isNobody(block, position)) return;
    const tally = this.#offenders.tally(block.running, position);
    tally.count++;
    tally.totalMs += block.blockedMs;
    const { running, blockedMs, note } = block;
    this.#report({ running, blockedMs, position, stack, native: block.state === "native", ...tally, note });
  }

  /** One line while the loop is blocked, for the first of its kind, the tenth, … */
  #say(block: Block, position: CodePosition | undefined, sinceMs: number): void {
    if (isNobody(block, position)) return;
    if (!worthSaying(this.#offenders.tally(block.running, position).count + 1)) return;
    this.#write(block, position ? describePosition(position) : block.note || "code of Node itself", sinceMs);
  }

  #write({ running }: Block, where: string, sinceMs: number): void {
    const { live } = this.#settings;
    if (live === false) return;
    const line = `[tw.watchdog] Blocked for ${Math.round(sinceMs)} ms and still is: ${describeRunning(running)}, in ${where}\n`;
    try {
      writeSync(live, line);
    } catch {
      // A closed or full descriptor: the report follows when the loop is free.
    }
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

/**
 * No job and no line of the user's: the thread had no CPU, or V8 and Node were busy with themselves. There is nobody to
 * blame, unless the stack could not be asked for.
 */
function isNobody({ running, note }: Block, position: CodePosition | undefined): boolean {
  return running.kind === "outside" && position === undefined && note !== NO_LINE && note !== TOO_OFTEN;
}
