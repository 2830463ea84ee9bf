// What does not begin as a response is refused at once: its sender may never end a line, or a head.

import { HTTPInputError } from "@tw/httputil";
import { describe, expect, it } from "vitest";
import { bytes, machineFor } from "./helpers.js";

/** The error of a client that gets `pieces`, or undefined. */
function refusal(pieces: readonly string[], maxHeadSize = 65_536): unknown {
  const machine = machineFor({ role: "client", wire: "", options: { maxHeadSize } });
  for (const piece of pieces) {
    machine.receive(bytes(piece));
    try {
      machine.next();
    } catch (error) {
      return error;
    }
    machine.retain();
  }
  return undefined;
}

describe("RFC 9112 §2.3: a client refuses what does not begin with HTTP/1. at its first wrong byte", () => {
  it.each([
    ["g", '"g"'],
    ["garbage\r\n", '"g"'],
    ["HTTX", '"HTTX"'],
    ["HTTP/2 200\r\n", '"HTTP/2"'],
    ["http/1.1 200 OK\r\n\r\n", '"h"'],
    [" HTTP/1.1 200 OK\r\n\r\n", '" "'],
    ["\r\nHTTP/1.1 200 OK\r\n\r\n", '"\\r"'],
    ["\nHTTP/1.1 200 OK\n\n", '"\\n"'],
    ["HTTP\r\n\r\n", '"HTTP\\r"'],
    ["HT\x00TP/1.1 200 OK\r\n\r\n", '"HT\\u0000"'],
  ])("%j", (wire, start) => {
    const whole = refusal([wire]);
    expect(whole).toBeInstanceOf(HTTPInputError);
    expect(whole).toMatchObject({
      message: `Malformed status line: it begins with ${start}, not "HTTP/1."`,
      status: 400,
      code: "ERR_TW_HTTP_INPUT",
    });
    expect(refusal([...wire])).toEqual(whole);
    for (let at = 1; at < wire.length; at++)
      expect(refusal([wire.slice(0, at), wire.slice(at)])).toEqual(whole);
  });

  it("and waits where it can become one", () => {
    for (const wire of ["H", "HTTP/1", "HTTP/1.", "HTTP/1.1", "HTTP/1.1 200 OK\r\n"])
      expect(refusal([wire])).toBeUndefined();
  });

  it("and the limit of a head comes first where it is there first", () => {
    for (const pieces of [["HTTPS"], [..."HTTPS"]])
      expect(refusal(pieces, 4)).toMatchObject({ status: 431, code: "ERR_TW_HEAD_TOO_LARGE" });
    for (const pieces of [["HTTX/"], [..."HTTX/"]]) expect(refusal(pieces, 4)).toMatchObject({ status: 400 });
  });

  it("of every byte in every place of it", () => {
    for (let at = 0; at < 7; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const start = "HTTP/1.".slice(0, at) + String.fromCharCode(byte);
        expect(refusal([start]) === undefined, JSON.stringify(start)).toBe("HTTP/1.".startsWith(start));
      }
    }
  });
});
