// The names guard: what this package exports is a promise, so a change of it is a decision and never an accident.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as tornado from "../src/index.js";

const NAMES = [
  "Application",
  "AsyncHTTPClient",
  "BadYieldError",
  "BoundedSemaphore",
  "CachingResolver",
  "CalledProcessError",
  "ClientGoneError",
  "Condition",
  "DefaultResolver",
  "ERROR",
  "Event",
  "HTTPClientError",
  "HTTPError",
  "HTTPHeaders",
  "HTTPInputError",
  "HTTPOutputError",
  "HTTPResponse",
  "HTTPServer",
  "HTTPServerRequest",
  "HTTPStreamClosedError",
  "HTTPTimeoutError",
  "IOLoop",
  "IOStream",
  "InvalidBodyError",
  "LifoQueue",
  "Lock",
  "MissingArgumentError",
  "NoPollerError",
  "NotAcquiredError",
  "OverrideResolver",
  "PeriodicCallback",
  "PipeIOStream",
  "PriorityQueue",
  "Queue",
  "QueueEmptyError",
  "QueueFullError",
  "READ",
  "RequestHandler",
  "SSLIOStream",
  "Semaphore",
  "StreamBufferFullError",
  "StreamBusyError",
  "StreamClosedError",
  "Subprocess",
  "TCPClient",
  "TCPServer",
  "TaskDoneError",
  "TimeoutError",
  "TwError",
  "UnsatisfiableReadError",
  "WRITE",
  "WaitIterator",
  "WebSocketClientConnection",
  "WebSocketClosedError",
  "WebSocketError",
  "WebSocketHandler",
  "WebSocketHandshakeError",
  "bindSockets",
  "bindUnixSocket",
  "coroutine",
  "cpuCount",
  "createLogger",
  "currentRequest",
  "forkProcesses",
  "inheritedSockets",
  "isHTTPError",
  "isTwError",
  "isValidIp",
  "jsonDecode",
  "jsonEncode",
  "moment",
  "multi",
  "nullLogger",
  "observe",
  "route",
  "saveTo",
  "sleep",
  "taskId",
  "taskSockets",
  "urlConcat",
  "urlEscape",
  "urlFor",
  "urlUnescape",
  "websocketConnect",
  "withTimeout",
  "xhtmlEscape",
  "xhtmlUnescape",
];

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

describe("@tw/tornado", () => {
  it("exports these names and no others", () => {
    expect(Object.keys(tornado).sort()).toEqual(NAMES);
  });

  it("has each of them in its README", () => {
    const readme = read("../README.md");
    expect(NAMES.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });

  it("has no code of its own", () => {
    const source = read("../src/index.ts").replace(/\/\/.*$/gm, "");
    expect(source.replace(/export \{[^}]*\} from "@tw\/[a-z0-9]+";/g, "").trim()).toBe("");
  });

  it("serves hello world, as its README shows it", async () => {
    class MainHandler extends tornado.RequestHandler {
      get(): void {
        this.write("Hello, world");
      }
    }
    const app = new tornado.Application([["/", MainHandler]]);
    const response = await app.fetch(new Request("http://localhost/"));
    expect({ status: response.status, body: await response.text() }).toEqual({
      status: 200,
      body: "Hello, world",
    });
  });
});
