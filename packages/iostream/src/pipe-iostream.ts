// A stream over a descriptor that is no socket: half of a pipe, a FIFO, a terminal, a character device.

import { IOLoop } from "@tw/ioloop";
import { IOStream } from "./iostream.js";
import { type CloseOptions, checkStreamOptions, type StreamOptions } from "./options.js";
import { isClosed } from "./stream/life.js";
import { pipeTransport } from "./transports/pipe.js";
import { type PipeAccess, pipeAccess } from "./transports/pipe-access.js";

/** Options of a {@link PipeIOStream}. */
export interface PipeOptions extends StreamOptions {
  /** What the descriptor was opened for. @default what the kernel says of it, where it says so (Linux), else "both" */
  readonly access?: PipeAccess;
  /** Which engine carries the bytes. @default `TW_ENGINE`, else native where the poller loads, else node */
  readonly engine?: "native" | "node";
}

/**
 * A stream over a pipe, a FIFO, a terminal or a character device (Tornado's `PipeIOStream`).
 *
 * The descriptor is the stream's from now on and closed with it. It becomes non-blocking, for everybody who shares it:
 * that a child inherited standard input from us, for one. A read end refuses writes, a write end has ended already for
 * whoever reads. There is no half-close: `end()` on a write end closes it, and `close()` waits for no end of the peer.
 * A write end learns that its reader is gone as `EPIPE`: at once on the native engine, with the next write on Node's.
 *
 * @throws TypeError when `fd` is no descriptor, or one of a regular file or a directory; RangeError on a size that is
 *   none; SystemError `EBADF`. The descriptor is as it was
 *
 * @example
 * const input = new PipeIOStream(0);
 * for (;;) console.log((await input.readUntil("\n", { maxBytes: 4096 })).length);
 */
export class PipeIOStream extends IOStream {
  constructor(fd: number, options: PipeOptions = {}) {
    // Before the descriptor is anybody else's.
    checkStreamOptions(options);
    const loop = options.loop ?? IOLoop.current();
    const access = options.access ?? pipeAccess(fd);
    super(pipeTransport(loop, fd, access, options.engine), { ...options, loop });
    // Nothing can be written, as after `end`.
    if (access === "read") for (const event of ["end", "flushed"] as const) this.move(event);
  }

  override close(options?: CloseOptions): Promise<void> {
    const closed = super.close(options);
    // Ours had ended before.
    if (this.life === "lingering") this.transport.abort();
    return closed;
  }

  /** The last byte is with the kernel: nobody sends an end in answer to ours. */
  protected override fin(): void {
    super.fin();
    if (isClosed(this.life)) this.transport.abort();
  }
}
