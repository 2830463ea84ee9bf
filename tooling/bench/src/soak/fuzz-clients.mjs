// What the fuzzer does on one connection: sends mutated bytes, ends in one of several ways, and reads what comes until the
// server closes. A promise that resolves with what was seen; `wrong` is a finding.

import { createConnection } from "node:net";
import { readAnswers } from "./answers.mjs";
import { chop, mutate } from "./corpus.mjs";
import { readFrames, someFrames } from "./frames.mjs";

/** Every timeout of the server is half a second, and it lingers for two. */
const HANG_MS = 20_000;

/**
 * @param {number} port
 * @param {readonly string[]} pieces  latin1
 * @param {"end" | "stay" | "reset"} how  what the client does when it has sent everything
 * @returns {Promise<{ received: string, closed: boolean, reset: boolean }>}
 */
export function exchange(port, pieces, how) {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    let received = "";
    let reset = false;
    const settle = (closed) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ received, closed, reset });
    };
    const timer = setTimeout(() => settle(false), HANG_MS);
    socket.on("error", () => {
      reset = true;
    });
    socket.on("close", () => settle(true));
    socket.on("end", () => socket.end());
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
    socket.on("connect", () => sendNext(0));
    const sendNext = (i) => {
      if (socket.destroyed) return;
      if (i < pieces.length) {
        socket.write(pieces[i], "latin1");
        setImmediate(sendNext, i + 1);
      } else if (how === "end") socket.end();
      else if (how === "reset") {
        reset = true;
        socket.resetAndDestroy();
      }
    };
  });
}

const endOf = (below) => {
  const draw = below(100);
  return draw < 79 ? "end" : draw < 80 ? "stay" : "reset";
};

/** Mutated requests. */
export async function http(port, below, corpus) {
  const wire = mutate(below, corpus);
  const how = endOf(below);
  const { received, closed, reset } = await exchange(port, chop(below, wire), how);
  const { statuses, wrong } = readAnswers(received);
  if (!closed) return { wire, wrong: `not closed ${HANG_MS} ms after ${how}`, outcome: "hang" };
  const outcome = statuses.length > 0 ? String(statuses.at(-1)) : reset ? "reset" : "nothing";
  return { wire, wrong, outcome };
}

const HANDSHAKE =
  "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/** A handshake, then frames of which some are wrong. */
export async function websocket(port, below) {
  const frames = someFrames(below);
  const wire = HANDSHAKE + frames;
  const how = below(4) === 0 ? "reset" : "end";
  const { received, closed, reset } = await exchange(port, chop(below, wire), how);
  if (!closed) return { wire, wrong: `not closed ${HANG_MS} ms after ${how}`, outcome: "hang" };
  if (received === "") return { wire, wrong: reset ? undefined : "no handshake", outcome: "reset" };
  const end = received.indexOf("\r\n\r\n");
  if (received.startsWith("HTTP/1.1 408 ")) return { wire, outcome: "408" }; // it came in small pieces
  if (!received.startsWith("HTTP/1.1 101 "))
    return { wire, wrong: received.slice(0, 100), outcome: "refused" };
  return { wire, ...readFrames(received.slice(end + 4), frames) };
}
