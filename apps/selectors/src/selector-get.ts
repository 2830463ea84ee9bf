// The first program of this field: a GET on a bare descriptor. Nothing here waits: each step does what can be done now,
// says what comes next, and returns to the loop.
//
//   connected ──────────► send ──all sent──► receive ──nothing left──► end
//   wait for WRITE        WRITE              READ
//
// The handler is added once and removed once. In between only its mask changes.

import { type IOLoop, NoPollerError, type Poller, READ, WRITE } from "@tw/ioloop";
import type { Target } from "./target.js";

/** The most that is read at once, and the most that an answer may have, in bytes. */
const READ_SIZE = 4096;
const MAX_ANSWER_SIZE = 1024 * 1024;

/**
 * Fetches `target` and resolves with the answer as it came, head and body. Each step is told to `say`.
 *
 * @throws NoPollerError where descriptors cannot be watched
 */
export function selectorGet(loop: IOLoop, target: Target, say: (step: string) => void): Promise<Uint8Array> {
  const poller = pollerOf(loop);
  const { family, address, port, host, path } = target;
  let request = new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  );
  const answer: Uint8Array[] = [];
  let received = 0;

  return new Promise((resolve, reject) => {
    const fd = poller.socket(family);
    if (fd < 0) return failed("socket", fd);
    say(`socket(): descriptor ${fd}`);

    const begun = poller.connect(fd, address, port);
    // A handshake takes a round trip, so the usual answer is "in progress": the descriptor becomes writable when it is done.
    if (begun < 0 && poller.errnoName(begun) !== "EINPROGRESS") return failed("connect", begun);
    let next = connected;
    loop.addHandler(fd, () => next(), WRITE);
    say(`connect() to ${address} port ${port} is under way: addHandler(${fd}, WRITE)`);

    function connected(): void {
      const errno = poller.socketError(fd);
      if (errno !== 0) return failed("connect", errno);
      say("writable: connected");
      next = send;
      send();
    }

    function send(): void {
      const sent = poller.writev(fd, [request], 0);
      if (sent < 0) return notYet("write", sent);
      request = request.subarray(sent);
      say(`write() took ${sent} bytes, ${request.length} are left`);
      if (request.length > 0) return; // the mask is still WRITE: the loop calls again when there is room
      next = receive;
      loop.updateHandler(fd, READ);
      say(`all is sent: updateHandler(${fd}, READ)`);
    }

    function receive(): void {
      const chunk = new Uint8Array(READ_SIZE);
      const count = poller.read(fd, chunk, 0, READ_SIZE);
      if (count < 0) return notYet("read", count);
      received += count;
      if (received > MAX_ANSWER_SIZE) return end(new Error(`More than ${MAX_ANSWER_SIZE} bytes of answer`));
      if (count === 0) {
        say(`readable, and read() brings nothing: the end, after ${received} bytes`);
        return end();
      }
      say(`readable: read() brings ${count} bytes`);
      answer.push(chunk.subarray(0, count));
      // There may be more. The loop is level-triggered: as long as there is, it calls again.
    }

    /** "Not ready after all" is no error: return, and be called again. */
    function notYet(call: string, errno: number): void {
      const name = poller.errnoName(errno);
      if (name !== "EAGAIN" && name !== "EINTR") failed(call, errno);
    }

    function failed(call: string, errno: number): void {
      end(new Error(`${call} ${host}: ${poller.errnoName(errno)}`));
    }

    /** First the handler, then the descriptor: a moment after close() its number may be somebody else's. */
    function end(error?: Error): void {
      if (fd >= 0) {
        loop.removeHandler(fd);
        poller.closeFd(fd);
        say(`removeHandler(${fd}), close(${fd})`);
      }
      if (error === undefined) resolve(Buffer.concat(answer));
      else reject(error);
    }
  });
}

function pollerOf(loop: IOLoop): Poller {
  if (loop.poller === undefined) throw new NoPollerError();
  return loop.poller;
}
