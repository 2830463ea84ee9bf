// Waits for the answer to an opening handshake, and takes the stream over when it is a 101.

import type { ClientExchange } from "@tw/http1connection";
import type { HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine } from "@tw/httputil";
import type { IOStream } from "@tw/iostream";
import { Deferred } from "@tw/util";
import { finishUpgrade, type UpgradeAttempt, WebSocketHandshakeError } from "@tw/wsproto";
import { sha1 } from "./randomness.js";

/** What a handshake led to. */
export interface Upgraded {
  readonly stream: IOStream;
  readonly headers: HTTPHeaders;
  readonly subprotocol: string | undefined;
}

/** The delegate of the response. `upgraded` is called with the stream before anything more is read from it. */
export class HandshakeDelegate implements HTTPMessageDelegate {
  readonly #attempt: UpgradeAttempt;
  readonly #upgraded: (upgraded: Upgraded) => void;
  readonly #settled = new Deferred();
  exchange: ClientExchange | undefined = undefined;

  constructor(attempt: UpgradeAttempt, upgraded: (upgraded: Upgraded) => void) {
    this.#attempt = attempt;
    this.#upgraded = upgraded;
    // Whoever cannot send the request does not come to wait for the answer.
    this.#settled.promise.catch(ignore);
  }

  /** Resolves after `upgraded` was called. Rejects with WebSocketHandshakeError. */
  get whenSettled(): Promise<void> {
    return this.#settled.promise;
  }

  headersReceived(startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): void {
    const { code } = startLine as ResponseStartLine;
    try {
      const subprotocol = finishUpgrade(this.#attempt, { status: code, headers }, sha1);
      const stream = (this.exchange as ClientExchange).detach();
      this.#upgraded({ stream, headers, subprotocol });
      this.#settled.resolve();
    } catch (error) {
      this.#settled.reject(error);
      this.exchange?.abort(error);
    }
  }

  dataReceived(): void {}

  finish(): void {}

  onConnectionClose(error?: unknown): void {
    const cause = error === undefined ? undefined : { cause: error };
    this.#settled.reject(
      new WebSocketHandshakeError("The server closed the connection during the handshake", 0, cause),
    );
  }
}

function ignore(): void {}
