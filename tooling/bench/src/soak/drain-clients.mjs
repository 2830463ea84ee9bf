// The load of drain.mjs: clients that make a connection for every request, and clients that keep theirs. A request fails
// when its connection was made and no whole answer came.

import { createConnection } from "node:net";

const GIVE_UP_MS = 10_000;

/** Counts of what happened to requests. */
export class Outcomes {
  answered = 0;
  connections = 0;
  /** On a connection that had served nothing yet: there is no excuse for those. */
  failed = [];
  /**
   * On a kept connection that the server closed at the same moment. RFC 9112 §9.3.1 lets clients try again, but a server
   * that drains can let those that are busy ask once more, and these clients are never silent.
   */
  raced = [];
}

/** One connection with requests on it, one after the other. */
class Connection {
  #socket;
  #received = "";
  #settle;
  served = 0;
  closing = false;
  made = false;

  constructor(port) {
    this.#socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("connect", () => {
      this.made = true;
    });
    this.#socket.on("data", (text) => this.#take(text));
    this.#socket.on("end", () => this.#done("the server ended it"));
    this.#socket.on("error", (error) => this.#done(error.code));
    this.#socket.setTimeout(GIVE_UP_MS, () => this.#done(`silent for ${GIVE_UP_MS} ms`));
  }

  /** @returns {Promise<string | undefined>} why it failed */
  request(last) {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#received = "";
      if (this.closing) return this.#done("the server had ended it");
      this.#socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${last ? "Connection: close\r\n" : ""}\r\n`);
    });
  }

  #take(text) {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#received.slice(0, end).toLowerCase();
    const body = this.#received.slice(end + 4);
    const whole = head.includes("transfer-encoding: chunked")
      ? body.endsWith("0\r\n\r\n")
      : body.length === 40;
    if (!whole) return;
    if (!head.startsWith("http/1.1 200 ") || !body.includes("served by"))
      return this.#done(head.slice(0, 40));
    this.served++;
    if (/^connection: close\r?$/m.test(head)) this.closing = true;
    this.#done(undefined);
  }

  #done(why) {
    if (why !== undefined) this.closing = true;
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(why === undefined ? undefined : `${why} after ${this.#received.length} bytes`);
  }

  close() {
    this.#socket.on("error", () => {});
    this.#socket.destroy();
  }
}

/** Asks until `stopped()`: `most` requests on each connection. */
export async function client(port, most, outcomes, stopped) {
  while (!stopped()) {
    const connection = new Connection(port);
    for (let i = 1; i <= most && !connection.closing && !stopped(); i++) {
      const why = await connection.request(i === most);
      if (why === undefined) {
        outcomes.answered++;
        continue;
      }
      const list = connection.served > 0 && why.endsWith("after 0 bytes") ? outcomes.raced : outcomes.failed;
      list.push(connection.made ? `request ${i}: ${why}` : `not connected: ${why}`);
      break;
    }
    outcomes.connections++;
    connection.close();
  }
}
