import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  acceptKey,
  acceptUpgrade,
  base64,
  beginUpgrade,
  checkUpgradeRequest,
  finishUpgrade,
  type UpgradeOffer,
} from "../src/index.js";

const sha1 = (data: Uint8Array): Uint8Array => createHash("sha1").update(data).digest();
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const good: Record<string, string> = {
  Host: "a",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": KEY,
  "Sec-WebSocket-Version": "13",
};
const check = (changes: Record<string, string | undefined> = {}, method = "GET", version = "HTTP/1.1") => {
  const headers = new Headers();
  for (const [name, value] of Object.entries({ ...good, ...changes }))
    if (value !== undefined) headers.set(name, value);
  return checkUpgradeRequest({ method, version, headers });
};

describe("base64() and acceptKey()", () => {
  test("agree with Node for every length up to 40", () => {
    for (let length = 0; length < 40; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 41 + 200);
      expect(base64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
    }
  });

  test("give the answer of RFC 6455 §1.3", () => {
    expect(acceptKey(KEY, sha1)).toBe(ACCEPT);
  });
});

describe("checkUpgradeRequest()", () => {
  test("accepts a handshake and lists its subprotocols", () => {
    expect(check()).toEqual({ ok: true, key: KEY, protocols: [] });
    expect(check({ "Sec-WebSocket-Protocol": " p1 ,, p2" })).toMatchObject({
      ok: true,
      protocols: ["p1", "p2"],
    });
  });

  test.each([
    ["Upgrade", "WebSocket"],
    ["Upgrade", "h2c, websocket"],
    ["Connection", "keep-alive, Upgrade"],
    ["Sec-WebSocket-Version", "8"],
    ["Sec-WebSocket-Version", "7"],
    ["Sec-WebSocket-Extensions", "permessage-deflate; what=ever"],
  ])("accepts %s: %s", (name, value) => {
    expect(check({ [name]: value }).ok).toBe(true);
  });

  test.each([
    ["Upgrade", undefined, 400],
    ["Upgrade", "websocketx", 400],
    ["Connection", undefined, 400],
    ["Connection", "keep-alive", 400],
    // S-03: to whoever reads the request before us these are other words.
    ["Upgrade", "\u00a0websocket", 400],
    ["Connection", "Upgrade\u00a0", 400],
    ["Host", undefined, 400],
    ["Sec-WebSocket-Key", undefined, 400],
    ["Sec-WebSocket-Key", "", 400],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ", 400],
    ["Sec-WebSocket-Key", `${KEY}, ${KEY}`, 400],
    ["Sec-WebSocket-Version", undefined, 426],
    ["Sec-WebSocket-Version", "12", 426],
    ["Sec-WebSocket-Version", "13, 13", 426],
    ["Sec-WebSocket-Protocol", "a b", 400],
  ])("refuses %s: %s with %i", (name, value, status) => {
    expect(check({ [name]: value })).toMatchObject({ ok: false, status });
  });

  test("refuses POST with 405 and Allow, HTTP/1.0 with 400", () => {
    expect(check({}, "POST")).toMatchObject({ ok: false, status: 405, headers: [["Allow", "GET"]] });
    expect(check({}, "GET", "HTTP/1.0")).toMatchObject({ ok: false, status: 400 });
  });

  // RFC 9110 §7.8 (3), RFC 9110 §15.5.22 (1)
  test("lists the versions with 426", () => {
    expect(check({ "Sec-WebSocket-Version": "12" })).toMatchObject({
      headers: expect.arrayContaining([["Sec-WebSocket-Version", "7, 8, 13"]]),
    });
  });
});

describe("acceptUpgrade()", () => {
  const offer = check({ "Sec-WebSocket-Protocol": "p1, p2" }) as UpgradeOffer;

  test("gives the headers of the 101", () => {
    const basic = [
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Accept", ACCEPT],
    ];
    expect(acceptUpgrade(offer, sha1)).toEqual(basic);
    expect(acceptUpgrade(offer, sha1, "p2")).toEqual([...basic, ["Sec-WebSocket-Protocol", "p2"]]);
  });

  test("throws RangeError for a subprotocol that was not offered", () => {
    expect(() => acceptUpgrade(offer, sha1, "p3")).toThrow(RangeError);
  });
});

describe("the client", () => {
  const attempt = beginUpgrade(Buffer.from(KEY, "base64"), ["p1", "p2"]);
  const answer = (changes: Record<string, string | undefined> = {}, status = 101) => {
    const headers = new Headers();
    const all = { Upgrade: "WebSocket", Connection: "upgrade", "Sec-WebSocket-Accept": ACCEPT, ...changes };
    for (const [name, value] of Object.entries(all)) if (value !== undefined) headers.set(name, value);
    return finishUpgrade(attempt, { status, headers }, sha1);
  };

  test("beginUpgrade() gives headers that a server accepts", () => {
    const request = new Headers([
      ["Host", "a"],
      ...attempt.headers.map(([name, value]): [string, string] => [name, value]),
    ]);
    expect(checkUpgradeRequest({ method: "GET", version: "HTTP/1.1", headers: request })).toEqual({
      ok: true,
      key: KEY,
      protocols: ["p1", "p2"],
    });
  });

  test("beginUpgrade() refuses bad nonces and subprotocols", () => {
    expect(() => beginUpgrade(new Uint8Array(15))).toThrow(RangeError);
    expect(() => beginUpgrade(new Uint8Array(16), ["a,b"])).toThrow(TypeError);
    expect(() => beginUpgrade(new Uint8Array(16), ["a\r\nX: y"])).toThrow(TypeError);
    expect(() => beginUpgrade(new Uint8Array(16), ["a", "a"])).toThrow(TypeError);
  });

  test("finishUpgrade() gives the chosen subprotocol", () => {
    expect(answer()).toBeUndefined();
    expect(answer({ "Sec-WebSocket-Protocol": "p2" })).toBe("p2");
  });

  test.each([
    [{}, 200],
    [{}, 403],
    [{ Upgrade: undefined }, 101],
    [{ Upgrade: "h2c" }, 101],
    [{ Connection: undefined }, 101],
    [{ "Sec-WebSocket-Accept": undefined }, 101],
    [{ "Sec-WebSocket-Accept": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" }, 101],
    [{ "Sec-WebSocket-Accept": ACCEPT.toLowerCase() }, 101],
    [{ "Sec-WebSocket-Extensions": "permessage-deflate" }, 101],
    [{ "Sec-WebSocket-Protocol": "p3" }, 101],
    [{ "Sec-WebSocket-Protocol": "p1, p2" }, 101],
  ])("finishUpgrade() throws WebSocketHandshakeError for %j with status %i", (changes, status) => {
    expect(() => answer(changes, status)).toThrow(
      expect.objectContaining({ code: "ERR_TW_WEBSOCKET_HANDSHAKE", status }),
    );
  });
});
