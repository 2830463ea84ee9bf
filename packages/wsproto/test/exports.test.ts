import { expect, test } from "vitest";
import * as wsproto from "../src/index.js";

test("the exported values are these", () => {
  expect(Object.keys(wsproto).sort()).toEqual([
    "BINARY",
    "CLOSE",
    "CLOSE_ABNORMAL",
    "CLOSE_GOING_AWAY",
    "CLOSE_INTERNAL_ERROR",
    "CLOSE_INVALID_DATA",
    "CLOSE_NORMAL",
    "CLOSE_NO_CODE",
    "CLOSE_PROTOCOL_ERROR",
    "CLOSE_TOO_BIG",
    "CONTINUATION",
    "DEFAULT_MAX_FRAGMENTS",
    "DEFAULT_MAX_MESSAGE_SIZE",
    "PING",
    "PONG",
    "TEXT",
    "Utf8Validator",
    "WebSocketClosedError",
    "WebSocketError",
    "WebSocketHandshakeError",
    "WebSocketMachine",
    "acceptKey",
    "acceptUpgrade",
    "applyMask",
    "base64",
    "beginUpgrade",
    "checkUpgradeRequest",
    "finishUpgrade",
    "frame",
    "isCloseCode",
  ]);
});

test("error codes are stable and their classes recognisable", () => {
  expect(new wsproto.WebSocketError("x", 1002)).toMatchObject({ code: "ERR_TW_WEBSOCKET", closeCode: 1002 });
  expect(new wsproto.WebSocketClosedError("x")).toMatchObject({
    code: "ERR_TW_WEBSOCKET_CLOSED",
    closeCode: 1006,
  });
  expect(new wsproto.WebSocketHandshakeError("x", 403)).toMatchObject({
    code: "ERR_TW_WEBSOCKET_HANDSHAKE",
    status: 403,
  });
});
