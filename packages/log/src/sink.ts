// Where lines go, and what becomes of those that cannot go there: they are counted, and the next line that can says so.
// A log is no reason to end a process, to block it without end, or to fill its memory.

/** Where lines go: `process.stderr`, a file stream, an array in a test. */
export interface LogStream {
  /** Takes one record, its line feed included. Whatever it throws is dropped: logging never breaks who logs. */
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Bytes that were written and have not left; a `Writable` of Node has it. */
  readonly writableLength?: number;
  /** A stream that has events has its errors heard: an `EPIPE` nobody listens to would end the process. */
  on?(event: "error", listener: (error: Error) => void): unknown;
}

/** Bytes that a stream may hold unsent; while it holds more, records are dropped and counted. */
export const MAX_WAITING = 1_048_576;

/** One stream; all loggers that write to it share it. */
export class Sink {
  readonly #stream: LogStream;
  #dropped = 0;
  #writing = false;

  constructor(stream: LogStream) {
    this.#stream = stream;
    try {
      stream.on?.("error", ignore);
    } catch {
      // Then it is one without events.
    }
  }

  /** Writes a line, behind one made by `notice` when lines were dropped before it. Never throws. */
  write(line: string, notice: (dropped: number) => string): void {
    if (this.#dropped > 0 && this.#room()) {
      const dropped = this.#dropped;
      if (this.#put(notice(dropped))) this.#dropped -= dropped;
    }
    if (!this.#room() || !this.#put(line)) this.#dropped++;
  }

  #room(): boolean {
    return !this.#writing && (this.#stream.writableLength ?? 0) <= MAX_WAITING;
  }

  #put(text: string): boolean {
    // A stream that logs while it writes would otherwise do so for ever.
    this.#writing = true;
    try {
      this.#stream.write(text);
      return true;
    } catch {
      return false;
    } finally {
      this.#writing = false;
    }
  }
}

const sinks = new WeakMap<LogStream, Sink>();

/** The sink of a stream. */
export function sinkOf(stream: LogStream): Sink {
  let sink = sinks.get(stream);
  if (sink === undefined) {
    sink = new Sink(stream);
    sinks.set(stream, sink);
  }
  return sink;
}

function ignore(): void {}
