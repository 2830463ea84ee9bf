// One end of a simulated connection: a memory transport that tells its network what passes and when it is gone.

import type { IOLoop } from "@tw/ioloop";
import type { TransportReceiver } from "@tw/iostream";
import { type MemoryPairOptions, MemoryTransport } from "@tw/iostream/transports";

/** Who hears of what happens at one end. */
export interface EndObserver {
  wrote(): void;
  received(view: Uint8Array): void;
  ended(): void;
  closed(error: unknown): void;
}

/** A {@link MemoryTransport} whose news are told before its receiver hears them. */
export class SimulatedTransport extends MemoryTransport {
  readonly #observer: EndObserver;

  constructor(loop: IOLoop, options: MemoryPairOptions, observer: EndObserver, peer?: MemoryTransport) {
    super(loop, options, peer);
    this.#observer = observer;
  }

  override start(receiver: TransportReceiver): void {
    const observer = this.#observer;
    super.start({
      onBytes(view) {
        observer.received(view);
        return receiver.onBytes(view);
      },
      onEnd() {
        observer.ended();
        receiver.onEnd();
      },
      onDrain: () => receiver.onDrain(),
      onClose(error, unread) {
        observer.closed(error);
        receiver.onClose(error, unread);
      },
    });
  }

  override write(chunks: readonly (Uint8Array | string)[]): number {
    const taken = super.write(chunks);
    if (taken > 0) this.#observer.wrote();
    return taken;
  }
}
