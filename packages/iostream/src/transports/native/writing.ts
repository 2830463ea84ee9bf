// Writing to a descriptor: what the kernel takes now, and the word when there is room again.

import { HANGUP, READ, WRITE } from "@tw/poller";
import { READ_FILE, type TransportPage, type TransportReceiver } from "../../transport.js";
import { ENDED, OwnedDescriptor } from "./descriptor.js";
import { interrupted, lostPeer, systemError, wouldBlock } from "./errno.js";

/** Bytes of a file that the kernel is asked for at a time, and to send at a time. */
const FILE_SIZE = 256 * 1024;

/** The writing half of `Transport`. */
export abstract class DescriptorWriter extends OwnedDescriptor {
  get sendsViews(): boolean {
    return true;
  }

  write(chunks: readonly (Uint8Array | string)[], more?: boolean): number {
    if (this.sending !== "open" || this.closed || this.broken !== undefined) return 0;
    const { poller } = this.engine;
    let left = 0;
    for (const chunk of chunks) left += chunk.length;
    const total = left;
    let rest = chunks;
    let skip = 0;
    while (left > 0) {
      const count = poller.writev(this.fd, rest, skip, more);
      if (count >= 0) {
        left -= count;
        if (left === 0) break;
        // The kernel took a part: only EAGAIN promises an edge when there is room again.
        skip += count;
        let whole = 0;
        while (skip >= (rest[whole] as Uint8Array | string).length)
          skip -= (rest[whole++] as Uint8Array | string).length;
        if (whole > 0) rest = rest.slice(whole);
      } else if (!this.mayRepeat(count)) break;
    }
    return total - left;
  }

  get page(): TransportPage {
    return this.engine.poller.page;
  }

  writePage(count: number): number {
    if (this.sending !== "open" || this.closed || this.broken !== undefined) return 0;
    const { poller } = this.engine;
    let sent = 0;
    while (sent < count) {
      const result = poller.writePage(this.fd, sent, count);
      if (result >= 0) sent += result;
      else if (!this.mayRepeat(result)) break;
    }
    return sent;
  }

  /** The kernel took nothing of a write: whether that is asked again at once. */
  private mayRepeat(errno: number): boolean {
    if (interrupted(errno)) return true;
    if (wouldBlock(errno)) this.block();
    else this.breakOff(systemError(this.engine.poller, errno, "write"));
    return false;
  }

  sendFile(file: number, offset: number, length: number): number {
    if (this.sending !== "open" || this.closed || this.broken !== undefined) return 0;
    const { poller } = this.engine;
    const wanted = Math.min(length, FILE_SIZE);
    if (poller.cached(file, offset, wanted) === 0) return READ_FILE;
    let sent = 0;
    while (sent < wanted) {
      const count = poller.sendfile(this.fd, file, offset + sent, wanted - sent);
      if (count > 0) sent += count;
      else if (wouldBlock(count)) {
        this.block();
        return sent;
      } else if (lostPeer(count)) {
        this.breakOff(systemError(poller, count, "sendfile"));
        return sent;
      }
      // The file has ended, or is none. Whose fault it is shows when it is read and written.
      else if (!interrupted(count)) return sent === 0 ? READ_FILE : sent;
    }
    return sent;
  }

  end(): void {
    if (this.sending === "ended" || this.closed) return;
    this.sending = "ended";
    this.allowReadAhead();
    this.engine.poller.shutdown(this.fd);
    if ((this.held & ENDED) !== 0) this.close(this.broken);
  }

  private block(): void {
    this.sending = "blocked";
    this.allowReadAhead();
    if (this.fdKind !== "tcp") this.engine.poller.modify(this.handle, this.interest());
  }

  /** There is room again. */
  protected unblock(): void {
    this.sending = "open";
    this.allowReadAhead();
    if (this.fdKind !== "tcp") this.engine.poller.modify(this.handle, this.interest());
    this.guard(() => (this.receiver as TransportReceiver).onDrain());
  }

  /** TCP reports writability on an edge of its own; a Unix socket or pipe would wake us for each message its peer reads. */
  protected interest(): number {
    return this.fdKind === "tcp" || this.sending === "blocked" ? READ | WRITE : READ;
  }

  /** The peer takes no more. What it sent before is still delivered; then the transport closes with this error. */
  private breakOff(error: Error): void {
    this.broken = error;
    this.hints |= HANGUP;
    this.engine.poller.wake(this.handle);
  }
}
