// Handshakes that fail: anybody can connect and say anything, so they are counted, and the log hears of a few.

import type { IOLoop } from "@tw/ioloop";
import { TLSHandshakeError } from "@tw/iostream";
import { isTwError } from "@tw/util";
import { report } from "../report.js";

/** A port that the world can reach gets nonsense all day: one line a minute tells of a certificate that nobody takes. */
const WARNING_INTERVAL_MS = 60_000;

/** The failed handshakes of one server. */
export class HandshakeFailures {
  readonly #loop: IOLoop;
  #count = 0;
  #nextWarning = Number.NEGATIVE_INFINITY;

  constructor(loop: IOLoop) {
    this.#loop = loop;
  }

  get count(): number {
    return this.#count;
  }

  /** A peer that went away is no news; of the others one a minute is a warning, of one line. Its stack, which says how we
   * noticed and nothing of the peer, is there for who debugs. */
  add(error: unknown, address: string): void {
    this.#count++;
    const { reason } = (error ?? {}) as { reason?: unknown };
    const gone = reason === "closed" || reason === "timeout" || isTwError(error, "ERR_TW_STREAM_CLOSED");
    const now = this.#loop.time();
    const warns = !gone && now >= this.#nextWarning;
    const message = `TLS handshake with ${address || "a local peer"} failed`;
    if (warns) {
      this.#nextWarning = now + WARNING_INTERVAL_MS;
      report(this.#loop, "warn", message + because(error));
    }
    report(this.#loop, "debug", message, error);
  }
}

/** OpenSSL's words end in a line break. */
function because(error: unknown): string {
  if (!(error instanceof TLSHandshakeError)) return `: ${String(error).trim()}`;
  const { reason, cause } = error;
  return ` (${reason}): ${(cause instanceof Error ? cause.message : String(cause)).trim()}`;
}
