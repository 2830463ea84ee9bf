// What the stream tests share: a loop with a clock of its own, a receiver that takes notes, a scripted transport.
import { type Callback, IOLoop, type Timeout } from "@tw/ioloop";
import { VirtualHost } from "@tw/ioloop/testing";
import { IOStream, type Transport, type TransportInfo, type TransportReceiver } from "../src/index.js";
import type { StreamReceiver } from "../src/receiver.js";
import { memoryPair } from "../src/transports.js";

/** A loop in virtual time that keeps what is logged. */
export class TestLoop extends IOLoop {
  readonly host: VirtualHost;
  readonly logged: unknown[];

  constructor(host: VirtualHost = new VirtualHost(), logged: unknown[] = []) {
    const note = (fields: unknown): void => void logged.push((fields as { err?: unknown }).err ?? fields);
    super({ host, logger: { debug: note, info: note, warn: note, error: note } });
    this.host = host;
    this.logged = logged;
  }

  /** Timers that have neither fired nor been removed. */
  readonly timers: Set<Timeout> = new Set();

  override callLater<A extends readonly unknown[]>(delayMs: number, fn: Callback<A>, ...args: A): Timeout {
    const timer = super.callLater(delayMs, () => {
      this.timers.delete(timer);
      return fn(...args);
    });
    this.timers.add(timer);
    return timer;
  }

  override removeTimeout(timer: Timeout): void {
    this.timers.delete(timer);
    super.removeTimeout(timer);
  }

  /** Runs everything that is due within the next `forMs`, continuations included. */
  settle(forMs = 0): Promise<void> {
    return this.host.advance(forMs);
  }
}

export function testLoop(): TestLoop {
  return new TestLoop();
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

/** A stream to read from and its peer, over memory. */
export function pair(options: Parameters<typeof memoryPair>[1] = {}, streamOptions = {}) {
  const loop = testLoop();
  const [near, far] = memoryPair(loop, options);
  return {
    loop,
    stream: new IOStream(near, { loop, ...streamOptions }),
    peer: new IOStream(far, { loop }),
    far,
  };
}

/** Awaits a read while the loop runs. */
export async function during<T>(
  loop: { settle(forMs?: number): Promise<void> },
  promise: Promise<T>,
): Promise<T> {
  promise.catch(() => {});
  await loop.settle();
  return promise;
}
