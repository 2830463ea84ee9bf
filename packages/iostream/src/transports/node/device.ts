// A character device as a Node stream. libuv does not wait for devices, so threads read and write them. A write is done
// when the kernel has taken it, whatever it says: the streams of node:fs, put together to one, acknowledge into a buffer.

import { close, read, write } from "node:fs";
import { Duplex, type DuplexOptions } from "node:stream";

/** Bytes asked for at a time. */
const READ_SIZE = 64 * 1024;

/** What is called when a system call is over. */
type Done = (error?: Error | null) => void;

/** A stream over `fd`, which is closed with it. */
export class DeviceStream extends Duplex {
  readonly #fd: number;
  /** Threads that use the descriptor: its number may name another file once it is closed. */
  #calls = 0;
  #whenUnused: (() => void) | undefined;

  constructor(fd: number, readable: boolean, writable: boolean) {
    super({ readable, writable, readableHighWaterMark: READ_SIZE } as DuplexOptions);
    this.#fd = fd;
  }

  override _read(): void {
    const buffer = Buffer.allocUnsafe(READ_SIZE);
    this.#calls++;
    read(this.#fd, buffer, 0, READ_SIZE, null, (error, count) => {
      this.#returned();
      if (error !== null) this.destroy(error);
      else this.push(count === 0 ? null : buffer.subarray(0, count));
    });
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    this.#calls++;
    write(this.#fd, chunk, 0, chunk.length, null, (error, count) => {
      this.#returned();
      if (error !== null) done(error);
      else if (count === chunk.length || this.destroyed) done();
      else this._write(chunk.subarray(count), "buffer", done);
    });
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#whenUnused = () => close(this.#fd, (failed) => done(error ?? failed));
    if (this.#calls === 0) this.#whenUnused();
  }

  #returned(): void {
    this.#calls--;
    if (this.#calls === 0) this.#whenUnused?.();
  }
}
