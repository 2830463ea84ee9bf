// The driver over a pair of streams in virtual time: time-outs, back-pressure, limits, and how input is cut.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IOLoop } from "@tw/ioloop";
import { type VirtualHost, virtualLoop } from "@tw/ioloop/testing";
import type { IOStream } from "@tw/iostream";
import { Deferred, fromLatin1 } from "@tw/util";
import { WebSocketMachine, type WebSocketRole } from "@tw/wsproto";
import { describe, expect, test } from "vitest";
import {
  type Message,
  WebSocketConnection,
  type WebSocketConnectionOptions,
  type WebSocketListener,
} from "../src/index.js";
import { MemoryLogger, streamPair } from "./support.js";

/** One connection, its peer's stream, and what happened. */
class Setup {
  readonly host: VirtualHost;
  readonly loop: IOLoop;
  readonly logger = new MemoryLogger();
  readonly peer: IOStream;
  readonly connection: WebSocketConnection;
  readonly events: string[] = [];
  received = "";
  peerError: unknown;
  peerClosed = false;

  constructor(
    role: WebSocketRole = "server",
    listener: Partial<WebSocketListener> = {},
    options: Partial<WebSocketConnectionOptions> & {
      readonly chunk?: (available: number) => number;
      readonly deaf?: boolean;
    } = {},
  ) {
    const { loop, host } = virtualLoop({ logger: this.logger });
    this.loop = loop;
    this.host = host;
    const { chunk, deaf, ...limits } = options;
    const [ours, theirs] = streamPair(loop, chunk === undefined ? {} : { chunk });
    this.peer = theirs;
    const all: WebSocketListener = {
      onMessage: (message: Message) =>
        void this.events.push(typeof message === "string" ? message : `b${message.join()}`),
      onClose: (code, reason) => void this.events.push(`close ${code} ${reason}`.trim()),
      ...listener,
    };
    this.connection = new WebSocketConnection(ours, role, all, { loop, logger: this.logger, ...limits });
    theirs.attach({
      onBytes: (view) => {
        this.received += fromLatin1(view);
      },
      onEnd() {},
      onDrain() {},
      onClose: (error) => {
        this.peerClosed = true;
        this.peerError = error;
      },
    });
    if (deaf) theirs.pause();
    this.connection.start();
  }

  send(hex: string): void {
    this.peer.write(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  }
}

describe("closing", () => {
  test.each(["server", "client"] as const)(
    "a %s whose peer never answers closes after closeTimeoutMs, as 1006",
    async (role) => {
      const { connection, events, host } = new Setup(role);
      const closed = connection.close(1000);
      await host.advance(4999);
      expect([connection.state, events]).toEqual(["closing", []]);
      await host.advance(1);
      await host.advance(0);
      await closed;
      expect([connection.state, connection.closeCode, events]).toEqual(["closed", 1006, ["close 1006"]]);
    },
  );

  test("closeTimeoutMs is an option", async () => {
    const { connection, host } = new Setup("server", {}, { closeTimeoutMs: 10 });
    connection.close();
    await host.advance(9);
    expect(connection.state).toBe("closing");
    await host.advance(2);
    expect(connection.state).toBe("closed");
  });

  test("a client waits for the server to close the connection, and then closes its side", async () => {
    const setup = new Setup("client");
    setup.send("88 02 03e8");
    await setup.host.advance(100);
    expect(setup.received.length).toBe(8);
    expect([setup.connection.state, setup.peerClosed]).toEqual(["closing", false]);
    setup.peer.end();
    await setup.host.advance(0);
    await setup.host.advance(0);
    expect([setup.connection.state, setup.events]).toEqual(["closed", ["close 1000"]]);
    expect(setup.peerError).toBeUndefined();
  });

  test("a client does not wait for ever for the server to close the connection", async () => {
    const setup = new Setup("client");
    setup.send("88 02 03e8");
    await setup.host.advance(5001);
    expect([setup.connection.state, setup.events]).toEqual(["closed", ["close 1000"]]);
  });

  test("a server closes at once after both Close frames, and leaves no timer", async () => {
    const setup = new Setup("server");
    setup.connection.close(4000, "x");
    setup.send("88 82 00000000 0fa0");
    await setup.host.advance(1);
    setup.peer.end();
    await setup.host.advance(1);
    expect([setup.connection.state, setup.connection.closeCode]).toEqual(["closed", 4000]);
    expect(setup.events).toEqual(["close 4000"]);
  });

  test("messages that were under way are delivered after close()", async () => {
    const setup = new Setup("server");
    setup.connection.close();
    setup.send("81 81 00000000 61 88 80 00000000");
    await setup.host.advance(1);
    setup.peer.end();
    await setup.host.advance(1);
    expect(setup.events).toEqual(["a", "close 1005"]);
  });

  test("abort is 1006 for both, now", async () => {
    const setup = new Setup("server");
    const reason = new Error("no");
    setup.connection.abort(reason);
    setup.connection.abort();
    await setup.host.advance(0);
    expect([setup.connection.error, setup.connection.closeCode, setup.events]).toEqual([
      reason,
      1006,
      ["close 1006"],
    ]);
    expect(setup.peerClosed).toBe(true);
  });

  test("whenClosed resolves for everybody who asked, also afterwards", async () => {
    const setup = new Setup("server");
    const before = setup.connection.whenClosed;
    setup.peer.abort();
    await setup.host.advance(0);
    await Promise.all([before, setup.connection.whenClosed, setup.connection.close()]);
    expect(setup.events).toEqual(["close 1006"]);
  });

  test("a bad code or reason throws and leaves the connection open", async () => {
    const { connection } = new Setup("server");
    expect(() => connection.close(1005 + 1)).toThrow(RangeError);
    expect(() => connection.close(1000, "x".repeat(124))).toThrow(RangeError);
    expect(connection.state).toBe("open");
  });

  test("the peer goes away while onMessage is pending: onClose at once, and no message after it", async () => {
    const release = new Deferred();
    const events: string[] = [];
    const setup = new Setup("server", {
      onMessage: (message) => {
        events.push(String(message));
        return release.promise;
      },
      onClose: (code) => void events.push(`close ${code}`),
    });
    setup.send("81 81 00000000 61 81 81 00000000 62");
    await setup.host.advance(1);
    setup.peer.abort();
    await setup.host.advance(1);
    expect(events).toEqual(["a", "close 1006"]);
    release.resolve();
    await setup.host.advance(1);
    expect(events).toEqual(["a", "close 1006"]);
  });

  test("a listener that fails while its peer is gone is logged, and nothing else", async () => {
    const release = new Deferred();
    const setup = new Setup("server", { onMessage: () => release.promise });
    setup.send("81 81 00000000 61");
    await setup.host.advance(1);
    setup.peer.abort();
    await setup.host.advance(1);
    release.reject(new Error("late"));
    await setup.host.advance(1);
    expect(setup.logger.lines).toEqual(["error: Uncaught exception WebSocket"]);
    expect(setup.events).toEqual(["close 1006"]);
  });

  test("when the loop is stopped by a signal every connection closes with 1001", async () => {
    const setup = new Setup("server");
    const other = new Setup("client");
    const running = setup.loop.start({ signals: true });
    setup.host.signal("SIGTERM");
    await setup.host.advance(1);
    expect(Buffer.from(setup.received, "latin1").toString("hex")).toBe("880203e9");
    setup.send("88 82 00000000 03e9");
    setup.peer.end();
    await setup.host.advance(1);
    await running;
    expect(setup.events).toEqual(["close 1001"]);
    expect(other.connection.state).toBe("open");
  });
});

describe("back-pressure", () => {
  test("writeMessage resolves at once while the peer reads, and waits when it does not", async () => {
    const setup = new Setup("server", {}, { deaf: true });
    await setup.connection.writeMessage("a");
    let done = 0;
    const writes = [1, 2, 3].map(() =>
      setup.connection.writeMessage(new Uint8Array(100_000)).then(() => done++),
    );
    await setup.host.advance(10);
    expect(done).toBe(0);
    expect(setup.connection.bufferedAmount).toBeGreaterThan(200_000);
    setup.peer.resume();
    await setup.host.advance(10);
    await Promise.all(writes);
    expect(setup.connection.bufferedAmount).toBe(0);
    expect(setup.received.length).toBe(3 + 3 * 100_010);
  });

  test("a write that waits rejects when the connection goes away", async () => {
    const setup = new Setup("server", {}, { deaf: true });
    const write = setup.connection.writeMessage(new Uint8Array(1_000_000));
    await setup.host.advance(1);
    setup.peer.abort();
    await setup.host.advance(1);
    await expect(write).rejects.toMatchObject({ code: "ERR_TW_WEBSOCKET_CLOSED" });
    expect(setup.events).toEqual(["close 1006"]);
  });

  test("above maxBufferedAmount a write is refused and the connection aborted", async () => {
    const setup = new Setup("server", {}, { deaf: true, maxBufferedAmount: 300_000 });
    for (let i = 0; i < 2; i++) setup.connection.writeMessage(new Uint8Array(200_000));
    await setup.host.advance(1);
    expect(setup.connection.bufferedAmount).toBeGreaterThan(300_000);
    await expect(setup.connection.writeMessage("a")).rejects.toMatchObject({ code: "ERR_TW_WEBSOCKET" });
    await setup.host.advance(1);
    expect([setup.connection.closeCode, setup.events]).toEqual([1006, ["close 1006"]]);
    expect(setup.connection.error).toMatchObject({ code: "ERR_TW_WEBSOCKET" });
  });

  test("a message beyond the stream's own limit aborts, since half of it may be out", async () => {
    const setup = new Setup("server", {}, { deaf: true });
    const huge = setup.connection.writeMessage(new Uint8Array(101 * 1024 * 1024));
    await expect(huge).rejects.toMatchObject({ code: "ERR_TW_WEBSOCKET_CLOSED" });
    await setup.host.advance(1);
    expect(setup.connection.state).toBe("closed");
  });

  test("a peer that pings and does not read is not read any more", async () => {
    const setup = new Setup("server", {}, { deaf: true });
    const ping = `89 fd 00000000 ${"00".repeat(125)}`;
    for (let i = 0; i < 4000; i++) setup.send(ping);
    await setup.host.advance(100);
    expect(setup.connection.bufferedAmount).toBeLessThan(150_000);
    setup.peer.resume();
    await setup.host.advance(100);
    expect(setup.received.length).toBe(4000 * 127);
  });

  test("while onMessage is pending nothing more is read from the stream", async () => {
    const release = new Deferred();
    const setup = new Setup("server", { onMessage: () => release.promise });
    setup.send("81 81 00000000 61");
    await setup.host.advance(1);
    for (let i = 0; i < 10; i++) setup.peer.write(new Uint8Array(50_000));
    await setup.host.advance(10);
    expect(setup.peer.bufferedAmount).toBeGreaterThan(300_000);
    release.resolve();
    await setup.host.advance(10);
    expect(setup.peer.bufferedAmount).toBe(0);
  });
});

describe("however the input is cut", () => {
  const machine = new WebSocketMachine("client", { maskingKey: () => 0x12345678, fragmentSize: 50 });
  const chunks = [
    ...machine.sendText("hello"),
    ...machine.sendText("é€😀".repeat(40)),
    ...machine.ping("p"),
    ...machine.sendBinary(Uint8Array.from({ length: 300 }, (_, i) => i)),
    ...machine.sendText(""),
    ...machine.close(4000, "bye"),
  ];
  const wire = Buffer.concat(chunks as Uint8Array[]);
  const expected = [
    "hello",
    "é€😀".repeat(40),
    `b${Array.from({ length: 300 }, (_, i) => i & 255).join()}`,
    "",
    "close 4000 bye",
  ];
  let seed = 1;
  const random = (available: number): number => {
    seed = (seed * 48271) % 2147483647;
    return 1 + (seed % Math.min(available, 40));
  };

  test.each([
    ["whole", undefined, false],
    ["byte by byte", () => 1, false],
    ["at random", random, false],
    ["byte by byte, to a listener that waits", () => 1, true],
    ["at random, to a listener that waits", random, true],
    ["whole, to a listener that waits", undefined, true],
  ] as const)("%s: the same messages", async (_name, chunk, waits) => {
    const events: string[] = [];
    const listener: Partial<WebSocketListener> = {
      onMessage: async (message) => {
        if (waits) await Promise.resolve();
        events.push(typeof message === "string" ? message : `b${message.join()}`);
      },
      onClose: (code, reason) => void events.push(`close ${code} ${reason}`),
    };
    const setup = new Setup("server", listener, chunk === undefined ? {} : { chunk });
    setup.peer.write(wire);
    await setup.host.advance(1);
    setup.peer.end();
    await setup.host.advance(1);
    expect(events).toEqual(expected);
    expect(Buffer.from(setup.received, "latin1").toString("hex")).toBe("8a017088020fa0");
  });
});

test("opening, messages and closing can be observed", async () => {
  const seen: string[] = [];
  const onOpen = () => seen.push("open");
  const onMessage = (data: unknown) => seen.push((data as { message: string }).message);
  const onClose = (data: unknown) => seen.push(`close ${(data as { code: number }).code}`);
  subscribe("tw:websocket:open", onOpen);
  subscribe("tw:websocket:message", onMessage);
  subscribe("tw:websocket:close", onClose);
  const setup = new Setup("server");
  setup.send("81 81 00000000 61");
  await setup.host.advance(1);
  setup.connection.abort();
  await setup.host.advance(1);
  unsubscribe("tw:websocket:open", onOpen);
  unsubscribe("tw:websocket:message", onMessage);
  unsubscribe("tw:websocket:close", onClose);
  expect(seen).toEqual(["open", "a", "close 1006"]);
});

describe("options", () => {
  test.each([
    ["maxMessageSize", 0],
    ["maxBufferedAmount", -1],
    ["closeTimeoutMs", -1],
    ["closeTimeoutMs", 1e12 + 1],
    ["closeTimeoutMs", Number.NaN],
  ])("%s: %d is a RangeError", (name, value) => {
    expect(() => new Setup("server", {}, { [name]: value })).toThrow(RangeError);
  });
});
