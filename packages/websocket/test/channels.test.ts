// What is published of a WebSocket, of both its ends, beside what the HTTP layer says of its handshake.

import { hasSubscribers } from "node:diagnostics_channel";
import { observe } from "@tw/ioloop";
import { Deferred } from "@tw/util";
import { afterEach, describe, expect, test } from "vitest";
import { type Message, type WebSocketConnection, WebSocketHandler } from "../src/index.js";
import { Echo, onEveryCarrier } from "./support.js";

const NAMES = [
  "tw:httpserver:requestStart",
  "tw:httpserver:upgrade",
  "tw:httpserver:requestFinish",
  "tw:httpclient:requestStart",
  "tw:httpclient:responseStart",
  "tw:httpclient:upgrade",
  "tw:httpclient:requestFinish",
  "tw:websocket:open",
  "tw:websocket:message",
  "tw:websocket:close",
];

const observations: Disposable[] = [];

afterEach(() => {
  for (const observation of observations.splice(0)) observation[Symbol.dispose]();
  expect(NAMES.filter((name) => hasSubscribers(name))).toEqual([]);
});

onEveryCarrier((bench) => {
  describe("a WebSocket publishes", () => {
    test("its handshake as an upgrade, then open, each message, and close, at both ends", async () => {
      const seen = new Map<object, string[]>();
      const order: string[] = [];
      const closed = new Deferred<void>();
      for (const name of NAMES) {
        const observer = (message: object): void => {
          order.push(name.slice(3));
          const { connection } = message as { connection: object };
          const { message: text, code } = message as { message?: Message; code?: number };
          const lines = seen.get(connection) ?? [];
          seen.set(connection, lines);
          lines.push([name.split(":")[2], text ?? code].filter((part) => part !== undefined).join(" "));
          if (
            name === "tw:websocket:close" &&
            order.filter((each) => each === "websocket:close").length === 2
          )
            closed.resolve();
        };
        observations.push(observe<object>(name, observer));
      }
      await bench.serve([["/", Echo]]);
      const client = await bench.connect();
      await client.writeMessage("hello");
      expect(await client.readMessage()).toBe("hello");
      await client.close(1001);
      await closed.promise;
      expect([...seen.values()].sort()).toEqual([
        ["open", "message hello", "close 1001"],
        ["open", "message hello", "close 1001"],
        ["requestStart", "responseStart", "upgrade"],
        ["requestStart", "upgrade"],
      ]);
      expect(order.indexOf("httpserver:upgrade")).toBeLessThan(order.indexOf("websocket:open"));
    });

    test("open and message before the handler hears of them, and one that throws is logged and costs nothing", async () => {
      const order: string[] = [];
      const logged: string[] = [];
      const error = (fields: unknown): void => void logged.push((fields as { err: Error }).err.message);
      const logger = { debug() {}, info() {}, warn() {}, error } as never;
      class Noting extends WebSocketHandler {
        override open(): void {
          order.push("open()");
        }
        onMessage(message: Message): Promise<void> {
          order.push("onMessage()");
          return this.writeMessage(message);
        }
      }
      const ends = new Set<WebSocketConnection>();
      const note = (name: string) => (message: { connection: WebSocketConnection }) => {
        ends.add(message.connection);
        if (ends.size === 1) order.push(name); // the server's end opens first
        expect.fail(name);
      };
      for (const name of ["open", "message", "close"] as const)
        observations.push(observe(`tw:websocket:${name}`, note(name), { logger }));
      await bench.serve([["/", Noting]]);
      const client = await bench.connect();
      await client.writeMessage("x");
      expect(await client.readMessage()).toBe("x");
      await client.close();
      expect(order.slice(0, 2)).toEqual(["open", "open()"]);
      expect(order).toContain("onMessage()");
      expect(new Set(logged)).toEqual(new Set(["open", "message", "close"]));
    });
  });
});
