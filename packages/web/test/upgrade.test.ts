// Handing the connection over, and half-closed peers: what fetch cannot show.

import { connect } from "node:net";
import { HTTPHeaders, type UpgradedStream } from "@tw/httputil";
import { Application, RequestHandler, route } from "@tw/web";
import { describe, expect, test } from "vitest";
import { MemoryLogger } from "./matrix.js";

/** A connection that can be upgraded, and writes down what happens to it. */
class Recorder {
  readonly context = { remoteIp: "192.0.2.1", remotePort: 1, protocol: "http" } as const;
  readonly calls: string[] = [];
  writeHeaders(): void {
    this.calls.push("head");
  }
  write(): void {
    this.calls.push("write");
  }
  finish(): void {
    this.calls.push("finish");
  }
  abort(): void {
    this.calls.push("abort");
  }
  upgrade(headers: HTTPHeaders): UpgradedStream {
    this.calls.push(`upgrade ${headers.get("Upgrade")}`);
    return { abort: () => this.calls.push("stream aborted") } as unknown as UpgradedStream;
  }
}

class Upgrading extends RequestHandler {
  get(): unknown {
    const stream = this.upgrade(new HTTPHeaders({ Upgrade: "echo" }));
    if (this.getQueryArgument("fail", null) !== null) throw new Error("after the upgrade");
    if (this.getQueryArgument("value", null) !== null) return "too late";
    return stream === undefined ? "x" : undefined;
  }
}

function run(path: string, log: MemoryLogger): string[] {
  const app = new Application([["/", Upgrading]], { logger: log, accessLog: true });
  const connection = new Recorder();
  const message = app.startRequest(connection);
  message.headersReceived({ method: "GET", path, version: "HTTP/1.1" }, new HTTPHeaders());
  message.finish();
  message.onConnectionClose();
  return connection.calls;
}

describe("upgrade()", () => {
  test("hands the stream over, and the handler no longer finishes the response", () => {
    const log = new MemoryLogger();
    expect(run("/", log)).toEqual(["upgrade echo"]);
    expect(log.lines).toEqual([expect.stringMatching(/^info: 101 GET \/ \(192\.0\.2\.1\)/)]);
  });

  test("what is thrown or returned afterwards is logged, and the stream is aborted", () => {
    for (const [path, message] of [
      ["/?fail=1", "after the upgrade"],
      ["/?value=1", "Cannot return a value: the response is finished"],
    ]) {
      const log = new MemoryLogger();
      expect(run(path as string, log)).toEqual(["upgrade echo", "stream aborted"]);
      expect(log.errors).toMatchObject([{ message }]);
    }
  });
});

describe("a client that closes its half", () => {
  test("is told by the signal, and still gets the answer of a handler that goes on", async () => {
    let aborted = false;
    class Slow extends RequestHandler {
      async get(): Promise<string> {
        const { signal } = this;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        aborted = signal.aborted;
        return "still here";
      }
    }
    await using app = new Application([route("/", Slow)]);
    const { port } = await app.listen(0, "127.0.0.1");
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1" });
      let text = "";
      socket.on("data", (data) => {
        text += data;
      });
      socket.on("end", () => resolve(text));
      socket.on("error", reject);
      socket.end("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    });
    expect(aborted).toBe(true);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nstill here$/);
  });
});
