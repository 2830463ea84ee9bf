// A network whose every attempt is decided by the test, in virtual time.
import type { IOLoop } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import { memoryPair } from "@tw/iostream/transports";
import type { ConnectOptions, Listener, Network, ResolvedAddress } from "../src/index.js";

/** What becomes of an attempt: an answer or a refusal after so many ms, or nothing ever. */
export type Outcome = { readonly afterMs: number; readonly code?: string } | "hangs";

export class FakeNetwork implements Network {
  readonly #loop: IOLoop;
  readonly #outcomes: Readonly<Record<string, Outcome>>;
  /** `+` an attempt starts, `=` it is connected, `!` it failed, `-` it was given up; with the time. */
  readonly log: string[] = [];
  /** Our ends of what was connected, and whether they were closed. */
  readonly made = new Map<string, { readonly transport: Transport; aborted: boolean }>();
  readonly asked: ConnectOptions[] = [];

  constructor(loop: IOLoop, outcomes: Readonly<Record<string, Outcome>>) {
    this.#loop = loop;
    this.#outcomes = outcomes;
  }

  async resolve(): Promise<readonly ResolvedAddress[]> {
    return Object.keys(this.#outcomes).map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  }

  listen(): Promise<Listener> {
    return Promise.reject(new Error("nobody listens"));
  }

  connect(options: ConnectOptions): Promise<Transport> {
    const { address, signal } = options;
    const outcome = this.#outcomes[address] as Outcome;
    this.asked.push(options);
    this.#note("+", address);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        signal?.removeEventListener("abort", aborted);
        const code = outcome === "hangs" ? undefined : outcome.code;
        this.#note(code === undefined ? "=" : "!", address);
        if (code !== undefined) reject(Object.assign(new Error(`connect ${code} ${address}`), { code }));
        else resolve(this.#transport(address));
      };
      const timer = outcome === "hangs" ? undefined : this.#loop.callLater(outcome.afterMs, settle);
      const aborted = (): void => {
        if (timer !== undefined) this.#loop.removeTimeout(timer);
        this.#note("-", address);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", aborted, { once: true });
    });
  }

  #transport(address: string): Transport {
    const [transport] = memoryPair(this.#loop, { info: [{ remoteAddress: address }, {}] });
    const made = { transport, aborted: false };
    const abort = transport.abort.bind(transport);
    transport.abort = (reason) => {
      made.aborted = true;
      abort(reason);
    };
    this.made.set(address, made);
    return transport;
  }

  #note(what: string, address: string): void {
    this.log.push(`${this.#loop.time()} ${what}${address}`);
  }
}
