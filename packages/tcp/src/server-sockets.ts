// The sockets that a server listens on: those it serves, and those that were bound and wait for its start.
//
//   binding ──► bound ──start──► served ──► closed, by a stop, which is meant for the binding ones too
//                                  └─ paused while the server is full

import { ListenError } from "./errors.js";
import type { ListeningSocket } from "./listening-socket.js";

/** All listening sockets of one server. */
export class ServerSockets {
  readonly #served: ListeningSocket[] = [];
  readonly #bound: ListeningSocket[] = [];
  /** Those that a stop is about to close. */
  readonly #leaving = new Set<ListeningSocket>();
  #started = false;
  #paused = false;
  #stops = 0;

  get first(): ListeningSocket | undefined {
    return this.#served[0] ?? this.#bound[0];
  }

  /** Whether what is bound need not wait. */
  get started(): boolean {
    return this.#started;
  }

  /** Gives `use` what was bound, unless there was a stop meanwhile: then that is closed. */
  async whenBound(
    binding: Promise<ListeningSocket[]>,
    use: (sockets: ListeningSocket[]) => void,
  ): Promise<void> {
    const stops = this.#stops;
    const sockets = await binding;
    if (stops === this.#stops) use(sockets);
    else for (const socket of sockets) await socket.close();
  }

  /** Keeps sockets until {@link start}. */
  keep(sockets: readonly ListeningSocket[]): void {
    this.#bound.push(...sockets);
  }

  /** Lets go of what was kept, which is to be served now. @throws ListenError `ERR_TW_SERVER_STARTED` */
  start(): ListeningSocket[] {
    if (this.#started) throw new ListenError("ERR_TW_SERVER_STARTED", "start() may be called once");
    this.#started = true;
    return this.#bound.splice(0);
  }

  /** Serves a socket that accepts already. */
  serve(socket: ListeningSocket): void {
    this.#served.push(socket);
    if (this.#paused) socket.pause();
  }

  /** Leaves connections in the kernel's queue. */
  pause(): void {
    this.#paused = true;
    for (const socket of this.#served) socket.pause();
  }

  /** There is room for one more; or, where descriptors had run out, one of those. */
  goOn(): void {
    if (this.#paused) {
      this.#paused = false;
      for (const socket of this.#served) socket.resume();
    } else for (const socket of this.#served) socket.retry();
  }

  /** Closes each of them by `close`, what is still being bound, and what an earlier stop has not closed yet. */
  async stop(close: (socket: ListeningSocket) => Promise<void>): Promise<void> {
    this.#stops++;
    for (const socket of [...this.#served.splice(0), ...this.#bound.splice(0)]) this.#leaving.add(socket);
    await Promise.all(
      [...this.#leaving].map((socket) => close(socket).finally(() => this.#leaving.delete(socket))),
    );
  }
}
