// A stream each byte of which tells whose it is and where it belongs, so that all that a model needs is a count.
import { expect } from "vitest";
import type { IOStream, StreamReceiver } from "../src/index.js";
import { text } from "./helpers.js";

/** Bytes of a file that {@link PatternSender.file} sends pieces of. */
export const FILE_SIZE: number = 512 * 1024;

/** The bytes of `who` from `from` on; they repeat neither with a chunk nor with a page. */
export function patternOf(who: number, from: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const at = from + i;
    bytes[i] = who * 53 + at * 131 + (at >>> 8) * 7;
  }
  return bytes;
}

/** One end sends the pattern in pieces of all kinds, the other one compares. */
export class PatternSender implements StreamReceiver {
  readonly stream: IOStream;
  readonly peer: IOStream;
  readonly #who: number;
  readonly #fd: number;
  /** Bytes that the stream has accepted, and that have come. */
  sent = 0;
  got = 0;
  /** Where something else came than was sent. */
  wrong: string | undefined;
  /** It has been told to wait, and not yet to go on. */
  drainDue = false;
  /** How many of its pieces went to the page. */
  paged = 0;
  /** Runs whenever the stream is given something. */
  onPoke: () => void = () => {};

  /** @param fd a file that holds the first {@link FILE_SIZE} bytes of the pattern of `who` */
  constructor(who: number, [stream, peer]: readonly [IOStream, IOStream], fd: number) {
    this.#who = who;
    this.#fd = fd;
    this.stream = stream;
    this.peer = peer;
    stream.attach(this);
    peer.attach({
      onBytes: (view) => this.#compare(view),
      onEnd: () => peer.end(),
      onDrain() {},
      onClose() {},
    });
  }

  /** The next bytes, in whichever way they are going to be sent. */
  #next(count: number): Uint8Array {
    return patternOf(this.#who, this.sent, count);
  }

  /** Copies of two pieces; sent otherwise where that is not to be had. */
  copies(first: number, second: number): void {
    const bytes = this.#next(first + second);
    const head = bytes.slice(0, first);
    const sent = this.stream.sendCopies(head, text(bytes.subarray(first)));
    head.fill(0); // they were copied
    if (!sent) return this.#send(bytes);
    this.sent += bytes.length;
    this.paged++;
  }

  send(count: number, asText: boolean): void {
    const bytes = this.#next(count);
    this.#send(asText ? text(bytes) : bytes);
  }

  #send(chunk: Uint8Array | string): void {
    if (this.stream.closed) return;
    try {
      const ready = this.stream.send(chunk);
      this.sent += chunk.length;
      if (!ready) this.drainDue = true;
    } catch (error) {
      expect(error).toMatchObject({ code: "ERR_TW_STREAM_BUFFER_FULL" });
    }
  }

  /** Resolves when they have gone, or cannot go. */
  write(count: number): Promise<void> {
    const bytes = this.#next(count);
    const before = this.stream.bufferedAmount;
    const written = this.stream.write(bytes);
    if (!this.stream.closed && (count === 0 || this.stream.bufferedAmount > before)) this.sent += count;
    return written.catch((error) => expect(error.code).toMatch(/CLOSED|FULL/));
  }

  /** Resolves when they have gone, or cannot go. */
  async file(count: number): Promise<void> {
    if (this.stream.closed || this.sent + count > FILE_SIZE) return;
    const range = { fd: this.#fd, offset: this.sent, length: count };
    this.sent += count;
    this.drainDue = true;
    await this.stream.sendFile(range).catch((error) => expect(error.code).toMatch(/CLOSED/));
  }

  /** What is left over comes again, now. */
  takeOverFromItself(): void {
    this.stream.detach(new Uint8Array(1));
    this.stream.attach(this);
  }

  #compare(view: Uint8Array): void {
    const expected = patternOf(this.#who, this.got, view.length);
    const at = view.findIndex((byte, i) => byte !== expected[i]);
    if (at !== -1) this.wrong ??= `${view[at]} in place of ${expected[at]} at ${this.got + at}`;
    this.got += view.length;
  }

  onBytes(): void {
    this.onPoke();
  }

  onEnd(): void {
    this.stream.end();
  }

  onDrain(): void {
    this.drainDue = false;
    this.onPoke();
  }

  onClose(): void {}
}
