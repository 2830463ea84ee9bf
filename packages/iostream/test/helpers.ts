// What the stream tests share: a loop with a clock of its own, a receiver that takes notes, a scripted transport.
import type { IOLoop } from "@tw/ioloop";
import type { Transport, TransportInfo, TransportReceiver } from "../src/index.js";
import type { StreamReceiver } from "../src/receiver.js";

interface Task {
  readonly at: number;
  readonly run: () => void;
}

/** The part of a loop that streams use, in virtual time: `settle` runs callbacks and jumps over timers up to `untilMs`. */
export class TestLoop {
  now = 0;
  readonly logged: unknown[] = [];
  readonly logger = {
    debug: (): void => {},
    info: (): void => {},
    warn: (): void => {},
    error: (fields: unknown): void => void this.logged.push((fields as { err: unknown }).err),
  };
  #callbacks: (() => void)[] = [];
  readonly #timers = new Set<Task>();

  time(): number {
    return this.now;
  }

  addCallback(run: () => void): void {
    this.#callbacks.push(run);
  }

  callLater(delayMs: number, run: () => void): Task {
    const task = { at: this.now + delayMs, run };
    this.#timers.add(task);
    return task;
  }

  removeTimeout(task: Task): void {
    this.#timers.delete(task);
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Runs everything that is due within the next `forMs`. */
  async settle(forMs = 0): Promise<void> {
    const until = this.now + forMs;
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const callback = this.#callbacks.shift();
      if (callback !== undefined) {
        callback();
        continue;
      }
      const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) break;
      this.#timers.delete(next);
      this.now = next.at;
      next.run();
    }
    this.now = until;
  }
}

export function testLoop(): TestLoop & IOLoop {
  return new TestLoop() as unknown as TestLoop & IOLoop;
}

/** Notes every call as text: `bytes abc`, `end`, `drain`, `close`, `close <code or message>`. */
export class Notes implements StreamReceiver {
  readonly calls: string[] = [];

  onBytes(view: Uint8Array): void | Promise<void> {
    this.calls.push(`bytes ${text(view)}`);
  }

  onEnd(): void {
    this.calls.push("end");
  }

  onDrain(): void {
    this.calls.push("drain");
  }

  onClose(error?: unknown): void {
    const known = error as { code?: string; message?: string } | undefined;
    this.calls.push(error === undefined ? "close" : `close ${known?.code ?? known?.message}`);
  }
}

/** A transport whose every move is the test's: what was written, in which calls, how much it takes. */
export class ScriptedTransport implements Transport {
  receiver!: TransportReceiver;
  readonly calls: string[] = [];
  /** Bytes that the "kernel" still takes. */
  room = Number.POSITIVE_INFINITY;
  readonly info: TransportInfo = {
    engine: "memory",
    remoteAddress: "192.0.2.1",
    remotePort: 7,
    localAddress: "",
    localPort: 0,
    encrypted: false,
  };

  start(receiver: TransportReceiver): void {
    this.receiver = receiver;
  }

  pause(): void {
    this.calls.push("pause");
  }

  resume(): void {
    this.calls.push("resume");
  }

  write(chunks: readonly (Uint8Array | string)[]): number {
    const all = chunks.map((chunk) => (typeof chunk === "string" ? chunk : text(chunk))).join("|");
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    const taken = Math.min(length, this.room);
    this.room -= taken;
    this.calls.push(
      all.length > 60
        ? `write ${length} took ${taken}`
        : `write ${all}${taken < length ? ` took ${taken}` : ""}`,
    );
    return taken;
  }

  end(): void {
    this.calls.push("end");
  }

  abort(reason?: unknown): void {
    this.calls.push(reason === undefined ? "abort" : `abort ${(reason as Error).message}`);
  }

  setRef(ref: boolean): void {
    this.calls.push(`ref ${ref}`);
  }
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

export function bytes(of: string): Uint8Array {
  return new Uint8Array(Buffer.from(of, "latin1"));
}

/** After the ticks and microtasks that are due now. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
