// The framework that this stack is named after at the other end: its server for our client, its client for our handler.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import { onEveryEngine } from "@tw/tooling-testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { websocketConnect } from "../src/client.js";
import { Bench, Echo } from "./support.js";

const run = promisify(execFile);
const PYTHON = "/usr/bin/python3";

const server = `
import asyncio
from tornado.web import Application
from tornado.websocket import WebSocketHandler
class Echo(WebSocketHandler):
    def select_subprotocol(self, protocols): return protocols[-1] if protocols else None
    def on_message(self, message):
        if message == "end": self.close(4005, "enough")
        else: self.write_message(message, binary=isinstance(message, bytes))
async def main():
    server = Application([("/", Echo)]).listen(0, "127.0.0.1")
    print(list(server._sockets.values())[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())`;

const client = `
import asyncio, sys
from tornado.websocket import websocket_connect
async def main():
    socket = await websocket_connect("ws://127.0.0.1:%s/" % sys.argv[1], subprotocols=["p1", "p2"])
    print(socket.selected_subprotocol)
    for message in ["hi", "\\u20ac" * 30000, b"\\x00\\xff" * 50000]:
        await socket.write_message(message, binary=isinstance(message, bytes))
        print((await socket.read_message()) == message)
    socket.close(4006, "bye")
    print(await socket.read_message(), socket.close_code)
asyncio.run(main())`;

describe("Tornado's server", () => {
  let child: ChildProcess;
  let port: number;

  beforeAll(async () => {
    child = spawn(PYTHON, ["-c", server], { stdio: ["ignore", "pipe", "inherit"] });
    port = Number(await new Promise((resolve) => child.stdout?.once("data", resolve)));
  });
  afterAll(() => void child.kill());

  onEveryEngine((engine) => {
    test("echoes text and binary to our client, and closes it", async () => {
      const socket = await websocketConnect(`ws://127.0.0.1:${port}/`, {
        engine,
        subprotocols: ["p1", "p2"],
      });
      expect(socket.selectedSubprotocol).toBe("p2");
      const binary = Uint8Array.from({ length: 100_000 }, (_, i) => i);
      for (const message of ["hi", "€".repeat(30_000)]) {
        socket.writeMessage(message);
        expect(await socket.readMessage()).toBe(message);
      }
      socket.writeMessage(binary);
      expect(Buffer.compare((await socket.readMessage()) as Uint8Array, binary)).toBe(0);
      socket.writeMessage("end");
      expect(await socket.readMessage()).toBeNull();
      await socket.whenClosed;
      expect([socket.closeCode, socket.closeReason]).toEqual([4005, "enough"]);
    });

    test("is closed by our client", async () => {
      const socket = await websocketConnect(`ws://127.0.0.1:${port}/`, { engine });
      await socket.close(1000, "done");
      expect(socket.closeCode).toBe(1000);
    });
  });
});

describe("Tornado's client", () => {
  onEveryEngine((engine) => {
    const bench = new Bench(engine);
    afterEach(() => bench.tearDown());

    test("talks to our handler", async () => {
      class Choosing extends Echo {
        override selectSubprotocol(protocols: readonly string[]): string | undefined {
          return protocols[1];
        }
      }
      await bench.serve([["/", Choosing]]);
      const { stdout } = await run(PYTHON, ["-c", client, String(bench.port)]);
      expect(stdout.trim().split("\n")).toEqual(["p2", "True", "True", "True", "None 4006"]);
      expect(await bench.journal.until("close")).toEqual(["open", "close 4006 bye"]);
    });
  });
});
