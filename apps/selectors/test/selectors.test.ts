import { createServer, type Server, type Socket } from "node:net";
import { IOLoop } from "@tw/ioloop";
import { runSample, startSample } from "@tw/tooling-samples";
import { nativeAvailable } from "@tw/tooling-testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { selectorGet } from "../src/selector-get.js";
import { targetOf } from "../src/target.js";

const NATIVE = { TW_ENGINE: "native" };

/** A server that does `serve` to each connection; the port it listens on. */
async function serving(serve: (socket: Socket) => void, address = "127.0.0.1"): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => undefined);
    serve(socket);
  });
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, address, resolve);
  });
  return (server.address() as { port: number }).port;
}

/** The answer as text, and the steps without the numbers that differ between runs. */
async function fetched(port: number, host = "127.0.0.1"): Promise<{ text: string; steps: string[] }> {
  const steps: string[] = [];
  const target = targetOf(`http://${host}:${port}/path?query`);
  const answer = await selectorGet(IOLoop.current(), target, (step) => steps.push(step));
  return { text: new TextDecoder().decode(answer), steps: steps.map((step) => step.replace(/\d+/g, "N")) };
}

const answers = (text: string) => (socket: Socket) => socket.once("data", () => socket.end(text));

describe.runIf(nativeAvailable)("selectorGet()", () => {
  it("goes from connect to the end in the order of the drawing", async () => {
    const { text, steps } = await fetched(await serving(answers("HTTP/1.0 200 OK\r\n\r\nhi")));
    expect(text).toBe("HTTP/1.0 200 OK\r\n\r\nhi");
    expect(steps).toEqual([
      "socket(): descriptor N",
      "connect() to N.N.N.N port N is under way: addHandler(N, WRITE)",
      "writable: connected",
      "write() took N bytes, N are left",
      "all is sent: updateHandler(N, READ)",
      "readable: read() brings N bytes",
      "readable, and read() brings nothing: the end, after N bytes",
      "removeHandler(N), close(N)",
    ]);
  });

  it("asks for the path and names the host", async () => {
    let heard = "";
    const port = await serving((socket) =>
      socket.once("data", (bytes) => {
        heard = bytes.toString("latin1");
        socket.end();
      }),
    );
    await fetched(port);
    expect(heard).toBe(`GET /path?query HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
  });

  it("reads on as long as something is there, and waits for what comes later", async () => {
    const page = "x".repeat(20_000);
    const port = await serving((socket) =>
      socket.once("data", () => {
        socket.write(page);
        setImmediate(() => socket.end("the end"));
      }),
    );
    const { text, steps } = await fetched(port);
    expect(text).toBe(`${page}the end`);
    expect(steps.filter((step) => step.startsWith("readable: read() brings")).length).toBeGreaterThan(4);
  });

  it("speaks IPv6", async () => {
    const { text } = await fetched(await serving(answers("six"), "::1"), "[::1]");
    expect(text).toBe("six");
  });

  it("rejects with the kernel's word, and closes, when the server resets", async () => {
    const port = await serving((socket) => socket.once("data", () => socket.resetAndDestroy()));
    await expect(fetched(port)).rejects.toThrow(`read 127.0.0.1:${port}: ECONNRESET`);
  });

  it("stops at a mebibyte", async () => {
    const mebibyte = "x".repeat(1024 * 1024);
    expect((await fetched(await serving(answers(mebibyte)))).text).toHaveLength(1024 * 1024);
    await expect(fetched(await serving(answers(`${mebibyte}x`)))).rejects.toThrow(
      "More than 1048576 bytes of answer",
    );
  });

  it("leaves no handler behind, however it ends", async () => {
    const before = IOLoop.current().poller?.size;
    await fetched(await serving(answers("done")));
    await expect(fetched(await serving((socket) => socket.resetAndDestroy()))).rejects.toThrow();
    expect(IOLoop.current().poller?.size).toBe(before);
  });
});

describe("targetOf()", () => {
  it.each([
    ["http://127.0.0.1/", { family: 4, address: "127.0.0.1", port: 80, host: "127.0.0.1", path: "/" }],
    [
      "http://localhost:81/a?b#c",
      { family: 4, address: "127.0.0.1", port: 81, host: "localhost:81", path: "/a?b" },
    ],
    ["http://[::1]:82", { family: 6, address: "::1", port: 82, host: "[::1]:82", path: "/" }],
    ["http://127.1/", { family: 4, address: "127.0.0.1", port: 80, host: "127.0.0.1", path: "/" }],
  ])("takes %s", (url, target) => {
    expect(targetOf(url)).toEqual(target);
  });

  it.each(["", "https://127.0.0.1/", "http://example.test/", "http://1.2.3.4.5/"])("refuses %j", (url) => {
    expect(() => targetOf(url)).toThrow(TypeError);
  });
});

describe("the sample", () => {
  it.runIf(nativeAvailable)("serves itself a page when it is given no URL", async () => {
    const { code, stdout, stderr } = await runSample("selectors", [], NATIVE);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      /^ 1\. socket\(\)[\s\S]*\n {0,1}\d+\. removeHandler[\s\S]*\n\nHTTP\/1\.1 200 OK\r\n/,
    );
    expect(stdout).toContain("<p>Served and fetched by one loop.</p>");
  });

  it.runIf(nativeAvailable)("fetches from another process", async () => {
    const sample = await startSample("helloworld");
    const { code, stdout } = await runSample("selectors", [`http://localhost:${sample.port}/`], NATIVE);
    await sample.stop();
    expect(code).toBe(0);
    expect(stdout).toContain("\r\n\r\nHello, world\n");
  });

  it.runIf(nativeAvailable)("says in one line that nobody listens, and ends with 1", async () => {
    const { code, stderr } = await runSample("selectors", ["http://127.0.0.1:1/"], NATIVE);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "connect 127.0.0.1:1: ECONNREFUSED\n" });
  });

  it("says what is missing on a machine without the addon, and ends with 1", async () => {
    const { code, stdout, stderr } = await runSample("selectors", [], { TW_NO_NATIVE: "1" });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^Cannot watch descriptors: no native poller on this system\. .*\n$/);
  });
});
