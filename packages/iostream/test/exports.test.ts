import { expect, it } from "vitest";
import * as framing from "../src/framing.js";
import * as main from "../src/index.js";
import * as testing from "../src/testing.js";
import * as transports from "../src/transports.js";

it("the entries export what they promise, and nothing else", () => {
  expect(Object.keys(main).sort()).toEqual([
    "CloseTimeoutError",
    "FileReadError",
    "FileTooShortError",
    "IOStream",
    "PipeIOStream",
    "SSLIOStream",
    "StartTlsError",
    "StreamBufferFullError",
    "StreamBusyError",
    "StreamClosedError",
    "TLSHandshakeError",
    "UnsatisfiableReadError",
    "checkFileRange",
  ]);
  expect(Object.keys(testing).sort()).toEqual(["torture", "transportConformance"]);
  expect(Object.keys(framing).sort()).toEqual([
    "CodecError",
    "FrameDecoder",
    "FrameTooLargeError",
    "IncompleteFrameError",
    "MalformedFrameError",
    "UNKNOWN",
    "delimited",
    "fixed",
    "headed",
    "json",
    "jsonLines",
    "lengthPrefixed",
    "lines",
    "map",
    "pipe",
    "regex",
    "text",
  ]);
  expect(Object.keys(transports).sort()).toEqual([
    "MemoryTransport",
    "NativeTransport",
    "NodeTransport",
    "acceptNodeSocket",
    "checkEngine",
    "checkStreamOptions",
    "chooseEngine",
    "connectNodeSocket",
    "inNextTurn",
    "memoryPair",
    "nativeEngine",
    "nodeTransport",
    "systemError",
  ]);
});

it("every error has its own code", () => {
  const codes = [
    new main.CloseTimeoutError("x").code,
    new main.FileReadError("x").code,
    new main.FileTooShortError(1, 2).code,
    new main.StartTlsError("x").code,
    new main.TLSHandshakeError("timeout", undefined).code,
    new main.StreamBufferFullError("x").code,
    new main.StreamBusyError("x").code,
    new main.StreamClosedError().code,
    new main.UnsatisfiableReadError("x").code,
    new framing.CodecError("x").code,
    new framing.FrameTooLargeError("1", 1).code,
    new framing.IncompleteFrameError(1).code,
    new framing.MalformedFrameError("x").code,
  ];
  expect(new Set(codes).size).toBe(codes.length);
});
