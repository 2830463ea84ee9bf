// The honest clients of slow.mjs, in a process of their own: what the slow ones cost their own process is nobody's waiting.

import { createConnection } from "node:net";

const { port, count, everyMs } = JSON.parse(process.argv[2]);

/** Keep-alive clients that ask every few milliseconds; their latencies. */
class HonestClients {
  #sockets = [];
  #stopped = false;
  milliseconds = [];
  failures = 0;

  constructor(port, count, everyMs) {
    for (let i = 0; i < count; i++) this.#start(port, everyMs);
  }

  #start(port, everyMs) {
    const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
    this.#sockets.push(socket);
    let began = 0;
    const ask = () => {
      if (this.#stopped) return;
      began = performance.now();
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    };
    socket.on("connect", ask);
    socket.on("data", (data) => {
      if (!data.toString("latin1").endsWith("Hello, world")) return;
      this.milliseconds.push(performance.now() - began);
      setTimeout(ask, everyMs);
    });
    const failed = () => {
      if (!this.#stopped) this.failures++;
    };
    socket.on("error", failed);
    socket.on("end", failed);
  }

  /** The 99th percentile in milliseconds. */
  get p99() {
    const sorted = this.milliseconds.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.99)];
  }

  close() {
    this.#stopped = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}

const clients = new HonestClients(port, count, everyMs);
process.on("message", (message) => {
  const { p99, failures } = clients;
  clients.milliseconds.length = 0; // the first requests wait for compilers
  if (message.do === "end") clients.close();
  process.send({ p99, failures });
});
process.on("disconnect", () => process.exit());
