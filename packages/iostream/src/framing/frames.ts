// The messages of a stream, for people: `for await` to receive, `write` and `send` to answer.

import { checkSignal } from "@tw/util";
import { type Codec, encodeFrame } from "./codec.js";
import { FrameDecoder } from "./frame-decoder.js";
import { type FramedStream, FrameReader } from "./frame-reader.js";

/** Options of `stream.frames`. */
export interface FramesOptions {
  /**
   * Ends the iteration: whoever waits for a message rejects with `signal.reason`. The stream stays open, and no byte is
   * lost: what was not handed out as a message can still be read.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The messages of one stream in both directions; made by `stream.frames(codec)`.
 *
 * Iterating reads, and is the only reader meanwhile. It ends when the peer ended behind a frame, and throws
 * `IncompleteFrameError` when within one, `StreamClosedError` when the stream broke, `FrameTooLargeError` and
 * `MalformedFrameError` when the peer sent such a frame, each after the messages before. Then, and after `break`, the
 * stream is open, and what was not handed out as a message (the bad frame too) is what the next read begins with: answer,
 * and close it.
 *
 * Messages are the reader's own. With nobody asking for the next one, at most one view is read ahead and the peer waits.
 *
 * @example
 * const requests = stream.frames(jsonLines<Request>({ maxFrameSize: 65536 }));
 * for await (const request of requests) await requests.write({ id: request.id, ok: true });
 */
export class Frames<T, S = T> implements AsyncIterable<T> {
  readonly #stream: FramedStream;
  readonly #codec: Codec<T, S>;
  readonly #signal: AbortSignal | undefined;

  /** @internal */
  constructor(stream: FramedStream, codec: Codec<T, S>, options: FramesOptions = {}) {
    // Checks the limit: nothing is read without one.
    new FrameDecoder(codec);
    checkSignal(options.signal);
    this.#stream = stream;
    this.#codec = codec;
    this.#signal = options.signal;
  }

  /** @throws StreamBusyError while another read is pending or a receiver is attached */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return new FrameReader<T, T>(this.#stream, this.#codec, this.#signal, takeOne<T>);
  }

  /**
   * The same messages, several at a time where they have come together: a promise for each batch and not for each message.
   *
   * @example
   * for await (const batch of stream.frames(lines({ maxFrameSize: 1024 })).batches()) count += batch.length;
   */
  batches(): AsyncIterable<T[]> {
    return {
      [Symbol.asyncIterator]: () =>
        new FrameReader<T, T[]>(this.#stream, this.#codec, this.#signal, takeAll<T>),
    };
  }

  /**
   * Sends one message; resolves when it went to the kernel, as `stream.write` does, and rejects as that does.
   *
   * @throws TypeError, RangeError, FrameTooLargeError for a message that the codec cannot frame; nothing is sent
   */
  write(message: S): Promise<void> {
    return this.#stream.write(encodeFrame(this.#codec, message));
  }

  /** Sends one message without a promise, as `stream.send` does; throws what {@link write} throws. */
  send(message: S): boolean {
    return this.#stream.send(encodeFrame(this.#codec, message));
  }
}

function takeOne<T>(decoder: FrameDecoder<T>): IteratorYieldResult<T> | undefined {
  return decoder.next() ? { done: false, value: decoder.message } : undefined;
}

function takeAll<T>(decoder: FrameDecoder<T>): IteratorYieldResult<T[]> | undefined {
  const value = decoder.nextBatch();
  return value === undefined ? undefined : { done: false, value };
}
