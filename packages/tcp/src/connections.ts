// The connections that a server has accepted and that are still there: how many there may be, and when the last is gone.

import type { IOLoop } from "@tw/ioloop";
import { IOStream, type StreamOptions, type Transport } from "@tw/iostream";
import { Deferred } from "@tw/util";

/** Who has connections: told when there is room for one more, or a descriptor. */
export interface ConnectionsOwner {
  readonly loop: IOLoop;
  connectionGone(): void;
}

/** A stream that tells its server when its transport is gone, without a promise or a closure of its own. */
export class ServedStream extends IOStream {
  private readonly connections: Connections;

  /** @internal Servers make them. */
  constructor(transport: Transport, options: StreamOptions, connections: Connections) {
    super(transport, options);
    this.connections = connections;
    connections.add(this);
  }

  /** @internal Called by the transport. */
  override onClose(error?: unknown): void {
    try {
      super.onClose(error);
    } finally {
      this.connections.delete(this);
    }
  }
}

/** What can be counted and ended. */
interface Connection {
  abort(reason?: unknown): void;
}

/** The open connections of one server. */
export class Connections {
  readonly #owner: ConnectionsOwner;
  readonly #open = new Set<Connection>();
  #empty: Deferred | undefined;

  constructor(owner: ConnectionsOwner) {
    this.#owner = owner;
  }

  get size(): number {
    return this.#open.size;
  }

  add(connection: Connection): void {
    this.#open.add(connection);
  }

  /** Harmless when it is not there any more. */
  delete(connection: Connection): void {
    if (!this.#open.delete(connection)) return;
    if (this.#open.size === 0) {
      this.#empty?.resolve();
      this.#empty = undefined;
    }
    this.#owner.connectionGone();
  }

  /** Ends them all now; returns how many that were. */
  abortAll(reason: unknown): number {
    const open = [...this.#open];
    for (const connection of open) connection.abort(reason);
    return open.length;
  }

  /** Resolves when there is none. */
  whenEmpty(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    this.#empty ??= new Deferred();
    return this.#empty.promise;
  }
}
