import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { Deferred } from "@tw/util";
import { Application } from "@tw/web";
import { describe, expect, test } from "vitest";
import { type Message, WebSocketHandler } from "../src/index.js";
import { ACCEPT, Echo, Journal, KEY, onEveryCarrier } from "./support.js";

/** Memory has no addresses. */
const logged = /^error: Uncaught exception GET "\/" \((127\.0\.0\.1)?\)$/;

onEveryCarrier((bench) => {
  describe("a server that drains", () => {
    test("closes its WebSockets with 1001, waits for their answers, and counts them", async () => {
      const server = await bench.serve([["/", Echo]]);
      const clients = await Promise.all([bench.connect(), bench.connect()]);
      const result = await server.drain({ timeoutMs: 4000 });
      expect(result).toEqual({ finished: 0, closed: 0, upgraded: 2, aborted: 0 });
      await Promise.all(clients.map((client) => client.whenClosed));
      expect(clients.map((client) => client.closeCode)).toEqual([1001, 1001]);
      expect(bench.journal.entries.filter((entry) => entry.startsWith("close"))).toEqual([
        "close 1001",
        "close 1001",
      ]);
    });

    test("aborts at its deadline a WebSocket whose peer does not answer the Close frame", async () => {
      const server = await bench.serve([["/", Echo]]);
      const raw = await bench.raw();
      await raw.handshake();
      expect(await server.drain({ timeoutMs: 100 })).toEqual({
        finished: 0,
        closed: 0,
        upgraded: 0,
        aborted: 1,
      });
      expect(await raw.receive(4)).toBe("880203e9");
    });

    test("hears the answer of a client whose message is still being worked at", async () => {
      const release = new Deferred();
      class Working extends Echo {
        override onMessage(): Promise<void> {
          bench.journal.add("working");
          return release.promise;
        }
      }
      const server = await bench.serve([["/", Working]]);
      const client = await bench.connect();
      client.writeMessage("a");
      await bench.journal.until("working");
      expect(await server.drain({ timeoutMs: 4000 })).toMatchObject({ upgraded: 1, aborted: 0 });
      expect(bench.journal.entries).toEqual(["open", "working", "close 1001"]);
      release.resolve();
    });

    test("closes one that is opened meanwhile as well", async () => {
      const server = await bench.serve([["/", Echo]]);
      const raw = await bench.raw();
      const draining = server.drain({ timeoutMs: 4000 });
      expect(await raw.handshake()).toMatch(/^HTTP\/1\.1 101 /);
      expect(await raw.receive(4)).toBe("880203e9");
      raw.send("88 82 00000000 03e9");
      expect(await draining).toEqual({ finished: 0, closed: 0, upgraded: 1, aborted: 0 });
    });

    test("leaves no listener of theirs on its signal", async () => {
      const server = await bench.serve([["/", Echo]]);
      const client = await bench.connect();
      await client.close(1000);
      await bench.journal.until("close");
      const { draining } = server;
      await server.drain();
      expect(getEventListeners(draining, "abort")).toEqual([]);
    });
  });

  describe("handshake", () => {
    test("is answered with 101 and the accept hash, and nothing of an ordinary answer", async () => {
      await bench.serve([["/", Echo]]);
      const head = await (await bench.raw()).handshake();
      expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
      expect(head).toContain(`\r\nSec-Websocket-Accept: ${ACCEPT}\r\n`);
      expect(head).toMatch(/\r\nUpgrade: websocket\r\n/);
      expect(head).toMatch(/\r\nConnection: Upgrade\r\n/);
      expect(head).not.toMatch(/Content-|Transfer-Encoding|Sec-WebSocket-Protocol|Sec-WebSocket-Extensions/i);
    });

    test.each([
      ["no Upgrade", { Upgrade: undefined }, 400],
      ["another Upgrade", { Upgrade: "h2c" }, 400],
      ["a blank of another kind before Upgrade", { Upgrade: "\u00a0websocket" }, 400],
      ["a blank of another kind before Connection", { Connection: "\u00a0Upgrade" }, 400],
      ["no Connection", { Connection: undefined }, 400],
      ["no key", { "Sec-WebSocket-Key": undefined }, 400],
      ["no version", { "Sec-WebSocket-Version": undefined }, 426],
      ["version 12", { "Sec-WebSocket-Version": "12" }, 426],
      ["another origin", { Origin: "http://b" }, 403],
      ["origin null", { Origin: "null" }, 403],
      ["another old-style origin", { "Sec-WebSocket-Origin": "http://b" }, 403],
    ])("with %s is refused", async (_name, fields, status) => {
      await bench.serve([["/", Echo]]);
      const head = await (await bench.raw()).handshake(fields);
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      if (status === 426) expect(head).toContain("\r\nSec-Websocket-Version: 7, 8, 13\r\n");
      expect(bench.journal.entries).toEqual([]);
    });

    test.each([
      ["a list in Connection", { Connection: "keep-alive, Upgrade" }],
      ["version 8", { "Sec-WebSocket-Version": "8" }],
      ["the same origin", { Origin: "http://a" }],
      ["the same origin in capitals", { Origin: "http://A" }],
      ["the same origin behind TLS", { Origin: "https://a" }],
      ["a default port in Host", { Host: "a:80", Origin: "http://a" }],
      ["unknown extensions", { "Sec-WebSocket-Extensions": "permessage-deflate; x=y" }],
    ])("with %s is accepted", async (_name, fields) => {
      await bench.serve([["/", Echo]]);
      expect(await (await bench.raw()).handshake(fields)).toMatch(/^HTTP\/1\.1 101 /);
    });

    test("by POST is 405", async () => {
      await bench.serve([["/", Echo]]);
      expect(await (await bench.raw()).handshake({ "Content-Length": "0" }, "", "POST")).toMatch(
        /^HTTP\/1\.1 405 /,
      );
    });

    test("asks selectSubprotocol once, also with an empty list, and answers with its choice", async () => {
      const asked: (readonly string[])[] = [];
      class Choosing extends Echo {
        override selectSubprotocol(protocols: readonly string[]): string | undefined {
          asked.push(protocols);
          return protocols[1];
        }
        override open(): void {
          bench.journal.add(`chose ${this.selectedSubprotocol}`);
        }
      }
      await bench.serve([["/", Choosing]]);
      const head = await (await bench.raw()).handshake({ "Sec-WebSocket-Protocol": "p1, p2" });
      expect(head).toContain("\r\nSec-Websocket-Protocol: p2\r\n");
      expect(await (await bench.raw()).handshake()).not.toMatch(/Sec-WebSocket-Protocol/i);
      expect(asked).toEqual([["p1", "p2"], []]);
      expect(bench.journal.entries).toEqual(["chose p2", "chose undefined"]);
    });

    test("a subprotocol that was not offered is the handler's fault: 500", async () => {
      class Wrong extends Echo {
        override selectSubprotocol(): string {
          return "p9";
        }
      }
      await bench.serve([["/", Wrong]]);
      expect(await (await bench.raw()).handshake()).toMatch(/^HTTP\/1\.1 500 /);
    });

    test("prepare can refuse", async () => {
      class Refusing extends Echo {
        override prepare(): void {
          this.setStatus(401);
          this.finish("no");
        }
      }
      await bench.serve([["/", Refusing]]);
      expect(await (await bench.raw()).handshake()).toMatch(/^HTTP\/1\.1 401 /);
      expect(bench.journal.entries).toEqual([]);
    });
  });

  describe("messages", () => {
    test.each([
      ["text", "81 82 00000000 6869", "81026869"],
      ["masked text", "81 82 37fa213d 5f93", "81026869"],
      ["binary", "82 81 00000000 ff", "8201ff"],
      ["empty text", "81 80 00000000", "8100"],
      ["fragments", "01 82 00000000 6865 00 81 00000000 6c 80 82 00000000 6c6f", "810568656c6c6f"],
      [
        "a ping between fragments",
        "01 81 00000000 61 89 83 00000000 616263 80 81 00000000 62",
        "8a0361626381026162",
      ],
      ["ping", "89 83 00000000 616263", "8a03616263"],
    ])("%s is answered", async (_name, sent, answer) => {
      await bench.serve([["/", Echo]]);
      const raw = await bench.raw();
      await raw.handshake();
      raw.send(sent);
      expect(await raw.receive(answer.length / 2)).toBe(answer);
    });

    test("a message that comes in the packet of the handshake is read", async () => {
      await bench.serve([["/", Echo]]);
      const raw = await bench.raw();
      await raw.handshake({}, "\x81\x82\0\0\0\0hi");
      expect(await raw.receive(4)).toBe("81026869");
    });

    test("open gets the path's parameters", async () => {
      await bench.serve([["/room/:name", Echo]]);
      const socket = await bench.connect("/room/lobby");
      expect(await bench.journal.until("open lobby")).toEqual(["open lobby"]);
      await socket.close();
    });

    test("no message is read before an asynchronous open is done, and onClose comes after it", async () => {
      const release = new Deferred();
      class Slow extends Echo {
        override async open(): Promise<void> {
          await release.promise;
          bench.journal.add("opened");
        }
        override onMessage(message: Message): void {
          bench.journal.add(`message ${message}`);
        }
      }
      await bench.serve([["/", Slow]]);
      const raw = await bench.raw();
      await raw.handshake();
      raw.send("81 81 00000000 61");
      raw.send("81 81 00000000 62 88 80 00000000");
      const gone = await bench.connect();
      gone.abort();
      await gone.whenClosed;
      expect(bench.journal.entries).toEqual([]);
      release.resolve();
      await raw.until(() => false);
      await bench.journal.until("close 1006");
      await bench.journal.until("close 1005");
      expect([...bench.journal.entries].sort()).toEqual(
        ["close 1005", "close 1006", "message a", "message b", "opened", "opened"].sort(),
      );
      expect(bench.journal.entries.indexOf("close 1005")).toBeGreaterThan(
        bench.journal.entries.indexOf("message b"),
      );
    });

    test("the next message waits until onMessage is done with this one", async () => {
      let running = 0;
      let most = 0;
      class Slow extends Echo {
        override async onMessage(message: Message): Promise<void> {
          most = Math.max(most, ++running);
          await new Promise<void>((resolve) => this.application.loop.addCallback(() => resolve()));
          running--;
          bench.journal.add(String(message));
        }
      }
      await bench.serve([["/", Slow]]);
      const socket = await bench.connect();
      for (const text of ["1", "2", "3", "4", "5"]) socket.writeMessage(text);
      expect(await bench.journal.until("5")).toEqual(["open", "1", "2", "3", "4", "5"]);
      expect(most).toBe(1);
    });

    test("objects go out as JSON, bytes as binary, and `binary` overrides", async () => {
      class Writer extends Echo {
        override open(): void {
          this.writeMessage({ a: [1, "é"] });
          this.writeMessage([1, 2]);
          this.writeMessage(Uint8Array.of(1));
          this.writeMessage("é", { binary: true });
          this.writeMessage(Uint8Array.of(0xc3, 0xa9), { binary: false });
          for (const wrong of [1, null, undefined, new ArrayBuffer(1), new Uint16Array(1)]) {
            expect(() => this.writeMessage(wrong as never)).toThrow(TypeError);
          }
          expect(() => this.writeMessage(Uint8Array.of(0xff), { binary: false })).toThrow(TypeError);
          this.close(1000, "bye");
        }
      }
      await bench.serve([["/", Writer]]);
      const socket = await bench.connect();
      const messages: Message[] = [];
      for await (const message of socket) messages.push(message);
      expect(messages).toEqual(['{"a":[1,"é"]}', "[1,2]", Uint8Array.of(1), Uint8Array.of(0xc3, 0xa9), "é"]);
      await socket.whenClosed;
      expect([socket.closeCode, socket.closeReason]).toEqual([1000, "bye"]);
      expect(bench.logger.lines).toEqual([]);
    });

    test.each([
      [1000, 0],
      [1001, 1009],
    ])("a message of %i bytes at a limit of 1000 closes with %i", async (length, code) => {
      await bench.serve([["/", Echo]], { websocketMaxMessageSize: 1000 });
      const socket = await bench.connect();
      socket.writeMessage(new Uint8Array(length));
      const answer = await socket.readMessage();
      expect(answer?.length ?? null).toBe(code === 0 ? length : null);
      if (code !== 0) await socket.whenClosed;
      expect(socket.closeCode ?? 0).toBe(code);
    });

    test("a message of 70 000 bytes comes back", async () => {
      await bench.serve([["/", Echo]]);
      const socket = await bench.connect();
      const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i * 31);
      await socket.writeMessage(bytes);
      expect(Buffer.compare((await socket.readMessage()) as Uint8Array, bytes)).toBe(0);
    });
  });

  describe("violations", () => {
    test.each([
      ["an unmasked frame", "81 02 6869", "03ea"],
      ["RSV1", "c1 80 00000000", "03ea"],
      ["opcode 3", "83 80 00000000", "03ea"],
      ["a continuation first", "80 80 00000000", "03ea"],
      ["a message inside a message", "01 80 00000000 81 80 00000000", "03ea"],
      ["a ping of 126 bytes", "89 fe 007e", "03ea"],
      ["close code 1", "88 82 00000000 0001", "03ea"],
      ["text that is not UTF-8", "81 81 00000000 ff", "03ef"],
      ["a close reason that is not UTF-8", "88 83 00000000 03e8 ff", "03ef"],
    ])("%s: a Close frame with the code, the end, onClose once", async (_name, sent, code) => {
      await bench.serve([["/", Echo]]);
      const raw = await bench.raw();
      await raw.handshake();
      raw.send(sent);
      raw.send("81 81 00000000 61");
      const answer = await raw.receive();
      expect(answer.slice(0, 2)).toBe("88");
      expect(answer.slice(4, 8)).toBe(code);
      expect(answer.length).toBe(4 + 2 * Number.parseInt(answer.slice(2, 4), 16));
      await bench.journal.until("close");
      expect(bench.journal.entries.filter((entry) => entry.startsWith("close"))).toHaveLength(1);
      expect(bench.journal.entries.at(-1)).toMatch(new RegExp(`^close ${Number.parseInt(code, 16)} `));
    });
  });

  describe("closing", () => {
    test.each([
      ["88 80 00000000", "8800", "close 1005"],
      ["88 82 00000000 03e8", "880203e8", "close 1000"],
      ["88 85 00000000 03e9 627965", "880203e9", "close 1001 bye"],
    ])("%s is answered with %s and the end", async (sent, answer, entry) => {
      await bench.serve([["/", Echo]]);
      const raw = await bench.raw();
      await raw.handshake();
      raw.send(`${sent} 81 81 00000000 61`);
      expect(await raw.receive()).toBe(answer);
      await bench.journal.until(entry);
      expect(bench.journal.entries).toEqual(["open", entry]);
    });

    test("a dropped connection is 1006, once, and writing afterwards rejects with WebSocketClosedError", async () => {
      let handler: Echo | undefined;
      class Kept extends Echo {
        override open(): void {
          handler = this;
        }
      }
      await bench.serve([["/", Kept]]);
      const raw = await bench.raw();
      await raw.handshake();
      raw.stream.abort();
      expect(await bench.journal.until("close 1006")).toEqual(["close 1006"]);
      expect([handler?.closeCode, handler?.closeReason, handler?.state]).toEqual([1006, "", "closed"]);
      await expect(handler?.writeMessage("a")).rejects.toMatchObject({ code: "ERR_TW_WEBSOCKET_CLOSED" });
      expect(() => handler?.ping()).toThrow(expect.objectContaining({ code: "ERR_TW_WEBSOCKET_CLOSED" }));
      await handler?.close();
    });

    test("a half-close without a Close frame is 1006", async () => {
      await bench.serve([["/", Echo]]);
      const raw = await bench.raw();
      await raw.handshake();
      raw.stream.end();
      expect(await bench.journal.until("close 1006")).toEqual(["open", "close 1006"]);
    });

    test("a hook may wait for its close(): it ends with the peer's answer, in the context of the hooks", async () => {
      const context = new AsyncLocalStorage<string>();
      class Closing extends Echo {
        override prepare(): void {
          context.enterWith("mine");
        }
        override async onMessage(message: Message): Promise<void> {
          bench.journal.add(`begin ${message}`);
          await this.close(4001, "bye");
          bench.journal.add(`end ${message} ${this.closeCode} ${this.state} ${context.getStore()}`);
        }
        override onClose(code: number): void {
          bench.journal.add(`closed ${code} ${context.getStore()}`);
        }
      }
      await bench.serve([["/", Closing]]);
      const socket = await bench.connect();
      for (const message of ["a", "b", "c"]) socket.writeMessage(message);
      expect(await socket.readMessage()).toBeNull();
      await socket.whenClosed;
      expect([socket.closeCode, socket.closeReason]).toEqual([4001, "bye"]);
      await bench.journal.until("end");
      expect(bench.journal.entries).toEqual([
        "open",
        "begin a",
        "closed 4001 mine",
        "end a 4001 closed mine",
      ]);
      expect(bench.logger.lines).toEqual([]);
    });

    test("open may wait for its close(), and is done before onClose", async () => {
      class Closing extends Echo {
        override async open(): Promise<void> {
          await this.close(4001);
          bench.journal.add("opened");
        }
      }
      await bench.serve([["/", Closing]]);
      const socket = await bench.connect();
      socket.writeMessage("a");
      expect(await socket.readMessage()).toBeNull();
      await socket.whenClosed;
      expect(socket.closeCode).toBe(4001);
      expect(await bench.journal.until("close")).toEqual(["opened", "close 4001"]);
    });

    test("what onMessage throws, at once or later, is logged and closes with 1011", async () => {
      class Failing extends Echo {
        override onMessage(message: Message): void | Promise<void> {
          if (message === "now") throw new Error("now");
          return Promise.reject(new Error("later"));
        }
      }
      await bench.serve([["/", Failing]]);
      for (const message of ["now", "later"]) {
        const socket = await bench.connect();
        socket.writeMessage(message);
        expect(await socket.readMessage()).toBeNull();
        await socket.whenClosed;
        expect(socket.closeCode).toBe(1011);
      }
      await bench.journal.until("close 1011");
      expect(bench.logger.lines).toEqual(Array(2).fill(expect.stringMatching(logged)));
    });

    test("what open throws, at once or later, closes with 1011", async () => {
      class Failing extends Echo {
        override open(when: string): void | Promise<void> {
          if (when === "now") throw new Error("now");
          return Promise.reject(new Error("later"));
        }
      }
      await bench.serve([["/:when", Failing]]);
      for (const when of ["now", "later"]) {
        const socket = await bench.connect(`/${when}`);
        expect(await socket.readMessage()).toBeNull();
        await socket.whenClosed;
        expect(socket.closeCode).toBe(1011);
      }
      expect(bench.logger.lines).toHaveLength(2);
    });

    test("what onClose throws is logged", async () => {
      class Failing extends Echo {
        override onClose(): void {
          super.onClose(0, "");
          throw new Error("x");
        }
      }
      await bench.serve([["/", Failing]]);
      await (await bench.connect()).close();
      await bench.journal.until("close 0");
      expect(bench.logger.lines).toEqual([expect.stringMatching(logged)]);
    });
  });

  test("the methods of an ordinary answer throw after the 101, as a Tornado user expects", async () => {
    class Writing extends Echo {
      override open(): void {
        for (const call of [
          () => this.write("a"),
          () => this.setHeader("A", "b"),
          () => this.setStatus(200),
          () => this.redirect("/"),
        ]) {
          expect(call).toThrow(expect.objectContaining({ code: "ERR_TW_RESPONSE_FINISHED" }));
        }
        bench.journal.add("thrown");
      }
    }
    await bench.serve([["/", Writing]]);
    await (await bench.raw()).handshake();
    expect(await bench.journal.until("thrown")).toEqual(["thrown"]);
  });

  test("all hooks of a connection run in its own async context", async () => {
    const context = new AsyncLocalStorage<string>();
    class Contextual extends Echo {
      override open(name: string): void {
        context.enterWith(name);
      }
      override prepare(): void {
        context.enterWith(this.pathArgs[0] as string);
      }
      override onMessage(): Promise<void> {
        return this.writeMessage(context.getStore() ?? "none");
      }
      override onClose(): void {
        bench.journal.add(`closed ${context.getStore()}`);
      }
    }
    await bench.serve([["/:name", Contextual]]);
    const sockets = await Promise.all(["a", "b"].map((name) => bench.connect(`/${name}`)));
    for (const socket of sockets) socket.writeMessage("?");
    expect(await Promise.all(sockets.map((socket) => socket.readMessage()))).toEqual(["a", "b"]);
    for (const socket of sockets) await socket.close();
    await bench.journal.until("closed b");
    expect(bench.journal.entries).toEqual(["closed a", "closed b"]);
  });

  test("before the 101 writeMessage rejects, ping throws, close does nothing", async () => {
    const journal = new Journal();
    class Early extends WebSocketHandler {
      override async prepare(): Promise<void> {
        await this.writeMessage("a").catch((error) => journal.add(error.code));
        expect(() => this.ping()).toThrow();
        await this.close();
        journal.add(this.state);
      }
      onMessage(): void {}
    }
    await bench.serve([["/", Early]]);
    await (await bench.raw()).handshake();
    expect(journal.entries).toEqual(["ERR_TW_WEBSOCKET_CLOSED", "closed"]);
  });
});

test("a connection that cannot be upgraded, as a fetch function's, is answered with 501", async () => {
  const app = new Application([["/", Echo]], { accessLog: false });
  const headers = {
    Host: "a",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
  };
  const response = await app.fetch(new Request("http://a/", { headers }));
  expect(response.status).toBe(501);
});
