// A listening socket of a simulated host: a queue of so many connections, delivered in order.

import { AsyncResource } from "node:async_hooks";
import type { IOLoop } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import type { Listener, ListenOptions } from "@tw/tcp";
import { deliver } from "@tw/tcp/testing";
import type { SimulatedConnection } from "./connection.js";

/** Delivers in the context of whoever listened. */
export class SimulatedListener extends AsyncResource implements Listener {
  readonly address: string;
  readonly port: number;
  readonly reusePort: boolean;
  readonly #loop: IOLoop;
  readonly #backlog: number;
  readonly #onConnection: (transport: Transport) => void;
  readonly #forget: (listener: SimulatedListener) => void;
  readonly #waiting: SimulatedConnection[] = [];
  /** Shaken hands that have not arrived; they have their place in the queue. */
  #promised = 0;
  #state: "open" | "paused" | "closed" = "open";

  constructor(
    loop: IOLoop,
    options: Pick<ListenOptions, "address" | "port" | "backlog" | "reusePort">,
    onConnection: (transport: Transport) => void,
    forget: (listener: SimulatedListener) => void,
  ) {
    super("TWListener", { requireManualDestroy: true });
    this.address = options.address;
    this.port = options.port;
    this.reusePort = options.reusePort === true;
    this.#loop = loop;
    this.#backlog = Math.max(1, options.backlog);
    this.#onConnection = onConnection;
    this.#forget = forget;
  }

  /** Takes a place in the queue; false when there is none: then a real machine drops the packet. */
  promise(): boolean {
    if (this.#waiting.length + this.#promised >= this.#backlog) return false;
    this.#promised++;
    return true;
  }

  /** Gives a place back, when the client gave up. */
  release(): void {
    this.#promised--;
  }

  /** Makes our end of a connection, in our context. */
  prepare(connection: SimulatedConnection): void {
    this.runInAsyncScope(() => connection.far);
  }

  /** A connection that was prepared has arrived at its place. */
  arrived(connection: SimulatedConnection): void {
    this.#promised--;
    if (this.#state === "closed") connection.refuse();
    else {
      this.#waiting.push(connection);
      this.#deliver();
    }
  }

  #deliver(): void {
    while (this.#state === "open") {
      const connection = this.#waiting.shift();
      if (connection === undefined) return;
      deliver(this.#loop, connection.far, this.#onConnection);
    }
  }

  pause(): void {
    if (this.#state === "open") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "open";
    this.#loop.addCallback(() => this.#deliver());
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#forget(this);
    for (const connection of this.#waiting.splice(0)) connection.refuse();
  }
}
