// A Web Response as an answer: status, fields and body are handed through, the body piece by piece.

import { isHopByHop } from "@tw/httputil";
import type { IOLoop } from "@tw/ioloop";
import { ClientGoneError, HeadersSentError } from "./errors.js";
import type { Exchange } from "./exchange.js";

/** Milliseconds that a head waits for the first piece of its body: longer than it takes to open a file. */
const FIRST_PIECE_MS = 10;

/**
 * Sends `response` and finishes. Its fields replace those of the same name that the handler set; the others stay. The head
 * goes out with the first piece of the body, or without one that takes its time.
 * When the client goes away the body is cancelled.
 *
 * @throws HeadersSentError when something was sent already
 * @throws TypeError when the body was read already
 */
export async function sendResponse(exchange: Exchange, response: Response): Promise<void> {
  if (exchange.state !== "open") throw new HeadersSentError("return a Response");
  if (response.bodyUsed || response.body?.locked)
    throw new TypeError("The body of the Response was read already");
  copyHead(exchange, response);
  const { body } = response;
  if (body === null) return void exchange.finish();
  if (exchange.request.method === "HEAD" || response.status === 304) {
    body.cancel().catch(ignore);
    await exchange.flush();
    return void exchange.finish();
  }
  const reader = body.getReader();
  const { signal } = exchange;
  const stop = (): void => void reader.cancel(signal.reason).catch(ignore);
  signal.addEventListener("abort", stop, { once: true });
  try {
    let piece = reader.read();
    if (!(await settlesSoon(piece, exchange.core.loop))) await exchange.flush();
    for (;;) {
      const { done, value } = await piece;
      if (signal.aborted) throw new ClientGoneError();
      if (done) break;
      exchange.write(value);
      await exchange.flush();
      piece = reader.read();
    }
  } catch (error) {
    reader.cancel(error).catch(ignore);
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
  exchange.finish();
}

/**
 * Whether the first piece comes, or fails, in time: then it leaves with the head, or is answered with an error. Whoever waits for
 * longer, for an event perhaps, is told with the head that there will be some.
 */
function settlesSoon(piece: Promise<unknown>, loop: IOLoop): Promise<boolean> {
  if (loop.closed) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    const timer = loop.callLater(FIRST_PIECE_MS, () => resolve(false));
    const inTime = (): void => loop.removeTimeout(timer);
    piece.then(() => resolve(true), reject).finally(inTime);
  });
}

function copyHead(exchange: Exchange, response: Response): void {
  const { headers } = exchange;
  exchange.status = response.status;
  // A Response has the empty one where none was given.
  exchange.reason = response.statusText || undefined;
  // What the handler wrote before is not part of the Response.
  exchange.dropBody();
  headers.delete("Content-Type");
  const replaced = new Set<string>();
  for (const [name, value] of response.headers) {
    // Those of this answer are set by its connection.
    if (isHopByHop(name) || (wasDecoded(response) && DESCRIBE_CODING.includes(name))) continue;
    if (replaced.has(name) || name === "set-cookie") headers.add(name, value);
    else headers.set(name, value);
    replaced.add(name);
  }
}

/** What `fetch` received was decoded on the way, but its fields still describe the coded bytes. */
const DESCRIBE_CODING = ["content-encoding", "content-length"];

function wasDecoded(response: Response): boolean {
  return response.url !== "" && response.headers.has("content-encoding");
}

function ignore(): void {}
