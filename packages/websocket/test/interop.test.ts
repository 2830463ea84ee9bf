// Other implementations at the other end: `ws` as client and as server, over both engines.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { onEveryEngine } from "@tw/tooling-testing";
import { Deferred } from "@tw/util";
import { afterEach, expect, test } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { type Message, websocketConnect } from "../src/index.js";
import { Bench, Echo } from "./support.js";

const text = "é€😀".repeat(5000);
const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i * 7);

onEveryEngine((engine) => {
  const bench = new Bench(engine);
  afterEach(() => bench.tearDown());

  test("a ws client talks to our handler", async () => {
    class Choosing extends Echo {
      override selectSubprotocol(protocols: readonly string[]): string | undefined {
        return protocols[0];
      }
    }
    await bench.serve([["/", Choosing]]);
    const socket = new WebSocket(`ws://127.0.0.1:${bench.port}/`, ["chat"], {
      origin: `http://127.0.0.1:${bench.port}`,
    });
    const received: (string | Buffer)[] = [];
    socket.on("message", (data: Buffer, isBinary) => received.push(isBinary ? data : data.toString()));
    await once(socket, "open");
    expect(socket.protocol).toBe("chat");
    expect(socket.extensions).toBe("");
    socket.send("hi");
    socket.send(text);
    socket.send(bytes);
    socket.send("fra", { fin: false });
    socket.send("gment");
    socket.ping("p");
    await once(socket, "pong");
    while (received.length < 4) await once(socket, "message");
    expect(received.map((data) => (typeof data === "string" ? data : data.length))).toEqual([
      "hi",
      text,
      100_000,
      "fragment",
    ]);
    expect(Buffer.compare(received[2] as Buffer, bytes)).toBe(0);
    socket.close(4001, "bye");
    const [code] = await once(socket, "close");
    expect(code).toBe(4001);
    expect(await bench.journal.until("close")).toEqual(["open", "ping p", "close 4001 bye"]);
  });

  test("a ws client is closed by our handler", async () => {
    class Closing extends Echo {
      override onMessage(): void {
        this.close(4002, "enough");
      }
    }
    await bench.serve([["/", Closing]]);
    const socket = new WebSocket(`ws://127.0.0.1:${bench.port}/`);
    await once(socket, "open");
    socket.send("x");
    const [code, reason] = await once(socket, "close");
    expect([code, String(reason)]).toEqual([4002, "enough"]);
    expect(await bench.journal.until("close")).toEqual(["open", "close 4002 enough"]);
  });

  test("a ws client is closed by our handler, which waits for that", async () => {
    class Closing extends Echo {
      override async onMessage(): Promise<void> {
        await this.close(4002, "enough");
        bench.journal.add(`waited ${this.closeCode}`);
      }
    }
    await bench.serve([["/", Closing]]);
    const socket = new WebSocket(`ws://127.0.0.1:${bench.port}/`);
    await once(socket, "open");
    for (const message of ["x", "y", "z"]) socket.send(message);
    const [code, reason] = await once(socket, "close");
    expect([code, String(reason)]).toEqual([4002, "enough"]);
    expect(await bench.journal.until("waited")).toEqual(["open", "close 4002 enough", "waited 4002"]);
  });

  test("our client talks to a ws server", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "chat" });
    await once(server, "listening");
    server.on("connection", (socket) => {
      socket.ping("p");
      socket.on("message", (data: Buffer, binary) => {
        if (data.toString() === "end") socket.close(4003, "bye");
        else socket.send(data, { binary });
      });
    });
    const { port } = server.address() as AddressInfo;
    const socket = await websocketConnect(`ws://127.0.0.1:${port}/`, { engine, subprotocols: ["chat"] });
    expect(socket.selectedSubprotocol).toBe("chat");
    const sent: Message[] = ["hi", text, bytes];
    for (const message of sent) {
      await socket.writeMessage(message);
      const answer = await socket.readMessage();
      expect(typeof answer === "string" ? answer : Buffer.compare(answer as Uint8Array, bytes)).toBe(
        typeof message === "string" ? message : 0,
      );
    }
    socket.writeMessage("end");
    expect(await socket.readMessage()).toBeNull();
    await socket.whenClosed;
    expect([socket.closeCode, socket.closeReason]).toEqual([4003, "bye"]);
    server.close();
  });

  test("our client closes a ws server from onMessage, and waits for that", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    server.on("connection", (socket) => {
      socket.on("message", () => ["x", "y", "z"].map((message) => socket.send(message)));
    });
    const { port } = server.address() as AddressInfo;
    const waited = new Deferred<number | undefined>();
    const socket = await websocketConnect(`ws://127.0.0.1:${port}/`, {
      engine,
      onMessage: async () => {
        await socket.close(4001, "bye");
        waited.resolve(socket.closeCode);
      },
    });
    socket.writeMessage("go");
    expect(await waited.promise).toBe(4001);
    server.close();
  });

  test("our client closes a ws server", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    const accepted = once(server, "connection");
    const { port } = server.address() as AddressInfo;
    const socket = await websocketConnect(`ws://127.0.0.1:${port}/`, { engine });
    const [theirs] = await accepted;
    const closed = once(theirs, "close");
    await socket.close(1000, "done");
    const [code, reason] = await closed;
    expect([code, String(reason), socket.closeCode]).toEqual([1000, "done", 1000]);
    server.close();
  });
});
