import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as client from "../src/client.js";
import * as websocket from "../src/index.js";

test("the exported values are these", () => {
  expect(Object.keys(websocket).sort()).toEqual([
    "WebSocketClientConnection",
    "WebSocketClosedError",
    "WebSocketConnection",
    "WebSocketError",
    "WebSocketHandler",
    "WebSocketHandshakeError",
    "isSameOrigin",
    "websocketConnect",
  ]);
  expect(Object.keys(client).sort()).toEqual([
    "WebSocketClientConnection",
    "WebSocketClosedError",
    "WebSocketError",
    "WebSocketHandshakeError",
    "websocketConnect",
  ]);
});

test("only the handler knows the web framework, so the client entry does not load it", () => {
  const folder = new URL("../src/", import.meta.url);
  const knowing = readdirSync(folder).filter((name) =>
    readFileSync(new URL(name, folder), "utf8").includes('"@tw/web"'),
  );
  expect(knowing).toEqual(["handler.ts"]);
});
