// A listening descriptor on the poller: level-triggered, a bounded number of accepts a turn, and no spinning when
// descriptors run out.

import { AsyncResource } from "node:async_hooks";
import type { Timeout } from "@tw/ioloop";
import { type NativeEngine, NativeTransport, systemError } from "@tw/iostream/transports";
import { type PollHandle, type PollSink, READ } from "@tw/poller";
import type { Listener, ListenOptions, ResolvedAddress } from "../network.js";
import { resolveHost } from "../node/resolve.js";

/** Accepts per turn: enough for a burst of thousands, few enough that neighbours have their turn. */
const ACCEPTS_PER_TURN = 64;

/** How long accepting pauses when the process or the machine ran out of descriptors or memory. */
const EXHAUSTED_PAUSE_MS = 100;

const EXHAUSTED = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** Binds and listens on every address that `options.address` stands for. */
export async function nativeListen(
  engine: NativeEngine,
  options: ListenOptions,
  onConnection: (transport: NativeTransport) => void,
): Promise<Listener> {
  const wanted = await bindAddresses(options.address);
  const sockets: NativeListener[] = [];
  let port = options.port;
  try {
    for (const address of wanted) {
      const fd = bindSocket(engine, address, port, options.backlog);
      if (fd === undefined) continue;
      sockets.push(new NativeListener(engine, fd, onConnection));
      port = sockets[0]?.port ?? port;
    }
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
  const first = sockets[0] as NativeListener;
  return {
    address: first.address,
    port: first.port,
    async close() {
      for (const socket of sockets) socket.close();
    },
  };
}

/** `""` is one socket per family, as in Tornado; the IPv6 one takes IPv6 only. */
async function bindAddresses(address: string): Promise<readonly ResolvedAddress[]> {
  if (address !== "") return (await resolveHost(address, 0)).slice(0, 1);
  return [
    { address: "0.0.0.0", family: 4 },
    { address: "::", family: 6 },
  ];
}

/** A bound, listening descriptor; `undefined` where the machine has no IPv6 and we only asked for it along the way. */
function bindSocket(
  engine: NativeEngine,
  { address, family }: ResolvedAddress,
  port: number,
  backlog: number,
): number | undefined {
  const { poller } = engine;
  const fd = poller.socket(family);
  if (fd < 0) {
    if (address === "::" && poller.errnoName(-fd) === "EAFNOSUPPORT") return undefined;
    throw systemError(poller, fd, "socket");
  }
  poller.setsockopt(fd, "reuseAddr", 1);
  poller.setsockopt(fd, "noDelay", 1); // inherited by what is accepted: one call instead of one per connection
  if (family === 6) poller.setsockopt(fd, "v6Only", 1);
  let failed = poller.bind(fd, address, port);
  let call = "bind";
  if (failed === 0) {
    failed = poller.listen(fd, backlog);
    call = "listen";
  }
  if (failed === 0) return fd;
  poller.closeFd(fd);
  if (address === "::" && poller.errnoName(-failed) === "EADDRNOTAVAIL") return undefined;
  throw systemError(poller, failed, call, { address, port });
}

/** One listening descriptor. Accepted connections run in the context of whoever listened. */
class NativeListener extends AsyncResource implements PollSink {
  readonly address: string;
  readonly port: number;
  readonly #engine: NativeEngine;
  readonly #fd: number;
  readonly #handle: PollHandle;
  readonly #onConnection: (transport: NativeTransport) => void;
  #retry: Timeout | undefined;
  #lastAddress = "";
  #open = true;

  constructor(engine: NativeEngine, fd: number, onConnection: (transport: NativeTransport) => void) {
    super("TWListener", { requireManualDestroy: true });
    this.#engine = engine;
    this.#fd = fd;
    this.#onConnection = onConnection;
    const bound = engine.poller.getsockname(fd);
    this.address = typeof bound === "number" ? "" : bound.address;
    this.port = typeof bound === "number" ? 0 : bound.port;
    this.#handle = engine.poller.watch(fd, READ, this);
    if (this.#handle < 0) throw systemError(engine.poller, this.#handle, "watch");
  }

  onEvents(): void {
    this.runInAsyncScope(this.#acceptSome, this);
  }

  #acceptSome(): void {
    const { poller } = this.#engine;
    for (let i = 0; i < ACCEPTS_PER_TURN && this.#open; i++) {
      const accepted = poller.accept(this.#fd);
      if (typeof accepted !== "number") {
        // Behind a proxy all connections come from few addresses: their text is kept once, not once per connection.
        if (accepted.address !== this.#lastAddress) this.#lastAddress = accepted.address;
        const { fd, port } = accepted;
        this.#onConnection(new NativeTransport(this.#engine, fd, "tcp", this.#lastAddress, port));
        continue;
      }
      const name = poller.errnoName(-accepted);
      if (name === "EAGAIN") return;
      if (EXHAUSTED.has(name)) return this.#pauseAccepting(name);
      // ECONNABORTED, EPROTO, EINTR and network errors concern one connection that is gone: go on with the next.
    }
  }

  /** Level-triggered interest would spin while no descriptor can be had. */
  #pauseAccepting(name: string): void {
    const { poller, loop } = this.#engine;
    loop.logger.warn(`accept: ${name}; pausing for ${EXHAUSTED_PAUSE_MS} ms`);
    poller.modify(this.#handle, 0);
    this.#retry = loop.callLater(EXHAUSTED_PAUSE_MS, () => {
      if (this.#open) poller.modify(this.#handle, READ);
    });
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#retry !== undefined) this.#engine.loop.removeTimeout(this.#retry);
    this.#engine.poller.close(this.#handle);
  }
}
