// A network under examination: what is opened on it is remembered, waited for without a clock, and closed in the end.

import type { IOLoop } from "@tw/ioloop";
import { IOStream, type Transport } from "@tw/iostream";
import { fromUtf8 } from "@tw/util";
import type { EngineChoice, Listener, ListenOptions, Network, ResolvedAddress } from "../network.js";

/** A network to be examined. */
export interface NetworkSubject {
  readonly network: Network;
  /** The loop that the network runs on. Its logger hears of what is provoked here. */
  readonly loop: IOLoop;
  readonly engine?: EngineChoice;
  /** An address that can be listened on and connected to. @default 127.0.0.1 */
  readonly here?: ResolvedAddress;
  /** A path for a Unix socket, where the network has those. */
  readonly path?: string;
  /** Lets what is under way happen: a few turns of the loop, a few milliseconds where there is a kernel. */
  settle(): Promise<void>;
  /** Descriptors, watchers and timers of the network that are still there; examined when all is closed. */
  resources?(): number;
}

/** Rounds of `settle` before something that should happen has not happened. */
const PATIENCE = 2000;

/** A network, and everything that was opened on it. */
export class ExaminedNetwork {
  readonly subject: NetworkSubject;
  readonly network: Network;
  readonly here: ResolvedAddress;
  readonly arrived: Transport[] = [];
  readonly #listeners: Listener[] = [];
  readonly #streams: IOStream[] = [];

  constructor(subject: NetworkSubject) {
    this.subject = subject;
    this.network = subject.network;
    this.here = subject.here ?? { address: "127.0.0.1", family: 4 };
  }

  async listen(
    options: Partial<ListenOptions> = {},
    onConnection: (transport: Transport) => void = (transport) => void this.arrived.push(transport),
  ): Promise<Listener> {
    const { engine } = this.subject;
    const listener = await this.settled(
      this.network.listen({ ...this.here, port: 0, backlog: 64, engine, ...options }, onConnection),
    );
    this.#listeners.push(listener);
    return listener;
  }

  async connect(port: number, place: ResolvedAddress = this.here, signal?: AbortSignal): Promise<Transport> {
    const { engine } = this.subject;
    return await this.settled(this.network.connect({ ...place, port, engine, ...(signal && { signal }) }));
  }

  stream(transport: Transport): IOStream {
    const stream = new IOStream(transport, { loop: this.subject.loop });
    this.#streams.push(stream);
    return stream;
  }

  async connected(port: number): Promise<IOStream> {
    return this.stream(await this.connect(port));
  }

  /** The next connection that a listener delivered. */
  async accepted(): Promise<IOStream> {
    await this.until("a connection is delivered", () => this.arrived.length > 0);
    return this.stream(this.arrived.shift() as Transport);
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    for (let i = 0; i < PATIENCE; i++) {
      if (condition()) return;
      await this.subject.settle();
    }
    throw new Error(`Never happened: ${what}`);
  }

  /** Waits long enough for something that must not happen. */
  async quiet(): Promise<void> {
    for (let i = 0; i < 5; i++) await this.subject.settle();
  }

  /** `promise`, while what is under way happens. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let pending = true;
    const over = (): void => {
      pending = false;
    };
    promise.then(over, over);
    await this.until("a promise settles", () => !pending);
    return promise;
  }

  async rejection(promise: Promise<unknown>): Promise<unknown> {
    return await this.settled(
      promise.then(
        () => fail("it resolved"),
        (error) => error,
      ),
    );
  }

  async finish(): Promise<void> {
    for (const listener of this.#listeners) await listener.close();
    for (const transport of this.arrived.splice(0)) this.stream(transport);
    for (const stream of this.#streams) stream.abort();
    let open = this.#streams.length;
    for (const stream of this.#streams) stream.whenClosed.then(() => open--);
    await this.until("all streams are closed", () => open === 0);
    const { resources } = this.subject;
    if (resources !== undefined) {
      await this.until("resources are gone", () => resources.call(this.subject) === 0);
    }
  }
}

export function text(bytes: Uint8Array): string {
  return fromUtf8(bytes);
}

export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

/** Throws unless both are the same as JSON. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) fail(`${what}: expected ${should}, got ${is}`);
}

export function check(condition: boolean, what: string): void {
  if (!condition) fail(`Not so: ${what}`);
}

export function fail(what: string): never {
  throw new Error(what);
}
