// The connections that a server has accepted and that are still there: how many there may be, and when the last is gone.
// Some of them are arriving: no handler knows of them before the header of a proxy, or a handshake, is over.

import type { IOLoop } from "@tw/ioloop";
import {
  IOStream,
  type SSLIOStream,
  type StreamOptions,
  type TLSOptions,
  type Transport,
} from "@tw/iostream";
import { Deferred } from "@tw/util";

/** Who has connections: told when there is room for one more, or a descriptor. */
export interface ConnectionsOwner {
  readonly loop: IOLoop;
  connectionGone(): void;
}

/** A stream that tells its server when its transport is gone, without a promise or a closure of its own. */
export class ServedStream extends IOStream {
  /** @internal Its neighbours in the list of {@link Connections}; itself where it is in none. */
  before: ServedStream = this;
  /** @internal */
  after: ServedStream = this;
  private readonly connections: Connections;

  /** @internal Servers make them. */
  constructor(transport: Transport, options: StreamOptions, connections: Connections) {
    super(transport, options);
    this.connections = connections;
    connections.add(this);
  }

  /** As any stream's. The transport then has another owner, which tells of its end by {@link whenClosed}. */
  override startTls(options?: TLSOptions): Promise<SSLIOStream> {
    const secure = super.startTls(options);
    this.whenClosed.then(() => this.connections.delete(this));
    return secure;
  }

  /** @internal Called by the transport. */
  override onClose(error?: unknown, unread?: Uint8Array): void {
    try {
      super.onClose(error, unread);
    } finally {
      this.connections.delete(this);
    }
  }
}

/**
 * The open connections of one server: a ring of streams, because a `Set` of them costs each connection more time than
 * accepting it does, and more memory than two fields.
 */
export class Connections {
  readonly #owner: ConnectionsOwner;
  #first: ServedStream | undefined;
  #size = 0;
  #added = 0;
  #empty: Deferred | undefined;
  readonly #arriving = new Set<ServedStream>();
  #turnedAway = 0;

  constructor(owner: ConnectionsOwner) {
    this.#owner = owner;
  }

  get size(): number {
    return this.#size;
  }

  /** How many there have been. */
  get added(): number {
    return this.#added;
  }

  /** How many are arriving. */
  get arriving(): number {
    return this.#arriving.size;
  }

  /** How many have ended while they were arriving. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** `stream` has to say something before a handler gets it. */
  arrives(stream: ServedStream): void {
    this.#arriving.add(stream);
  }

  /** It has. */
  arrived(stream: ServedStream): void {
    this.#arriving.delete(stream);
  }

  /** Ends those that are arriving: they were promised nothing, so none is waited for. */
  closeArriving(): void {
    for (const stream of [...this.#arriving]) stream.close({ graceMs: 0 }).catch(ignore);
  }

  /** Must not be there already. */
  add(stream: ServedStream): void {
    this.#size++;
    this.#added++;
    const first = this.#first;
    if (first === undefined) {
      this.#first = stream;
      return;
    }
    stream.after = first;
    stream.before = first.before;
    first.before.after = stream;
    first.before = stream;
  }

  /** Harmless when it is not there any more. */
  delete(stream: ServedStream): void {
    const { before, after } = stream;
    if (after === stream) {
      if (this.#first !== stream) return;
      this.#first = undefined;
    } else {
      if (this.#first === stream) this.#first = after;
      before.after = after;
      after.before = before;
      stream.before = stream;
      stream.after = stream;
    }
    this.#size--;
    if (this.#arriving.size > 0 && this.#arriving.delete(stream)) this.#turnedAway++;
    if (this.#size === 0) {
      this.#empty?.resolve();
      this.#empty = undefined;
    }
    this.#owner.connectionGone();
  }

  /** Ends them all now; returns how many that were. */
  abortAll(reason: unknown): number {
    const all: ServedStream[] = [];
    let stream = this.#first;
    for (let i = this.#size; i > 0 && stream !== undefined; i--) {
      all.push(stream);
      stream = stream.after;
    }
    for (const each of all) each.abort(reason);
    return all.length;
  }

  /** Resolves when there is none. */
  whenEmpty(): Promise<void> {
    if (this.#size === 0) return Promise.resolve();
    this.#empty ??= new Deferred();
    return this.#empty.promise;
  }
}

function ignore(): void {}
