// A WebSocket that comes back: after a loss it tries again, later each time, with some chance so that a restarted
// server does not meet everybody in the same instant.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;
/** A connection that has lasted this long starts the waiting times from the beginning. */
const STEADY_MS = 5000;

/**
 * Calls `on.open()`, `on.message(object)`, `on.wait(retryAt)` and `on.end(code, reason)`. After `end` it does not try
 * again by itself: the server said why it does not want us, or `close()` was called.
 */
export class Connection {
  #url;
  #on;
  #socket;
  #timer;
  #losses = 0;
  #steadyTimer;

  constructor(url, on) {
    this.#url = url;
    this.#on = on;
    addEventListener("online", () => this.retry());
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    this.#timer = undefined;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#steadyTimer = setTimeout(() => {
        this.#losses = 0;
      }, STEADY_MS);
      this.#on.open();
    };
    socket.onmessage = (event) => this.#on.message(JSON.parse(event.data));
    socket.onclose = (event) => this.#lost(socket, event);
  }

  send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  /** Tries at once, where a try is being waited for. */
  retry() {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#on.retrying();
    this.connect();
  }

  /** Leaves for good. */
  close() {
    clearTimeout(this.#timer);
    clearTimeout(this.#steadyTimer);
    this.#timer = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(1000);
  }

  #lost(socket, { code, reason }) {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    clearTimeout(this.#steadyTimer);
    // 1008: we broke a rule. 4000 and above are the room's own: full, name taken, taken over by another tab.
    if (code === 1008 || code >= 4000) return this.#on.end(code, reason);
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#losses++);
    const waitMs = longest / 2 + (Math.random() * longest) / 2;
    this.#timer = setTimeout(() => {
      this.#on.retrying();
      this.connect();
    }, waitMs);
    this.#on.wait(Date.now() + waitMs);
  }
}
