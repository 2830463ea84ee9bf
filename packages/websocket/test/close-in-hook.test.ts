// A hook that closes may wait for it: the peer's answer is read although the hook is pending. In virtual time, of which
// nothing here takes any: what would end by closeTimeoutMs does not end.

import { virtualLoop } from "@tw/ioloop/testing";
import type { IOStream } from "@tw/iostream";
import { Deferred } from "@tw/util";
import { WebSocketMachine, type WebSocketRole, type WireChunks } from "@tw/wsproto";
import { describe, expect, test } from "vitest";
import { WebSocketConnection, type WebSocketListener, type WebSocketOptions } from "../src/index.js";
import { MemoryLogger, streamPair } from "./support.js";

type Hooks = Partial<WebSocketListener> & { readonly open?: () => unknown };

/** A connection, its peer, which answers nothing by itself, and what happened. */
class Setup {
  readonly logger = new MemoryLogger();
  readonly events: string[] = [];
  readonly connection: WebSocketConnection;
  readonly peer: WebSocketMachine;
  readonly stream: IOStream;
  readonly #virtual = virtualLoop({ logger: this.logger });

  constructor(
    role: WebSocketRole,
    cut: string,
    hooks: (setup: Setup) => Hooks,
    limits: WebSocketOptions = {},
  ) {
    const { loop } = this.#virtual;
    const [ours, theirs] = streamPair(loop, cut === "whole" ? {} : { chunk: () => 1 });
    this.stream = theirs;
    this.peer =
      role === "server"
        ? new WebSocketMachine("client", { maskingKey: () => 0x12345678 })
        : new WebSocketMachine("server");
    const { open, ...listener } = hooks(this);
    const all: WebSocketListener = {
      onMessage: (message) => void this.events.push(String(message)),
      onClose: (code, reason) => void this.events.push(`onClose ${code} ${reason}`.trim()),
      ...listener,
    };
    this.connection = new WebSocketConnection(ours, role, all, { loop, logger: this.logger, ...limits });
    theirs.attach({
      onBytes: (view) => {
        this.peer.receive(view);
        for (let event = this.peer.next(); event !== undefined; event = this.peer.next())
          if (event.type === "close") this.events.push(`sent close ${event.code} ${event.reason}`.trim());
        this.peer.retain();
      },
      onEnd() {},
      onDrain() {},
      onClose() {},
    });
    this.connection.start(open);
  }

  /** The peer sends frames; lets the loop work without letting time pass. */
  async send(...frames: WireChunks[]): Promise<void> {
    for (const chunk of frames.flat()) this.stream.send(chunk);
    await this.settle();
  }

  /** The peer sends no more. */
  async end(): Promise<void> {
    this.stream.end();
    await this.settle();
  }

  async pass(ms: number): Promise<void> {
    await this.#virtual.host.advance(ms);
    await this.settle();
  }

  async closeLoop(): Promise<void> {
    await this.settle();
    await this.#virtual.loop.close();
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 5; i++) await this.#virtual.host.advance(0);
  }
}

describe.each([
  ["server", "whole"],
  ["server", "byte by byte"],
  ["client", "whole"],
  ["client", "byte by byte"],
] as const)("a %s whose input comes %s", (role, cut) => {
  test("onMessage closes at once: ends with the peer's answer, and messages in between are dropped", async () => {
    const setup = new Setup(role, cut, ({ events }) => ({
      onMessage: async (message) => {
        events.push(`begin ${message}`);
        await setup.connection.close(4001, "bye");
        events.push(`end ${message} ${setup.connection.closeCode}`);
      },
    }));
    const { peer, events } = setup;
    await setup.send(peer.sendText("a"), peer.sendText("b"), peer.ping("p"));
    expect(events).toEqual(["begin a", "sent close 4001 bye"]);
    await setup.send(peer.sendBinary(new Uint8Array(1000)), peer.close(4001, "well"));
    await setup.end();
    expect(events.slice(2)).toEqual(["onClose 4001 well", "end a 4001"]);
    expect(setup.connection.error).toBeUndefined();
    expect(setup.logger.lines).toEqual([]);
  });

  test("onMessage closes after it waited, while a part of the next frame was held back", async () => {
    const gate = new Deferred();
    const setup = new Setup(role, cut, ({ events }) => ({
      onMessage: async (message) => {
        await gate.promise;
        await setup.connection.close(4001);
        events.push(`end ${message} ${setup.connection.closeCode}`);
      },
    }));
    const { peer, events } = setup;
    const next = Buffer.concat(
      peer.sendBinary(new Uint8Array(300)).map((chunk) => Buffer.from(chunk as string, "latin1")),
    );
    await setup.send(peer.sendText("a"), [next.subarray(0, 100)]);
    gate.resolve();
    await setup.settle();
    expect(events).toEqual(["sent close 4001"]);
    await setup.send([next.subarray(100)], peer.ping(), peer.close(4001));
    await setup.end();
    expect(events.slice(1)).toEqual(["onClose 4001", "end a 4001"]);
  });

  test("a hook that began behind close() waits for it: the answer that lies behind is read when the time is over", async () => {
    const setup = new Setup(role, cut, ({ events }) => ({
      onMessage: async (message) => {
        events.push(`begin ${message}`);
        await setup.connection.whenClosed;
        events.push(`end ${message}`);
      },
    }));
    const { peer, events } = setup;
    const closed = setup.connection.close(1001);
    await setup.settle();
    await setup.send(peer.sendText("a"), peer.sendText("b"), peer.close(1001));
    await setup.end();
    expect(events).toEqual(["sent close 1001", "begin a"]);
    await setup.pass(5000);
    await closed;
    expect(events.slice(2)).toEqual(["onClose 1001", "end a"]);
    expect(setup.connection.error).toBeUndefined();
  });

  test("a peer that goes away while a hook writes to it is no error", async () => {
    const setup = new Setup(role, cut, () => ({
      onMessage: async () => {
        for (;;) await setup.connection.writeMessage(new Uint8Array(1_000_000));
      },
    }));
    setup.stream.pause();
    await setup.send(setup.peer.sendText("a"));
    setup.stream.abort();
    await setup.settle();
    expect(setup.connection.state).toBe("closed");
    expect(setup.logger.lines).toEqual([expect.stringMatching(/^debug: The peer went away/)]);
  });

  test("on a closed loop close() says goodbye and ends, and so does what the peer says", async () => {
    for (const who of ["we", "the peer"]) {
      const setup = new Setup(role, cut, () => ({}));
      await setup.closeLoop();
      if (who === "we") await setup.connection.close(4001);
      else setup.stream.abort();
      await setup.connection.whenClosed;
      expect(setup.connection.state).toBe("closed");
      expect(setup.logger.lines).toEqual([]);
    }
  });

  test("somebody else closes while onMessage is pending: onClose does not wait for it", async () => {
    const gate = new Deferred();
    const setup = new Setup(role, cut, ({ events }) => ({
      onMessage: async (message) => {
        events.push(`begin ${message}`);
        await gate.promise;
        events.push(`end ${message}`);
      },
    }));
    const { peer, events } = setup;
    await setup.send(peer.sendText("a"), peer.sendText("b"));
    const closed = setup.connection.close(1001);
    await setup.settle();
    await setup.send(peer.sendText("c"), peer.close());
    await setup.end();
    await closed;
    gate.resolve();
    await setup.settle();
    expect(events).toEqual(["begin a", "sent close 1001", "onClose 1001", "end a"]);
  });

  test("it closes before and again in a hook: that one may wait, too", async () => {
    const setup = new Setup(role, cut, ({ events }) => ({
      onMessage: async (message) => {
        events.push(`begin ${message}`);
        await setup.connection.close();
        events.push(`end ${message}`);
      },
    }));
    const { peer, events } = setup;
    void setup.connection.close(1000);
    await setup.settle();
    await setup.send(peer.sendText("a"), peer.sendText("b"), peer.close());
    await setup.end();
    expect(events).toEqual(["sent close 1000", "begin a", "onClose 1000", "end a"]);
  });

  test("a peer that ends the connection in place of an answer is 1006 at once", async () => {
    const setup = new Setup(role, cut, ({ events }) => ({
      onMessage: async () => void events.push(`end ${await setup.connection.close()}`),
    }));
    const { peer, events } = setup;
    await setup.send(peer.sendText("a"));
    await setup.end();
    expect(events).toEqual(["sent close 1005", "onClose 1006", "end undefined"]);
  });

  test("a peer that goes on sending for ever is read and dropped, up to the longest message", async () => {
    const gate = new Deferred();
    const setup = new Setup(role, cut, () => ({ onMessage: () => gate.promise }), { maxMessageSize: 1000 });
    const { peer, events } = setup;
    await setup.send(peer.sendText("a"));
    for (let i = 0; i < 20; i++) await setup.send(peer.sendBinary(new Uint8Array(1000)));
    void setup.connection.close();
    for (let i = 0; i < 20; i++) await setup.send(peer.sendBinary(new Uint8Array(1000)));
    expect(setup.stream.bufferedAmount).toBe(0);
    expect(events).toEqual(["sent close 1005"]);
    await setup.send(peer.sendBinary(new Uint8Array(1001)));
    await setup.end();
    expect(events.slice(1)).toEqual(["onClose 1009 Message is longer than 1000 bytes"]);
  });

  test("what the hook throws afterwards is logged, and changes nothing", async () => {
    const setup = new Setup(role, cut, () => ({
      onMessage: async () => {
        await setup.connection.close(4001);
        throw new Error("late");
      },
    }));
    const { peer, events } = setup;
    await setup.send(peer.sendText("a"), peer.close(4001));
    await setup.end();
    expect(events).toEqual(["sent close 4001", "onClose 4001"]);
    expect(setup.logger.lines).toEqual(["error: Uncaught exception WebSocket"]);
  });

  test.each(["at once", "later"])(
    "open closes, %s: no message comes, and onClose when open is done",
    async (when) => {
      const gate = new Deferred();
      const setup = new Setup(role, cut, (self) => ({
        open: async () => {
          if (when === "later") await gate.promise;
          await self.connection.close(4001);
          await self.connection.close();
          self.events.push("opened");
        },
      }));
      const { peer, events } = setup;
      await setup.send(peer.sendText("a"));
      gate.resolve();
      await setup.send(peer.sendText("b"), peer.close(4001));
      await setup.end();
      await setup.connection.whenClosed;
      expect(events).toEqual(["sent close 4001", "opened", "onClose 4001"]);
    },
  );

  test("open closes when the peer has gone already", async () => {
    const gate = new Deferred();
    const setup = new Setup(role, cut, ({ events }) => ({
      open: async () => {
        await gate.promise;
        await setup.connection.close();
        events.push("opened");
      },
    }));
    setup.stream.abort();
    await setup.settle();
    gate.resolve();
    await setup.settle();
    expect(setup.events).toEqual(["opened", "onClose 1006"]);
  });
});
