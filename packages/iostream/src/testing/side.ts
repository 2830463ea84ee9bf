// One examined end of a connection: a receiver that takes notes, and the transport behind a guard that notices calls
// which come when none may.

import { createHash } from "node:crypto";
import type { Transport, TransportReceiver } from "../transport.js";

/** What a test does when its end is called; each may be replaced. */
export interface Script {
  onBytes?(view: Uint8Array): void | Promise<void>;
  onEnd?(): void;
  onDrain?(): void;
  onClose?(error: unknown): void;
}

/** An end under examination. */
export class Side implements TransportReceiver {
  readonly transport: Transport;
  readonly script: Script = {};
  /** `bytes`, `end`, `drain`, `close`, in order; runs of the same are one entry. */
  readonly calls: string[] = [];
  /** Broken promises, each a sentence. */
  readonly violations: string[] = [];
  /** Everything received, copied. */
  received: Uint8Array[] = [];
  receivedBytes = 0;
  drains = 0;
  closes = 0;
  error: unknown = undefined;
  /** What `say` was given and the transport has not taken. */
  #unsaid: (Uint8Array | string)[] = [];
  #endAfter = false;
  #inside: string | undefined;
  #calling: string | undefined;
  #paused = false;
  #leases = 0;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** SHA-256 of everything received, in hexadecimal. */
  hash(): string {
    const hash = createHash("sha256");
    for (const part of this.received) hash.update(part);
    return hash.digest("hex");
  }

  get ended(): boolean {
    return this.calls.includes("end");
  }

  get closed(): boolean {
    return this.closes > 0;
  }

  /** Whether the transport has taken all that `say` was given. */
  get said(): boolean {
    return this.#unsaid.length === 0;
  }

  get text(): string {
    return this.received.map((part) => String.fromCharCode(...part)).join("");
  }

  // What a test does to the transport.

  start(): this {
    this.#during("start", () => this.transport.start(this));
    return this;
  }

  write(...chunks: (Uint8Array | string)[]): number {
    return this.#during("write", () => this.transport.write(chunks));
  }

  /** Asks the transport, which must have a `sendFile`. */
  sendFile(fd: number, offset: number, length: number): number {
    return this.#during("sendFile", () =>
      (this.transport as Required<Transport>).sendFile(fd, offset, length),
    );
  }

  /** Asks the transport, which must have a `writePage`. */
  writePage(count: number): number {
    return this.#during("writePage", () => (this.transport as Required<Transport>).writePage(count));
  }

  /** Writes all of this: what is not taken now is offered again after `onDrain`, and `end` waits for it. */
  say(...chunks: (Uint8Array | string)[]): void {
    const blocked = !this.said;
    this.#unsaid.push(...chunks);
    if (!blocked) this.#offer();
  }

  end(): void {
    if (this.said) this.#during("end", () => this.transport.end());
    else this.#endAfter = true;
  }

  #offer(): void {
    let taken = this.write(...this.#unsaid);
    while (this.#unsaid.length > 0) {
      const first = this.#unsaid[0] as Uint8Array | string;
      if (taken < first.length) {
        this.#unsaid[0] = typeof first === "string" ? first.slice(taken) : first.subarray(taken);
        return;
      }
      taken -= first.length;
      this.#unsaid.shift();
    }
  }

  abort(reason?: unknown): void {
    this.#during("abort", () => this.transport.abort(reason));
  }

  pause(): void {
    this.#during("pause", () => this.transport.pause());
    this.#paused = true;
  }

  resume(): void {
    this.#during("resume", () => this.transport.resume());
    this.#paused = false;
  }

  // What the transport does to the test.

  onBytes(view: Uint8Array): void | Promise<void> {
    return this.#called("bytes", () => {
      if (view.length === 0) this.violations.push("onBytes without bytes");
      this.#mayRead("onBytes");
      if (this.ended) this.violations.push("onBytes after onEnd");
      this.received.push(view.slice());
      this.receivedBytes += view.length;
      const lease = this.script.onBytes?.(view);
      if (lease === undefined) return undefined;
      this.#leases++;
      const over = (): void => {
        this.#leases--;
      };
      lease.then(over, over);
      return lease;
    });
  }

  onEnd(): void {
    this.#called("end", () => {
      if (this.ended) this.violations.push("onEnd twice");
      this.#mayRead("onEnd");
      this.calls.push("end");
      this.script.onEnd?.();
    });
  }

  onDrain(): void {
    this.#called("drain", () => {
      this.drains++;
      if (!this.said) this.#offer();
      if (this.said && this.#endAfter) this.end();
      this.script.onDrain?.();
    });
  }

  onClose(error?: unknown): void {
    this.#called("close", () => {
      this.closes++;
      this.error = error;
      this.script.onClose?.(error);
    });
  }

  #mayRead(call: string): void {
    if (this.#paused) this.violations.push(`${call} while paused`);
    if (this.#leases > 0) this.violations.push(`${call} while a view is leased`);
  }

  #called<T>(call: string, then: () => T): T {
    if (this.#inside !== undefined) this.violations.push(`${call} inside ${this.#inside}`);
    if (this.#calling !== undefined) this.violations.push(`${call} during ${this.#calling}()`);
    if (this.closes > 0) this.violations.push(`${call} after close`);
    if (call !== "end" && this.calls.at(-1) !== call) this.calls.push(call);
    this.#inside = call;
    try {
      return then();
    } finally {
      this.#inside = undefined;
    }
  }

  #during<T>(call: string, then: () => T): T {
    const outer = this.#calling;
    this.#calling = call;
    try {
      return then();
    } finally {
      this.#calling = outer;
    }
  }
}
