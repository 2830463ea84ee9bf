// Clients that take their time.

import { createConnection } from "node:net";

const BODY = 1 << 20;

/** What each kind sends first, and then from time to time; what it takes. */
const KINDS = {
  /** Begins a head and drips it. */
  heads: { first: "GET / HTTP/1.1\r\nHost: a\r\nX-Drip: ", drip: "x", reads: true },
  /** Promises a body and drips it. */
  bodies: {
    first: `POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY}\r\n\r\n`,
    drip: "x",
    reads: true,
  },
  /** Promises a body and sends nothing of it. */
  silent: { first: `POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY}\r\n\r\n`, reads: true },
  /**
   * Asks for much and reads nothing of it. Who does not read sees no end either: that the server has reset the
   * connection shows when something is written.
   */
  readers: { first: "GET /big HTTP/1.1\r\nHost: a\r\n\r\n", drip: "\n", reads: false },
};

const TICK_MS = 50;
const COMING_MS = 1000; // all have come after that
const DRIP_MS = 1000; // each drips once in that

/** `count` clients of a kind; `left` says how many the server has not closed yet. */
export class SlowClients {
  #port;
  #kind;
  #count;
  #sockets = [];
  #next = 0; // to drip
  #timer;
  left;
  connected = 0;

  constructor(
    /** @type {number} */ port,
    /** @type {keyof typeof KINDS} */ kind,
    /** @type {number} */ count,
  ) {
    this.#port = port;
    this.#kind = KINDS[kind];
    this.#count = count;
    this.left = count;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #tick() {
    const coming = Math.ceil((this.#count * TICK_MS) / COMING_MS);
    for (let i = 0; i < coming && this.#sockets.length < this.#count; i++) this.#open();
    const dripping = Math.ceil((this.#count * TICK_MS) / DRIP_MS);
    for (let i = 0; i < dripping; i++) this.#drip(this.#sockets[this.#next++ % this.#sockets.length]);
  }

  #open() {
    const socket = createConnection({ port: this.#port, host: "127.0.0.1", noDelay: true });
    socket.on("error", () => {});
    socket.on("connect", () => {
      this.connected++;
      socket.write(this.#kind.first);
    });
    socket.on("close", () => this.left--);
    if (this.#kind.reads) socket.resume();
    this.#sockets.push(socket);
  }

  #drip(socket) {
    if (this.#kind.drip === undefined || socket.destroyed || socket.connecting) return;
    socket.write(this.#kind.drip);
  }

  close() {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
  }
}
