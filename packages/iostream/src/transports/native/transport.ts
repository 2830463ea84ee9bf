// A transport over a non-blocking descriptor: a TCP or Unix socket, a pipe. What it consists of is told in descriptor.ts.

import type { Host } from "@tw/poller";
import { inNextTurn } from "../../next-turn.js";
import type { Transport, TransportInfo, TransportReceiver } from "../../transport.js";
import { keepAliveSeconds } from "../keep-alive.js";
import { lostBytes } from "../slab.js";
import { type DescriptorKind, PAUSED, UNWATCHED } from "./descriptor.js";
import type { NativeEngine } from "./engine.js";
import { systemError } from "./errno.js";
import { NativeInfo } from "./info.js";
import { DescriptorReader } from "./reading.js";

/**
 * A {@link Transport} on a descriptor, driven by `@tw/poller`.
 *
 * The descriptor belongs to the transport from the constructor on and is closed by it. It must be non-blocking and
 * connected (an unconnected TCP socket reports a hang-up at once).
 */
export class NativeTransport extends DescriptorReader implements Transport {
  private readonly remoteHost: Host;
  private readonly remotePort: number;

  constructor(engine: NativeEngine, fd: number, kind: DescriptorKind, remoteHost: Host = "", remotePort = 0) {
    super(engine, fd, kind);
    this.remoteHost = remoteHost;
    this.remotePort = remotePort;
  }

  get info(): TransportInfo {
    this.facts ??= new NativeInfo(this.engine.poller, this.fd, this.remoteHost, this.remotePort);
    if (this.closed) this.facts.close();
    return this.facts;
  }

  start(receiver: TransportReceiver): void {
    this.receiver = receiver;
    if (this.closed) return this.tellClosed();
    if (this.handle !== UNWATCHED) return;
    const handle = this.engine.poller.watch(this.fd, this.interest(), this, { edge: true });
    if (handle < 0) throw systemError(this.engine.poller, handle, "watch");
    this.handle = handle;
    this.allowReadAhead();
    if (this.fdKind === "sink") inNextTurn(this.engine.loop, () => this.runInAsyncScope(this.tellSink, this));
  }

  /** Nothing can be read of a sink: it has ended before it began. */
  private tellSink(): void {
    if (!this.closed) this.guard(() => (this.receiver as TransportReceiver).onEnd());
  }

  pause(): void {
    this.held |= PAUSED;
    this.allowReadAhead();
  }

  resume(): void {
    if ((this.held & PAUSED) === 0) return;
    this.held &= ~PAUSED;
    this.allowReadAhead();
    if (this.hints !== 0 && !this.closed) this.engine.poller.wake(this.handle);
  }

  setRef(ref: boolean): void {
    if (!this.closed && this.handle !== UNWATCHED) this.engine.poller.setRef(this.handle, ref);
  }

  setNodelay(on: boolean): void {
    if (!this.closed && this.fdKind === "tcp") this.engine.poller.setsockopt(this.fd, "noDelay", on ? 1 : 0);
  }

  setKeepAlive(idleMs: number): void {
    if (!this.closed && this.fdKind === "tcp")
      this.engine.poller.setsockopt(this.fd, "keepAlive", keepAliveSeconds(idleMs));
  }

  release(): { readonly fd: number; readonly unread: Uint8Array } {
    const { poller, ahead } = this.engine;
    const unread = this.unread ?? ahead?.reclaim(this.handle);
    if (unread === null) {
      const lost = lostBytes();
      this.abort(lost);
      throw lost;
    }
    this.unread = undefined;
    this.closed = true;
    this.abandonLease();
    if (this.handle !== UNWATCHED) poller.unwatch(this.handle);
    return { fd: this.fd, unread: unread ?? new Uint8Array(0) };
  }
}
