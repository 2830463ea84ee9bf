// The line that is said while the loop is still blocked, when nothing else in the process can speak.

import { writeSync } from "node:fs";
import { type Block, isNobody } from "./block.js";
import { Offenders } from "./offenders.js";
import { type CodePosition, describePosition, describeRunning, worthSaying } from "./report.js";

/** Says it of the first of its kind, the tenth, the hundredth …, on a descriptor, or nowhere. */
export class LiveLine {
  readonly #fd: number | false;
  /** By the place that the line names, which need not be the one of the report. */
  readonly #located = new Offenders();
  readonly #native = new Offenders();

  constructor(fd: number | false) {
    this.#fd = fd;
  }

  /** It is known where, as far as it will be while the block lasts: `position`, or the block's note. */
  located(block: Block, position: CodePosition | undefined, sinceMs: number): void {
    const { running } = block;
    if (isNobody(block, position)) return;
    if (!worthSaying(this.#located.count(running, position).count)) return;
    const note = block.note && `. ${block.note}`;
    const where = position ? `, in ${describePosition(position)}` : note || ", in code of Node itself";
    this.#write(block, where, sinceMs);
  }

  /** It does not answer as JavaScript does. */
  native(block: Block, sinceMs: number): void {
    const { running } = block;
    const { count } = this.#native.count(running, undefined);
    // Outside the loop's jobs there would be no name in the line.
    if (running.kind === "outside" || !worthSaying(count)) return;
    this.#write(block, ", in a native call, whose line is named when it returns", sinceMs);
  }

  #write({ running }: Block, where: string, sinceMs: number): void {
    if (this.#fd === false) return;
    const line = `[tw.watchdog] Blocked for ${Math.round(sinceMs)} ms and still is: ${describeRunning(running)}${where}\n`;
    try {
      writeSync(this.#fd, line);
    } catch {
      // A closed or full descriptor: the report follows when the loop is free.
    }
  }
}
