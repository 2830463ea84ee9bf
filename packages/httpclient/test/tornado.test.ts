// A server that nobody here wrote, and which this stack is named after.

import { type ChildProcess, spawn } from "node:child_process";
import { onEveryEngine } from "@tw/tooling-testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AsyncHTTPClient } from "../src/index.js";

const script = `
import asyncio, sys
from tornado.web import Application, RequestHandler
class Main(RequestHandler):
    def get(self): self.write("Hello, world")
    def post(self): self.write(self.request.body)
class Stream(RequestHandler):
    async def get(self):
        for i in range(5):
            self.write("piece %d " % i)
            await self.flush()
async def main():
    server = Application([("/", Main), ("/stream", Stream)]).listen(0, "127.0.0.1")
    print(list(server._sockets.values())[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())`;

describe("Tornado's server", () => {
  let child: ChildProcess;
  let url: string;

  beforeAll(async () => {
    child = spawn("/usr/bin/python3", ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
    const port = await new Promise((resolve) => child.stdout?.once("data", resolve));
    url = `http://127.0.0.1:${String(port).trim()}`;
  });
  afterAll(() => void child.kill());

  onEveryEngine((engine) => {
    it("answers GET, HEAD, POST, a streamed body and an error", async () => {
      const client = new AsyncHTTPClient({ engine });
      expect((await client.fetch(url)).text()).toBe("Hello, world");
      expect((await client.fetch(url, { method: "POST", body: "x".repeat(100_000) })).body.length).toBe(
        100_000,
      );
      expect((await client.fetch(`${url}/stream`)).text()).toBe("piece 0 piece 1 piece 2 piece 3 piece 4 ");
      expect((await client.fetch(url, { method: "HEAD", raiseError: false })).code).toBe(405);
      expect((await client.fetch(`${url}/nowhere`, { raiseError: false })).code).toBe(404);
    });
  });
});
