// Clients that nobody here wrote.

import { execFile } from "node:child_process";
import { request as nodeRequest } from "node:http";
import { promisify } from "node:util";
import { onEveryEngine } from "@tw/tooling-testing";
import { fromLatin1 } from "@tw/util";
import { Agent, request as undiciRequest } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import { answer, Bench } from "./harness.js";

const run = promisify(execFile);
const body = "0123456789".repeat(20_000);

onEveryEngine((engine) => {
  const bench = new Bench(engine);
  afterEach(() => bench.tearDown());

  async function echo(): Promise<string> {
    const server = await bench.serve((request) => {
      answer(request.connection, `${request.method} ${request.uri} ${fromLatin1(request.body)}`);
    });
    return `http://127.0.0.1:${server.port}`;
  }

  describe("curl", () => {
    it("gets, posts with a length and in chunks, asks for the head, and reuses its connection", async () => {
      const url = await echo();
      const { stdout } = await run("curl", ["-sS", `${url}/a`, `${url}/b`, "-w", "<%{num_connects}>"]);
      expect(stdout).toBe("GET /a <1>GET /b <0>");
      const posted = await run("curl", ["-sS", "-d", body.slice(0, 100_000), `${url}/p`], { maxBuffer: 1e7 });
      expect(posted.stdout).toBe(`POST /p ${body.slice(0, 100_000)}`);
      const chunked = await run("curl", ["-sS", "-H", "Transfer-Encoding: chunked", "-d", "abc", `${url}/c`]);
      expect(chunked.stdout).toBe("POST /c abc");
      const head = await run("curl", ["-sSI", `${url}/h`]);
      expect(head.stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(head.stdout).toContain("Content-Length: 8\r\n");
    });

    it("waits for 100 Continue and gets it", async () => {
      const url = await echo();
      const { stdout, stderr } = await run("curl", [
        "-sSv",
        "-H",
        "Expect: 100-continue",
        "-d",
        "abc",
        `${url}/e`,
      ]);
      expect(stdout).toBe("POST /e abc");
      expect(stderr).toContain("HTTP/1.1 100 Continue");
    });
  });

  it("undici: 200 requests over two pipelining connections, answered in order", async () => {
    const url = await echo();
    const agent = new Agent({ connections: 2, pipelining: 10 });
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const response = await undiciRequest(`${url}/${i}`, { dispatcher: agent });
        return await response.body.text();
      }),
    );
    expect(answers).toEqual(Array.from({ length: 200 }, (_, i) => `GET /${i} `));
    await agent.close();
  });

  it("Node's fetch and node:http: bodies both ways", async () => {
    const url = await echo();
    const response = await fetch(`${url}/f`, { method: "PUT", body });
    expect(await response.text()).toBe(`PUT /f ${body}`);
    const text = await new Promise<string>((resolve, reject) => {
      const request = nodeRequest(`${url}/n`, { method: "POST" }, (answer) => {
        let text = "";
        answer.setEncoding("latin1").on("data", (part: string) => {
          text += part;
        });
        answer.on("end", () => resolve(text));
      });
      request.on("error", reject);
      request.write("streamed ");
      request.end("in two");
    });
    expect(text).toBe("POST /n streamed in two");
  });

  it("Tornado's client", async () => {
    const url = await echo();
    const script = `
import asyncio
from tornado.httpclient import AsyncHTTPClient
async def main():
    client = AsyncHTTPClient()
    print((await client.fetch("${url}/t")).body.decode())
    print((await client.fetch("${url}/t", method="POST", body="x" * 1000)).body.decode())
asyncio.run(main())`;
    const { stdout } = await run("/usr/bin/python3", ["-c", script]);
    expect(stdout).toBe(`GET /t \nPOST /t ${"x".repeat(1000)}\n`);
  });

  it("h2load over HTTP/1.1: 4000 requests on 20 connections, all of them answered", async () => {
    const url = await echo();
    const { stdout } = await run("h2load", ["--h1", "-n4000", "-c20", `${url}/a`, `${url}/b`]);
    expect(stdout).toContain(
      "4000 total, 4000 started, 4000 done, 4000 succeeded, 0 failed, 0 errored, 0 timeout",
    );
  });

  it("a client that asks for HTTP/2 by Upgrade is answered in HTTP/1.1", async () => {
    const url = await echo();
    const { stdout } = await run("curl", ["-sS", "--http2", `${url}/a`, "-w", "<%{http_version}>"]);
    expect(stdout).toBe("GET /a <1.1>");
  });

  it("aiohttp: streamed uploads and downloads, 50 at a time over kept connections", async () => {
    const url = await echo();
    const script = `
import asyncio, aiohttp
async def pieces():
    for i in range(50):
        yield b"%d," % i
async def main():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=10)) as session:
        async def one(i):
            async with session.post(f"${url}/{i}", data=pieces(), expect100=i % 2 == 0) as response:
                return await response.text()
        texts = await asyncio.gather(*(one(i) for i in range(50)))
        want = ",".join(map(str, range(50))) + ","
        assert texts == [f"POST /{i} {want}" for i in range(50)], texts[0]
        async with session.head("${url}/h") as response:
            assert response.headers["Content-Length"] == "8"
    print("ok")
asyncio.run(main())`;
    const { stdout } = await run("/usr/bin/python3", ["-c", script]);
    expect(stdout).toBe("ok\n");
  });
});
