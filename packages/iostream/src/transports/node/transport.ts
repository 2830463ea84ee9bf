// A transport over a Node stream: `net.Socket`, `tls.TLSSocket`, any Duplex of bytes. Public API only, but for accept.ts and
// at-once.ts. What it consists of is told in duplex.ts.

import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { IOLoop } from "@tw/ioloop";
import { inNextTurn } from "../../next-turn.js";
import type { Transport, TransportInfo, TransportReceiver } from "../../transport.js";
import { keepAliveSeconds } from "../keep-alive.js";
import { BUSY } from "./duplex.js";
import { nodeInfo } from "./info.js";
import { listenToData, listenToEnd, unlisten } from "./listeners.js";
import { Outlet } from "./outlet.js";
import { probesOf } from "./probes.js";
import { DuplexReader } from "./reading.js";

/**
 * Makes a {@link Transport} of a connected Node stream, which belongs to the transport from then on. Nothing else may
 * read from it, write to it or give it an encoding.
 *
 * For half-close over TCP the stream must not end itself: its `allowHalfOpen` is set.
 *
 * @throws TypeError for a stream of objects or of text
 */
export function nodeTransport(loop: IOLoop, duplex: Duplex): NodeTransport {
  return new NodeTransport(loop, duplex);
}

/** See {@link nodeTransport}. */
export class NodeTransport extends DuplexReader implements Transport {
  private outlet: Outlet | undefined = undefined;
  private facts: TransportInfo | undefined = undefined;

  /** @internal Use {@link nodeTransport}. */
  constructor(loop: IOLoop, duplex: Duplex) {
    super(loop, duplex);
    listenToEnd(duplex, this);
    if (duplex.closed) this.streamClosed();
  }

  get info(): TransportInfo {
    this.facts ??= nodeInfo(this.duplex);
    return this.facts;
  }

  start(receiver: TransportReceiver): void {
    const again = this.receiver !== undefined;
    this.receiver = receiver;
    if (again) return;
    const { duplex } = this;
    listenToData(duplex);
    if (duplex.readableEnded && !this.wasReset) this.incoming = "ended";
    if (this.closed || this.incoming === "ended") this.later();
    if (this.held === 0) duplex.resume();
  }

  write(chunks: readonly (Uint8Array | string)[]): number {
    if (this.ended || this.fate !== undefined) return 0;
    this.outlet ??= new Outlet(this.loop, this.duplex, () => this.drained());
    const outer = this.held & BUSY;
    this.held |= BUSY;
    const taken = this.outlet.offer(chunks);
    if (outer === 0) this.idle();
    return taken;
  }

  private drained(): void {
    if (this.fate !== undefined || this.ended) return;
    if ((this.held & BUSY) !== 0) inNextTurn(this.loop, () => this.drained());
    else this.call("onDrain");
  }

  end(): void {
    if (this.ended || this.fate !== undefined) return;
    this.ended = true;
    const outer = this.held & BUSY;
    this.held |= BUSY;
    this.duplex.end(() => this.closeWhenDone());
    if (outer === 0) this.idle();
  }

  setRef(ref: boolean): void {
    if (!(this.duplex instanceof Socket)) return;
    if (ref) this.duplex.ref();
    else this.duplex.unref();
  }

  setNodelay(on: boolean): void {
    if (this.duplex instanceof Socket) this.duplex.setNoDelay(on);
  }

  setKeepAlive(idleMs: number): void {
    if (this.duplex instanceof Socket) this.duplex.setKeepAlive(idleMs > 0, keepAliveSeconds(idleMs) * 1000);
  }

  /** Hands the Node stream on and forgets it: paused, with what was received and not delivered. Nothing is told any more. */
  detach(): Duplex {
    const { duplex } = this;
    this.fate ??= { error: undefined };
    this.receiver = undefined;
    this.endLease();
    probesOf(this.loop).delete(this);
    duplex.pause();
    unlisten(duplex);
    return duplex;
  }
}
