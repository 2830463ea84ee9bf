// One iteration over the frames of a stream: a receiver that somebody asks for the next message.
//
// While somebody waits, the stream flows, and a message is taken straight from the view. What is left of the view is
// kept, and with nobody waiting the stream is paused: the peer sees back-pressure.

import { Deferred, offAbort, onAbort, rejected } from "@tw/util";
import { StreamBusyError, StreamClosedError } from "../errors.js";
import type { StreamReceiver } from "../receiver.js";
import type { Codec } from "./codec.js";
import { FrameDecoder } from "./frame-decoder.js";

/** What is asked of a stream that carries frames. */
export interface FramedStream {
  readonly closed: boolean;
  readonly error: unknown;
  claim(receiver: StreamReceiver): void;
  detach(leftover?: Uint8Array): void;
  pause(): void;
  resume(): void;
  write(chunk: Uint8Array): Promise<void>;
  send(chunk: Uint8Array): boolean;
}

/** Where the bytes come from: they may still come, the peer ended, the stream is gone, or the iteration is over. */
type Source = "open" | "ended" | "gone" | "left";

/** Takes what one step of the iteration yields, or `undefined` when that needs more bytes. */
type Take<T, R> = (decoder: FrameDecoder<T>) => IteratorYieldResult<R> | undefined;

/** @internal Yields what `take` takes. */
export class FrameReader<T, R> implements AsyncIterator<R, undefined>, StreamReceiver {
  readonly #stream: FramedStream;
  readonly #decoder: FrameDecoder<T>;
  readonly #take: Take<T, R>;
  readonly #signal: AbortSignal | undefined;
  readonly #aborted = (): void => this.#fail(this.#signal?.reason);
  #source: Source = "open";
  #error: unknown;
  #paused = false;
  #waiting: Deferred<IteratorResult<R, undefined>> | undefined;

  constructor(
    stream: FramedStream,
    codec: Codec<T, never>,
    signal: AbortSignal | undefined,
    take: Take<T, R>,
  ) {
    this.#stream = stream;
    this.#decoder = new FrameDecoder(codec);
    this.#take = take;
    this.#signal = signal;
    stream.claim(this);
    if (signal !== undefined) onAbort(signal, this.#aborted);
  }

  next(): Promise<IteratorResult<R, undefined>> {
    if (this.#waiting !== undefined) return rejected(new StreamBusyError("Another message is waited for"));
    if (this.#source === "left") return Promise.resolve(DONE);
    if (this.#signal?.aborted) return this.#refuse(this.#signal.reason);
    try {
      const result = this.#take(this.#decoder);
      if (result !== undefined) return Promise.resolve(result);
      if (this.#source === "ended") {
        this.#decoder.end();
        this.#leave();
        return Promise.resolve(DONE);
      }
    } catch (error) {
      return this.#refuse(error);
    }
    if (this.#source === "gone" || this.#stream.closed)
      return this.#refuse(
        new StreamClosedError("Cannot read the next frame, the stream is closed", this.#error),
      );
    this.#waiting = new Deferred();
    if (this.#paused) {
      this.#paused = false;
      this.#stream.resume();
    }
    return this.#waiting.promise;
  }

  /** `break` leaves the stream as it is behind the last message. */
  return(): Promise<IteratorResult<R, undefined>> {
    this.#leave();
    this.#settle()?.resolve(DONE);
    return Promise.resolve(DONE);
  }

  onBytes(view: Uint8Array): void {
    const decoder = this.#decoder;
    decoder.push(view);
    if (this.#waiting !== undefined) {
      try {
        const result = this.#take(decoder);
        if (result !== undefined) this.#settle()?.resolve(result);
      } catch (error) {
        this.#fail(error);
        return;
      }
    }
    decoder.keep();
    if (this.#waiting === undefined && decoder.length > 0) {
      this.#paused = true;
      this.#stream.pause();
    }
  }

  onEnd(): void {
    this.#source = "ended";
    this.#again();
  }

  onDrain(): void {}

  onClose(error?: unknown, unread?: Uint8Array): void {
    if (unread !== undefined) {
      this.#decoder.push(unread);
      this.#decoder.keep();
    }
    if (this.#source === "open") this.#source = "gone";
    this.#error = error;
    this.#again();
  }

  /** Nothing more will come: who waits learns it as if it asked now. It may be gone by the time the stream breaks. */
  #again(): void {
    const waiting = this.#settle();
    if (waiting === undefined) return;
    waiting.promise.catch(ignore);
    waiting.resolve(this.next());
  }

  #settle(): Deferred<IteratorResult<R, undefined>> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  #fail(error: unknown): void {
    const waiting = this.#settle();
    if (waiting === undefined) return;
    this.#leave();
    waiting.promise.catch(ignore);
    waiting.reject(error);
  }

  #refuse(error: unknown): Promise<never> {
    this.#leave();
    return rejected(error);
  }

  #leave(): void {
    if (this.#source === "left") return;
    this.#source = "left";
    if (this.#signal !== undefined) offAbort(this.#signal, this.#aborted);
    this.#stream.detach(this.#decoder.unread);
  }
}

const DONE: IteratorResult<never, undefined> = { done: true, value: undefined };

function ignore(): void {}
