import { MAX_DELAY_MS } from "@tw/ioloop";
import { Deferred } from "@tw/util";
import { RequestHandler } from "@tw/web";
import { beginUpgrade } from "@tw/wsproto";
import { describe, expect, test } from "vitest";
import { HandshakeDelegate } from "../src/client-handshake.js";
import { type Message, websocketConnect } from "../src/index.js";
import { Echo, onEveryCarrier } from "./support.js";

/** Sends what its path says, then waits to be closed. */
class Teller extends Echo {
  override async open(count: string): Promise<void> {
    for (let i = 1; i <= Number(count); i++) {
      await this.writeMessage(`${i}`.padEnd(10_000, "."));
      this.settings.journal?.add(`sent ${i}`);
    }
  }
}

onEveryCarrier((bench) => {
  test("readMessage gives messages in order and null at the end, also again", async () => {
    await bench.serve([["/", Echo]]);
    const socket = await bench.connect();
    expect([socket.state, socket.closeCode, socket.closeReason]).toEqual(["open", undefined, undefined]);
    socket.writeMessage("a");
    socket.writeMessage("é€");
    socket.writeMessage(Uint8Array.of(1, 2));
    expect(await socket.readMessage()).toBe("a");
    expect(await socket.readMessage()).toBe("é€");
    expect(await socket.readMessage()).toEqual(Uint8Array.of(1, 2));
    await socket.close(4001, "done");
    expect([socket.state, socket.closeCode, socket.closeReason]).toEqual(["closed", 4001, ""]);
    expect([await socket.readMessage(), await socket.readMessage()]).toEqual([null, null]);
    expect(await bench.journal.until("close")).toEqual(["open", "close 4001 done"]);
    expect(socket.error).toBeUndefined();
  });

  test("close resolves at once for an idle connection, and twice", async () => {
    await bench.serve([["/", Echo]]);
    const socket = await bench.connect();
    await Promise.all([socket.close(), socket.close(4000)]);
    await socket.close();
    expect(socket.closeCode).toBe(1005);
    expect(await bench.journal.until("close")).toEqual(["open", "close 1005"]);
  });

  test("close does not wait for messages that nobody reads", async () => {
    await bench.serve([["/:count", Teller]]);
    const socket = await bench.connect("/3");
    await bench.journal.until("sent 3");
    await socket.close();
    expect(socket.closeCode).toBe(1005);
  });

  test("a slow reader slows the server: one message is held and the rest stays in the network", async () => {
    await bench.serve([["/:count", Teller]]);
    const socket = await bench.connect("/2000");
    const first = await socket.readMessage();
    expect(first).toHaveLength(10_000);
    for (let i = 0; i < 50; i++)
      await new Promise<void>((resolve) => bench.loop.addCallback(() => resolve()));
    expect(bench.journal.entries.length).toBeLessThan(1999);
    socket.abort();
  });

  test("for await gives every message up to the end", async () => {
    class Three extends Echo {
      override open(): void {
        for (const text of ["1", "2", "3"]) this.writeMessage(text);
        this.close(1000);
      }
    }
    await bench.serve([["/", Three]]);
    const messages: Message[] = [];
    for await (const message of await bench.connect()) messages.push(message);
    expect(messages).toEqual(["1", "2", "3"]);
  });

  test("onMessage takes the messages one at a time, in place of readMessage; onClose comes once", async () => {
    await bench.serve([["/", Echo]]);
    const seen: string[] = [];
    const closed = new Deferred();
    const socket = await bench.connect("/", {
      onMessage: async (message) => {
        seen.push(`begin ${message}`);
        await new Promise<void>((resolve) => bench.loop.addCallback(() => resolve()));
        seen.push(`end ${message}`);
        if (message === "b") socket.close(1000, "enough");
      },
      onClose: (code, reason) => {
        seen.push(`close ${code} ${reason}`);
        closed.resolve();
      },
    });
    expect(() => socket.readMessage()).toThrow(TypeError);
    socket.writeMessage("a");
    socket.writeMessage("b");
    await closed.promise;
    expect(seen).toEqual(["begin a", "end a", "begin b", "end b", "close 1000 "]);
  });

  test("callbacks come behind the connection that they are about, however early their cause", async () => {
    class Hasty extends Echo {
      override open(): void {
        this.ping("p");
        for (const text of ["1", "2"]) this.writeMessage(text);
        this.close(4001, "bye");
      }
    }
    await bench.serve([["/", Hasty]]);
    const seen: string[] = [];
    const closed = new Deferred();
    const tell = (what: string): void => void seen.push(`${what} ${socket.headers.get("Upgrade")}`);
    const connecting = bench.connect("/", {
      onPing: () => tell("ping"),
      onMessage: (message) => tell(message as string),
      onClose: (code, reason) => {
        tell(`close ${code} ${reason}`);
        closed.resolve();
      },
    });
    const socket = await (async () => await (async () => await connecting)())();
    seen.push("connected");
    await closed.promise;
    const expected = ["ping", "1", "2", "close 4001 bye"].map((what) => `${what} websocket`);
    expect(seen).toEqual(["connected", ...expected]);
    expect(bench.logger.lines).toEqual([]);
  });

  test("close() at once does not cost what is under way", async () => {
    class Hasty extends Echo {
      override open(): void {
        for (const text of ["1", "2"]) this.writeMessage(text);
      }
    }
    await bench.serve([["/", Hasty]]);
    const seen: unknown[] = [];
    const socket = await bench.connect("/", { onMessage: (message) => void seen.push(message) });
    await socket.close(4001);
    expect(seen).toEqual(["1", "2"]);
  });

  test("onMessage may wait for its close(): it ends with the server's answer", async () => {
    await bench.serve([["/", Echo]]);
    const seen: string[] = [];
    const done = new Deferred();
    const socket = await bench.connect("/", {
      onMessage: async (message) => {
        seen.push(`begin ${message}`);
        await socket.close(4001, "bye");
        seen.push(`end ${message}`);
        done.resolve();
      },
      onClose: (code) => void seen.push(`close ${code}`),
    });
    for (const message of ["a", "b", "c"]) socket.writeMessage(message);
    await done.promise;
    expect(seen).toEqual(["begin a", "close 4001", "end a"]);
    expect(await bench.journal.until("close")).toEqual(["open", "close 4001 bye"]);
  });

  test("a second readMessage rejects, and takes nothing from the first", async () => {
    await bench.serve([["/", Echo]]);
    const socket = await bench.connect();
    const first = socket.readMessage();
    await expect(socket.readMessage()).rejects.toMatchObject({ code: "ERR_TW_WEBSOCKET_BUSY" });
    socket.writeMessage("a");
    expect(await first).toBe("a");
  });

  test("ping and pong in both directions", async () => {
    const heard: string[] = [];
    const pong = new Deferred();
    class Pinging extends Echo {
      override open(): void {
        this.ping("from server");
      }
    }
    await bench.serve([["/", Pinging]]);
    const socket = await bench.connect("/", {
      onPing: (payload) => void heard.push(`ping ${Buffer.from(payload)}`),
      onPong: (payload) => {
        heard.push(`pong ${Buffer.from(payload)}`);
        pong.resolve();
      },
    });
    socket.ping("from client");
    await pong.promise;
    await bench.journal.until("pong");
    expect(heard).toEqual(["ping from server", "pong from client"]);
    expect([...bench.journal.entries].sort()).toEqual(["ping from client", "pong from server"]);
    expect(() => socket.ping(new Uint8Array(126))).toThrow(RangeError);
  });

  test("subprotocols, origin and headers go out, the choice and the header come back", async () => {
    let asked: Record<string, string | null> = {};
    class Asked extends Echo {
      override selectSubprotocol(protocols: readonly string[]): string | undefined {
        const { headers } = this.request;
        asked = { origin: headers.get("Origin"), x: headers.get("X"), auth: headers.get("Authorization") };
        return protocols.at(-1);
      }
      override checkOrigin(): boolean {
        return true;
      }
    }
    await bench.serve([["/", Asked]]);
    const url = `ws://u:pe%CC%81@127.0.0.1:${bench.port}/`;
    const engine = bench.carrier === "memory" ? {} : { engine: bench.carrier };
    const socket = await websocketConnect(url, {
      loop: bench.loop,
      ...engine,
      subprotocols: ["p1", "p2"],
      origin: "http://b",
      headers: { X: "y" },
    });
    expect(asked).toEqual({
      origin: "http://b",
      x: "y",
      auth: `Basic ${Buffer.from("u:p\u00e9").toString("base64")}`,
    });
    expect(socket.selectedSubprotocol).toBe("p2");
    expect(socket.headers.get("Upgrade")).toBe("websocket");
    await socket.close();
  });

  describe("a handshake fails", () => {
    test.each([
      ["/nowhere", 404],
      ["/plain", 200],
      ["/moved", 302],
    ])("%s answers %i", async (path, status) => {
      class Plain extends RequestHandler {
        get(): string {
          return "x".repeat(100_000);
        }
      }
      class Moved extends RequestHandler {
        get(): void {
          this.redirect("/");
        }
      }
      await bench.serve([
        ["/", Echo],
        ["/plain", Plain],
        ["/moved", Moved],
      ]);
      await expect(bench.connect(path)).rejects.toMatchObject({ code: "ERR_TW_WEBSOCKET_HANDSHAKE", status });
      expect(bench.journal.entries).toEqual([]);
    });

    test("the origin is refused: 403", async () => {
      await bench.serve([["/", Echo]]);
      await expect(bench.connect("/", { origin: "http://b" })).rejects.toMatchObject({ status: 403 });
    });

    test("nobody listens: ECONNREFUSED", async () => {
      await bench.serve([["/", Echo]]);
      await bench.tearDown();
      await expect(bench.connect()).rejects.toMatchObject({ code: "ECONNREFUSED" });
    });

    test("the signal was aborted before, or is during the handshake", async () => {
      class Hanging extends Echo {
        override prepare(): Promise<void> {
          bench.journal.add("asked");
          return new Promise(() => {});
        }
      }
      await bench.serve([["/", Hanging]]);
      const reason = new Error("enough");
      await expect(bench.connect("/", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      const cancel = new AbortController();
      const connecting = bench.connect("/", { signal: cancel.signal });
      await bench.journal.until("asked");
      cancel.abort(reason);
      await expect(connecting).rejects.toBe(reason);
    });
  });
});

describe("wrong arguments", () => {
  test.each(["http://a/", "wss://a/", "ws://a/#b", "a", "ws://", 'ws://a"b/', "ws://a:%zz@d/"])(
    "%s is a TypeError",
    async (url) => {
      await expect(websocketConnect(url)).rejects.toBeInstanceOf(TypeError);
    },
  );

  // Of these new URL() would drop CR, LF and TAB, and what is at either end, and ask for something else.
  const controls = [...Array.from({ length: 32 }, (_, code) => code), 127];
  test.each(controls)(
    "S-33: a URL with the control character %i is a TypeError without its password",
    async (code) => {
      const control = String.fromCharCode(code);
      for (const url of [
        `ws://me:secret@a/b${control}c`,
        `ws://me:secret@a/?b${control}c`,
        `ws://me:secret@a${control}b/`,
        `w${control}s://me:secret@a/`,
        `ws://me:sec${control}ret@a/`,
        `${control}ws://me:secret@a/`,
        `ws://me:secret@a/${control}`,
      ]) {
        const failure = await websocketConnect(url).catch((error) => error);
        expect(failure).toBeInstanceOf(TypeError);
        expect(failure.message).toMatch(/^Control character in the URL at index \d+$/);
      }
    },
  );

  test.each([
    ["a subprotocol that is no token", { subprotocols: ["a b"] }, TypeError],
    ["a subprotocol twice", { subprotocols: ["a", "a"] }, TypeError],
    ["a field of the handshake", { headers: { "sec-websocket-key": "x" } }, TypeError],
    ["Transfer-Encoding", { headers: { "Transfer-Encoding": "chunked" } }, TypeError],
    ["Content-Length", { headers: { "Content-Length": "5" } }, TypeError],
    ["Expect", { headers: { Expect: "100-continue" } }, TypeError],
    ["Keep-Alive", { headers: { "Keep-Alive": "timeout=5" } }, TypeError],
    ["Proxy-Connection", { headers: { "Proxy-Connection": "close" } }, TypeError],
    ["TE", { headers: { TE: "trailers" } }, TypeError],
    ["Trailer", { headers: { Trailer: "X" } }, TypeError],
    ["a malformed Host", { headers: { Host: "a b" } }, TypeError],
    ["a line break in a field", { headers: { a: "b\r\nc: d" } }, TypeError],
    ["a negative time-out", { connectTimeoutMs: -1 }, RangeError],
    ["a time-out beyond what a timer takes", { connectTimeoutMs: 1e12 + 1 }, RangeError],
    ["a time to close that no timer takes", { closeTimeoutMs: MAX_DELAY_MS + 1 }, RangeError],
    ["a limit of 0", { maxMessageSize: 0 }, RangeError],
    ["a callback that is none", { onMessage: 1 as never }, TypeError],
  ])("%s is refused before anything is sent", async (_name, options, kind) => {
    await expect(websocketConnect("ws://127.0.0.1:1/", options)).rejects.toBeInstanceOf(kind);
  });
});

test("a handshake that nobody waits for fails unheard", async () => {
  const escaped: unknown[] = [];
  const onEscape = (error: unknown): void => void escaped.push(error);
  process.on("unhandledRejection", onEscape);
  const delegate = new HandshakeDelegate(beginUpgrade(new Uint8Array(16)), () => {});
  delegate.onConnectionClose(new Error("gone"));
  await new Promise(setImmediate);
  process.off("unhandledRejection", onEscape);
  expect(escaped).toEqual([]);
  await expect(delegate.whenSettled).rejects.toMatchObject({ code: "ERR_TW_WEBSOCKET_HANDSHAKE" });
});
