// The application as a delegate, fed by hand.

import { HTTPHeaders, type HTTPMessageDelegate } from "@tw/httputil";
import { Application, RequestHandler, route } from "@tw/web";
import { expect, test } from "vitest";
import { MemoryLogger } from "./matrix.js";

class Main extends RequestHandler {
  get(): void {
    this.write("Hello, ");
    this.write("world");
  }
  post(): Uint8Array {
    return this.request.body;
  }
}

/** Begins a request, and gives what the application then does to its connection. */
function begin(
  method: string,
  path: string,
  log = new MemoryLogger(),
): { message: HTTPMessageDelegate; calls: unknown[] } {
  const calls: unknown[] = [];
  const message = new Application([["/", Main], route("/boom", () => Promise.reject(new Error("x")))], {
    logger: log,
  }).startRequest({
    context: { remoteIp: "192.0.2.1", remotePort: 1, protocol: "http" },
    writeHeaders: (_line, headers, chunk) => void calls.push(["head", headers.get("Content-Length"), chunk]),
    write: (chunk) => void calls.push(["write", chunk]),
    finish: () => void calls.push("finish"),
    abort: () => void calls.push("abort"),
  });
  message.headersReceived({ method, path, version: "HTTP/1.1" }, new HTTPHeaders());
  return { message, calls };
}

test("a handler that returns at once is answered before finish() returns: head and body in one call, then the end", () => {
  const { message, calls } = begin("GET", "/");
  expect(message.finish()).toBeUndefined();
  expect(calls).toEqual([["head", "12", "Hello, world"], "finish"]);
});

test("chunks of a body are copied: the driver may use its buffer again", () => {
  const { message, calls } = begin("POST", "/");
  const view = new Uint8Array(2);
  for (const byte of [1, 2, 3]) {
    view.fill(byte);
    message.dataReceived(view);
  }
  view.fill(9);
  message.finish();
  expect(calls).toEqual([["head", "6", Uint8Array.of(1, 1, 2, 2, 3, 3)], "finish"]);
});

test("a client that leaves in the middle of a body runs no handler", () => {
  const log = new MemoryLogger();
  const { message, calls } = begin("POST", "/", log);
  message.dataReceived(Uint8Array.of(1));
  message.onConnectionClose();
  expect([calls, log.lines]).toEqual([[], []]);
});

test("a rejected promise is answered, and never comes back to the driver", async () => {
  const log = new MemoryLogger();
  const { message, calls } = begin("GET", "/boom", log);
  expect(message.finish()).toBeUndefined();
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls).toHaveLength(2);
  expect(log.errors).toMatchObject([{ message: "x" }]);
});

test("a connection whose writes reject leaves no unhandled rejection behind", async () => {
  const rejected: unknown[] = [];
  const onRejection = (reason: unknown): void => void rejected.push(reason);
  process.on("unhandledRejection", onRejection);
  const message = new Application([
    ["/", Main],
    [
      "/to",
      class extends RequestHandler {
        get(): void {
          this.redirect("/");
        }
      },
    ],
  ]);
  for (const path of ["/", "/to"]) {
    const delegate = message.startRequest({
      context: { remoteIp: "", remotePort: 0, protocol: "http" },
      writeHeaders: () => Promise.reject(new Error("reset")),
      write: () => Promise.reject(new Error("reset")),
      finish: () => undefined,
      abort: () => undefined,
    });
    delegate.headersReceived({ method: "GET", path, version: "HTTP/1.1" }, new HTTPHeaders());
    delegate.finish();
  }
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", onRejection);
  expect(rejected).toEqual([]);
});

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["a row without a handler", ["/"]],
  ["a handler that is text", ["/", "Main"]],
  ["a class that is no RequestHandler", ["/", class Other {}]],
])("the constructor throws TypeError for %s", (_name, row) => {
  expect(() => new Application([row as never])).toThrow(TypeError);
});

test("the constructor throws for a pattern or a setting that cannot be", () => {
  expect(() => new Application([["/(.*)", Main]])).toThrow("RegExp");
  expect(() => new Application([], { maxBodySize: -1 })).toThrow(RangeError);
  expect(() => new Application([], { accessLog: "x" as never })).toThrow(TypeError);
  expect(() => route("/", "x" as never)).toThrow(TypeError);
});
