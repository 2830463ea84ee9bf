import { describe, expect, test } from "vitest";
import { frame, isCloseCode, PING, TEXT, WebSocketMachine } from "../src/index.js";
import { describeEvent, everyWay, feed, machineOf, wire } from "./helpers.js";

const join = (chunks: readonly (Uint8Array | string)[]): Buffer =>
  Buffer.concat(chunks.map((chunk) => (typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk)));

describe("lengths", () => {
  const lengths = [0, 1, 2, 124, 125, 126, 127, 191, 192, 193, 65535, 65536, 65537];

  test.each(lengths)("a binary message of %i bytes arrives in either direction", (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
    const toServer = join(machineOf("client").sendBinary(bytes));
    const toClient = join(machineOf("server").sendBinary(bytes));
    const head = length < 126 ? 2 : length < 65536 ? 4 : 10;
    expect(toClient.length).toBe(head + length);
    expect(toServer.length).toBe(head + 4 + length);
    const expected = [describeEvent({ type: "binary", bytes })];
    expect(feed(machineOf("server"), [toServer]).map(describeEvent)).toEqual(expected);
    expect(feed(machineOf("client"), [toClient]).map(describeEvent)).toEqual(expected);
  });

  test.each(lengths.filter((length) => length < 200))(
    "a text of %i bytes arrives however it is cut",
    (length) => {
      const text = "x".repeat(length);
      expect(everyWay("server", join(machineOf("client").sendText(text)))).toEqual([{ type: "text", text }]);
      expect(everyWay("client", join(machineOf("server").sendText(text)))).toEqual([{ type: "text", text }]);
    },
  );

  test("the bytes of a long frame are those of RFC 6455 §5.7", () => {
    expect(join(frame(2, new Uint8Array(256))).subarray(0, 4)).toEqual(Buffer.from("827e0100", "hex"));
    expect(join(frame(2, new Uint8Array(65536))).subarray(0, 10)).toEqual(
      Buffer.from("827f0000000000010000", "hex"),
    );
  });
});

describe("maxMessageSize", () => {
  const limited = (bytes: Uint8Array) =>
    everyWay("client", bytes, { maxMessageSize: 1000 }).map(describeEvent);
  const tooBig = 'fail 1009 "Message is longer than 1000 bytes"';

  test("a message of exactly the limit is read, one byte more fails with 1009", () => {
    expect(limited(wire('81 7e03e8 "x"*1000'))).toEqual([`text "${"x".repeat(1000)}"`]);
    expect(limited(wire('81 7e03e9 "x"*1001'))).toEqual([tooBig]);
  });

  test("fragments are counted together", () => {
    expect(limited(wire("02 7e01f4 00*500 80 7e01f4 00*500"))).toEqual([`binary ${"00".repeat(1000)}`]);
    expect(limited(wire("02 7e01f4 00*500 80 7e01f5 00*501"))).toEqual([tooBig]);
  });

  test("the head alone is enough to fail", () => {
    expect(limited(wire("82 7f 0000000100000000"))).toEqual([tooBig]);
  });

  test("control frames are not subject to it", () => {
    const machine = machineOf("client", { maxMessageSize: 1 });
    expect(feed(machine, [wire('89 05 "hello" 81 01 "a"')]).map(describeEvent)).toEqual([
      "ping 68656c6c6f",
      'text "a"',
    ]);
  });

  test("is 10 MiB by default", () => {
    expect(feed(machineOf("client"), [wire("82 7f 0000000000a00000")])).toEqual([]);
    expect(feed(machineOf("client"), [wire("82 7f 0000000000a00001")])).toMatchObject([
      { type: "fail", code: 1009 },
    ]);
  });
});

describe("maxFragments", () => {
  test("as many fragments as allowed are one message, one more fails with 1009", () => {
    const options = { maxFragments: 3 };
    expect(everyWay("client", wire('01 01 "a" 00 00 80 01 "b"'), options)).toEqual([
      { type: "text", text: "ab" },
    ]);
    const failed = everyWay("client", wire('01 01 "a" 00 00 00 00 80 01 "b"'), options);
    expect(failed.map(describeEvent)).toEqual(['fail 1009 "Message has more than 3 fragments"']);
  });

  test("counts per message", () => {
    const twice = wire('01 01 "a" 80 01 "b" 01 01 "c" 80 01 "d"');
    expect(everyWay("client", twice, { maxFragments: 2 })).toHaveLength(2);
  });
});

describe("cost", () => {
  test("a message of 50 000 fragments of one byte is linear work", () => {
    const count = 50_000;
    const all = new Uint8Array(count * 3);
    for (let i = 0; i < count; i++) all.set([i === 0 ? 2 : i === count - 1 ? 0x80 : 0, 1, i & 0xff], i * 3);
    const machine = machineOf("client");
    const started = process.cpuUsage();
    const [event] = feed(machine, [all]);
    expect(event).toMatchObject({ type: "binary" });
    // Copying what came before with each fragment would be 1.25 GB.
    expect(process.cpuUsage(started).user).toBeLessThan(300_000);
  });

  test("a megabyte fed byte by byte is linear work", () => {
    const machine = machineOf("client");
    const started = process.cpuUsage();
    machine.receive(wire("82 7f 0000000000100000"));
    machine.next();
    const byte = new Uint8Array(1);
    let last: ReturnType<WebSocketMachine["next"]>;
    for (let i = 0; i < 1_048_576; i++) {
      machine.receive(byte);
      last = machine.next();
    }
    expect(last).toMatchObject({ type: "binary" });
    expect(process.cpuUsage(started).user).toBeLessThan(2_000_000);
  });

  test("announcing ten megabytes reserves nothing like it", () => {
    const before = process.memoryUsage().arrayBuffers;
    const machines = Array.from({ length: 200 }, () => {
      const machine = machineOf("client");
      feed(machine, [wire("82 7f 0000000000a00000 00*10")]);
      return machine;
    });
    expect(machines.length).toBe(200);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 16_384);
  });
});

describe("receive() and retain()", () => {
  test("events are pulled one by one, and the view may be forgotten in between with retain()", () => {
    const machine = machineOf("client");
    const view = wire('81 01 "a" 81 01 "b" 81 01 "c"');
    machine.receive(view);
    expect(machine.next()).toEqual({ type: "text", text: "a" });
    machine.retain();
    view.fill(0xff);
    machine.receive(wire('81 01 "d"'));
    const rest = [machine.next(), machine.next(), machine.next(), machine.next()];
    expect(rest.map((event) => event && describeEvent(event))).toEqual([
      'text "b"',
      'text "c"',
      'text "d"',
      undefined,
    ]);
  });

  test("binary messages are copies: changing the view afterwards changes nothing", () => {
    const machine = machineOf("client");
    const view = wire("82 03 010203");
    machine.receive(view);
    const event = machine.next();
    view.fill(0);
    expect(event).toEqual({ type: "binary", bytes: Uint8Array.of(1, 2, 3) });
  });

  test("the view is never modified", () => {
    const view = Buffer.concat([
      join(machineOf("client").sendText("x".repeat(1000))),
      join(machineOf("client").sendBinary(new Uint8Array(1000))),
    ]);
    const before = Buffer.from(view);
    const machine = machineOf("server");
    machine.receive(view);
    machine.next();
    machine.next();
    expect(view.equals(before)).toBe(true);
  });

  test("receive() throws RangeError when nobody pulls, at maxMessageSize and 64 KiB", () => {
    const machine = machineOf("client", { maxMessageSize: 1000 });
    machine.receive(new Uint8Array(60_000));
    machine.receive(new Uint8Array(6_536));
    expect(() => machine.receive(new Uint8Array(1))).toThrow(RangeError);
  });
});

describe("closing", () => {
  test("is open, then closing, then closed; closing again sends nothing", () => {
    const machine = machineOf("server");
    expect([machine.state, machine.canSend, machine.canReceive]).toEqual(["open", true, true]);
    expect(join(machine.close(4001, "bye"))).toEqual(Buffer.from("88050fa1627965", "hex"));
    expect([machine.state, machine.canSend, machine.canReceive]).toEqual(["closing", false, true]);
    expect(machine.close(1000)).toEqual([]);
    feed(machine, [wire("88 82 00000000 0fa1")]);
    expect([machine.state, machine.canReceive]).toEqual(["closed", false]);
  });

  test("messages are still read between our Close frame and the peer's", () => {
    const machine = machineOf("client");
    machine.close();
    expect(feed(machine, [wire('81 01 "a" 88 00')]).map(describeEvent)).toEqual([
      'text "a"',
      'close 1005 ""',
    ]);
  });

  test.each([
    ["88 00", "8800"],
    ["88 02 03e8", "880203e8"],
    ["88 05 03e9 627965", "880203e9"],
  ])("close() without arguments answers %s with %s", (received, answer) => {
    const machine = machineOf("client");
    feed(machine, [wire(received)]);
    const [chunk] = machine.close();
    const unmasked = feed(machineOf("server"), [chunk as Uint8Array]).map(describeEvent);
    expect(unmasked).toEqual(feed(machineOf("client"), [wire(answer)]).map(describeEvent));
  });

  test("a reason alone is sent with 1000", () => {
    expect(join(machineOf("server").close(undefined, "bye"))).toEqual(Buffer.from("880503e8627965", "hex"));
  });

  test("an end without a Close frame is 1006, once, after all messages", () => {
    const machine = machineOf("client");
    machine.receive(wire('81 01 "a" 81 05 "ab"'));
    machine.receiveEnd();
    const events = [machine.next(), machine.next(), machine.next()];
    expect(events).toEqual([
      { type: "text", text: "a" },
      { type: "close", code: 1006, reason: "" },
      undefined,
    ]);
    expect(join(machineOf("server").close())).toEqual(Buffer.from("8800", "hex"));
  });

  test("an end after a Close frame or a failure says nothing more", () => {
    for (const last of ["88 00", "83 00"]) {
      const machine = machineOf("client");
      expect(feed(machine, [wire(last)])).toHaveLength(1);
      machine.receiveEnd();
      expect(machine.next()).toBeUndefined();
    }
  });

  test("after a failure a Close frame with its code may be sent", () => {
    const machine = machineOf("server");
    const [failure] = feed(machine, [wire("81 00")]);
    expect(failure).toMatchObject({ type: "fail", code: 1002 });
    expect(machine.state).toBe("closing");
    expect(join(machine.close(1002, "x"))).toEqual(Buffer.from("880303ea78", "hex"));
    expect(machine.state).toBe("closed");
  });

  test("every sending method throws WebSocketClosedError after close()", () => {
    const machine = machineOf("server");
    machine.close();
    const sends = [
      () => machine.sendText("a"),
      () => machine.sendBinary(new Uint8Array(1)),
      () => machine.ping(),
      () => machine.pong(),
    ];
    for (const send of sends)
      expect(send).toThrow(expect.objectContaining({ code: "ERR_TW_WEBSOCKET_CLOSED" }));
  });

  test("a code or reason that may not be sent throws RangeError and leaves the connection open", () => {
    const machine = machineOf("server");
    for (const code of [0, 1, 999, 1004, 1006, 1015, 1016, 2999, 5000, 1000.5, Number.NaN]) {
      expect(() => machine.close(code), String(code)).toThrow(RangeError);
    }
    expect(() => machine.close(1000, "é".repeat(62))).toThrow("124 bytes, limit 123");
    expect(machine.state).toBe("open");
    expect(join(machine.close(1000, `${"é".repeat(61)}x`))).toHaveLength(127);
  });

  test("exactly the codes of RFC 6455 §7.4 and its registry are valid", () => {
    const valid: number[] = [];
    for (let code = 0; code < 3002; code++) if (isCloseCode(code)) valid.push(code);
    expect(valid).toEqual([
      1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001,
    ]);
    expect([4999, 5000, 65535].map(isCloseCode)).toEqual([true, false, false]);
  });

  test.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])(
    "a Close frame of code %i fails with 1002",
    (code) => {
      const bytes = Uint8Array.of(0x88, 2, code >> 8, code & 0xff);
      expect(everyWay("client", bytes).map(describeEvent)).toEqual([
        `fail 1002 "Invalid close code ${code}"`,
      ]);
    },
  );
});

describe("sending", () => {
  test("a server hands on the very payload it was given", () => {
    const payload = new Uint8Array(1000);
    expect(machineOf("server").sendBinary(payload)[1]).toBe(payload);
  });

  test("a client leaves the payload as it was and masks with the key it was given", () => {
    const payload = Uint8Array.from(Buffer.from("Hello"));
    const [chunk] = machineOf("client").sendBinary(payload);
    expect(chunk).toEqual(Uint8Array.from(Buffer.from("828537fa213d7f9f4d5158", "hex")));
    expect(Buffer.from(payload).toString()).toBe("Hello");
  });

  test("asks for a key per frame, also a negative one", () => {
    let key = -1;
    const machine = new WebSocketMachine("client", { maskingKey: () => key--, fragmentSize: 2 });
    expect(join(machine.sendBinary(Uint8Array.of(0, 0, 0))).toString("hex")).toBe(
      "0282ffffffffffff8081fffffffeff",
    );
  });

  test("short ASCII is one latin1 string, other text is UTF-8", () => {
    const machine = machineOf("server");
    expect(machine.sendText("hi")).toEqual(["\x81\x02hi"]);
    expect(join(machine.sendText("é"))).toEqual(Buffer.from("8102c3a9", "hex"));
    expect(join(machine.sendText("\ud800"))).toEqual(Buffer.from("8103efbfbd", "hex"));
    expect(join(machine.sendText(""))).toEqual(Buffer.from("8100", "hex"));
    expect(join(machine.sendText("x".repeat(600))).length).toBe(604);
  });

  test.each(["client", "server"] as const)(
    "fragmentSize of a %s splits messages, and the peer joins them",
    (role) => {
      const peer = role === "client" ? "server" : "client";
      for (const [size, message] of [
        [1, "hé€"],
        [2, "hé€"],
        [3, "abc"],
        [3, "abcd"],
        [600, "x".repeat(601)],
      ] as const) {
        const sent = join(machineOf(role, { fragmentSize: size }).sendText(message));
        expect((sent[0] as number) >> 7, "FIN of the first").toBe(Buffer.byteLength(message) <= size ? 1 : 0);
        expect(everyWay(peer, sent)).toEqual([{ type: "text", text: message }]);
      }
    },
  );

  test("pings of 125 bytes go out, of 126 throw RangeError", () => {
    const machine = machineOf("server");
    expect(join(machine.ping(new Uint8Array(125)))).toHaveLength(127);
    expect(() => machine.ping(new Uint8Array(126))).toThrow(RangeError);
    expect(() => machine.pong("é".repeat(63))).toThrow(RangeError);
    expect(join(machine.pong("abc"))).toEqual(Buffer.from("8a03616263", "hex"));
  });

  test("frame() refuses unknown opcodes and fragmented control frames", () => {
    expect(() => frame(3 as never, "")).toThrow(RangeError);
    expect(() => frame(PING, "", { fin: false })).toThrow(RangeError);
    expect(join(frame(TEXT, "a", { fin: false }))).toEqual(Buffer.from("010161", "hex"));
  });

  test("wrong arguments throw TypeError", () => {
    const machine = machineOf("server");
    expect(() => machine.sendText(1 as never)).toThrow(TypeError);
    expect(() => machine.sendBinary("a" as never)).toThrow(TypeError);
  });
});

describe("options", () => {
  test("a client without maskingKey and an unknown role are TypeErrors", () => {
    expect(() => new WebSocketMachine("client")).toThrow(TypeError);
    expect(() => new WebSocketMachine("proxy" as never)).toThrow(TypeError);
  });

  test.each(["maxMessageSize", "maxFragments", "fragmentSize"])("%s below 1 is a RangeError", (name) => {
    for (const value of [0, -1, 1.5, Number.NaN]) {
      expect(() => new WebSocketMachine("server", { [name]: value })).toThrow(RangeError);
    }
  });
});
