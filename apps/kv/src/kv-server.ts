// The server: what all clients share, and a session for each of them.

import { IOLoop } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { TCPServer, type TCPServerOptions } from "@tw/tcp";
import type { Database, Stats } from "./commands/command.js";
import { DEFAULT_LIMITS, type Limits } from "./limits.js";
import { PubSub } from "./pubsub.js";
import { Session, TOO_MANY_CLIENTS } from "./session.js";
import { Store } from "./store/store.js";
import { Sweeper } from "./store/sweeper.js";

/** Options of a {@link KVServer}. */
export interface KVServerOptions extends TCPServerOptions {
  readonly limits?: Partial<Limits>;
}

/** Speaks Redis's protocol over one database in memory. */
export class KVServer extends TCPServer {
  readonly db: Database;
  readonly #streams: Set<IOStream> = new Set();

  constructor(options: KVServerOptions = {}) {
    const loop = options.loop ?? IOLoop.current();
    const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
    const stats: Stats = { clients: 0, connections: 0, commands: 0 };
    // A reply may be larger than what stops the reading of requests: the stream's own limit is above both.
    super(undefined, { ...options, loop });
    const now = (): number => loop.time();
    const store = new Store(now);
    this.db = { store, sweeper: new Sweeper(loop, store), pubsub: new PubSub(), limits, stats, now };
  }

  override handleStream(stream: IOStream): void {
    const { limits, stats } = this.db;
    stats.connections++;
    if (stats.clients >= limits.maxClients) {
      stream.send(TOO_MANY_CLIENTS);
      stream.close();
      return;
    }
    stats.clients++;
    this.#streams.add(stream);
    new Session(stream, this.db, () => {
      stats.clients--;
      this.#streams.delete(stream);
    });
  }

  /** Stops accepting, lets every client take its answers, and ends the connections. */
  async shutdown(): Promise<void> {
    await this.stop();
    this.db.sweeper.stop();
    await Promise.allSettled([...this.#streams].map((stream) => stream.close({ graceMs: 1000 })));
  }
}
