import { createServer, type Socket } from "node:net";
import { MACHINES, runSample, startSample, takePort } from "@tw/tooling-samples";
import { describe, expect, it } from "vitest";
import { explain } from "../src/explain.js";

/** A server that says `answer` to whoever says anything, and closes. */
async function answering(answer: string) {
  const server = createServer((socket: Socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(answer));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address() as { port: number };
  return { url: `http://127.0.0.1:${address.port}/`, close: () => server.close() };
}

describe.each(MACHINES)("fetch on $name", ({ env }) => {
  it("prints the size of what our own server sends", async () => {
    const sample = await startSample("helloworld", env);
    const ending = await runSample("fetch", [`http://localhost:${sample.port}/`], env);
    await sample.stop();
    expect(ending).toEqual({ code: 0, signal: null, stdout: "200 OK: 12 bytes\n", stderr: "" });
  });

  it("says in one line that nobody listens, and ends with 1", async () => {
    const { port, server } = await takePort();
    await new Promise((resolve) => server.close(resolve));
    const url = `http://127.0.0.1:${port}/`;
    const stderr = `Cannot fetch ${url}: nobody listens there (connection refused)\n`;
    expect(await runSample("fetch", [url], env)).toEqual({ code: 1, signal: null, stdout: "", stderr });
  });

  it("names the status of an answer that is none, and ends with 1", async () => {
    const server = await answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    const { code, stderr } = await runSample("fetch", [server.url], env);
    server.close();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `Cannot fetch ${server.url}: HTTP 404: Not Found\n`,
    });
  });

  it("says that an answer was cut short, and ends with 1", async () => {
    const server = await answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    const { code, stdout, stderr } = await runSample("fetch", [server.url], env);
    server.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^Cannot fetch \S+: The server closed the connection before its response was complete.*\n$/,
    );
  });
});

describe("fetch", () => {
  it("explains its use with 2 when it is given no URL", async () => {
    expect(await runSample("fetch", [])).toMatchObject({ code: 2, stderr: "usage: fetch <url>\n" });
  });

  it.each(["not a url", "ftp://localhost/", "https://localhost/"])(
    "refuses %j in one line with 1",
    async (url) => {
      const { code, stdout, stderr } = await runSample("fetch", [url]);
      expect({ code, stdout, lines: stderr.trim().split("\n").length }).toEqual({
        code: 1,
        stdout: "",
        lines: 1,
      });
      expect(stderr).toContain(`Cannot fetch ${url}: `);
    },
  );
});

describe("explain()", () => {
  it("follows causes", () => {
    expect(explain(new Error("outer", { cause: new Error("inner") }))).toBe("outer: inner");
  });

  it("takes anything that can be thrown", () => {
    expect(explain("text")).toBe("text");
  });
});
