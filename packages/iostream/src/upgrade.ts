// Who is asked in place of a stream that `startTls` took apart: its handshake, and then the stream that came of it.

import { StreamClosedError } from "./errors.js";
import type { CloseOptions } from "./options.js";
import type { Heir } from "./stream/base.js";

/** A handshake, as far as its stream has to know it. */
interface UpgradingHandshake {
  abort(reason: unknown): void;
}

/** The heir of an upgraded stream. */
export class Upgrade implements Heir {
  readonly whenClosed: Promise<void>;
  readonly #handshake: UpgradingHandshake;
  #stream: Heir | undefined;
  #failure: unknown;

  constructor(handshake: UpgradingHandshake, upgraded: Promise<Heir>) {
    this.#handshake = handshake;
    this.whenClosed = upgraded.then(
      (stream) => {
        this.#stream = stream;
        return stream.whenClosed;
      },
      (error) => {
        this.#failure = error;
      },
    );
  }

  get error(): unknown {
    return this.#stream === undefined ? this.#failure : this.#stream.error;
  }

  close(options?: CloseOptions): Promise<void> {
    if (this.#stream !== undefined) return this.#stream.close(options);
    this.#handshake.abort(new StreamClosedError("Stream was closed during its TLS handshake"));
    return this.whenClosed;
  }

  abort(reason?: unknown): void {
    if (this.#stream !== undefined) return this.#stream.abort(reason);
    this.#handshake.abort(new StreamClosedError("Stream was aborted during its TLS handshake", reason));
  }
}
