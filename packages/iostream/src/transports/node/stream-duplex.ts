// A stream of ours as a Node Duplex, for what only Node streams can carry. Back-pressure reaches both ways.

import { Duplex } from "node:stream";
import type { CloseOptions } from "../../options.js";
import type { StreamReceiver } from "../../receiver.js";

/** What of an IOStream is needed to carry. */
export interface CarryingStream {
  attach(receiver: StreamReceiver): void;
  pause(): void;
  resume(): void;
  write(chunk: Uint8Array): Promise<void>;
  end(): void;
  close(options: CloseOptions): Promise<void>;
  abort(reason?: unknown): void;
}

/** Takes `stream` over: attached to it, and the one who writes to it. */
export class StreamDuplex extends Duplex implements StreamReceiver {
  readonly #stream: CarryingStream;

  constructor(stream: CarryingStream) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    stream.attach(this);
  }

  onBytes(view: Uint8Array): void {
    if (!this.push(new Uint8Array(view))) this.#stream.pause();
  }

  onEnd(): void {
    this.push(null);
  }

  onDrain(): void {}

  onClose(error?: unknown): void {
    this.destroy(error as Error | undefined);
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#stream.write(chunk).then(() => done(), done);
  }

  override _final(done: () => void): void {
    this.#stream.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // What was written still leaves, as it does from a socket of Node's (TLS says goodbye so), but nobody waits for the peer.
    if (error === null) void this.#stream.close({ graceMs: 0 });
    else this.#stream.abort(error);
    done(error);
  }
}
