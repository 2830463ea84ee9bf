// The rules of the security history that this package keeps, by their numbers. Single values are in the corpus; here
// is what takes many, large or random ones.

import { HTTPHeaders } from "@tw/httputil";
import { describe, expect, it } from "vitest";
import { HTTP1Machine, resolveHTTP1Options } from "../src/index.js";
import { bytes, machineFor, OK, repeat, run, threeWays } from "./helpers.js";

const post = (fields: string, body = ""): string => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`;
const REFUSED = ["error 400 ERR_TW_HTTP_INPUT"];

describe("S-01 lengths are digits", () => {
  it("any single character but a digit makes Content-Length 400", () => {
    for (let c = 0; c < 256; c++) {
      const value = `1${String.fromCharCode(c)}2`;
      const events = threeWays({ role: "server", wire: post(`Content-Length: ${value}`, "x".repeat(200)) });
      if (/^\d+$/.test(value)) expect(events[0], value).toContain(`length=${value}`);
      else expect(events, JSON.stringify(value)).toEqual(REFUSED);
    }
  });

  it("any single character but a hex digit makes a chunk size 400", () => {
    for (let c = 0; c < 256; c++) {
      const size = `0${String.fromCharCode(c)}`;
      const hex = /^[0-9a-fA-F]+$/.test(size);
      const data = hex ? "x".repeat(Number.parseInt(size, 16)) : "x";
      const chunks = data === "" ? "0\r\n\r\n" : `${size}\r\n${data}\r\n0\r\n\r\n`;
      const last = threeWays({ role: "server", wire: post("Transfer-Encoding: chunked", chunks) }).at(-1);
      expect(last, JSON.stringify(size)).toBe(hex ? "end, keep-alive" : REFUSED[0]);
    }
  });

  it("no byte of a refused body is read as a request afterwards", () => {
    const smuggled = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const fields of [
      "Content-Length: +5",
      "Transfer-Encoding: xchunked",
      "Content-Length: 0\r\nContent-Length: 1",
    ]) {
      expect(threeWays({ role: "server", wire: post(fields, smuggled) })).toEqual(REFUSED);
    }
  });
});

describe("S-03 only SP and HTAB are blanks", () => {
  it.each([0x0b, 0x0c, 0xa0, 0x85])("0x%s around chunked is never stripped", (c) => {
    const around = String.fromCharCode(c);
    for (const value of [`${around}chunked`, `chunked${around}`]) {
      expect(threeWays({ role: "server", wire: post(`Transfer-Encoding: ${value}`, "0\r\n\r\n") })).toEqual(
        REFUSED,
      );
    }
  });
});

describe("S-04 Host, method, names and values", () => {
  it.each([
    "a,b",
    "a/b",
    "a b",
    "u@b",
    "a\\b",
    "a#b",
    "a?b",
    "[::1",
    "::1",
    "a:b",
    "a:99999",
    "a\xe9",
    "a%zz",
    '"a"',
  ])("Host %s is 400", (host) => {
    expect(threeWays({ role: "server", wire: `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n` })).toEqual(REFUSED);
  });

  it("a bad Host is 400 in HTTP/1.0 too", () => {
    expect(threeWays({ role: "server", wire: "GET / HTTP/1.0\r\nHost: a/b\r\n\r\n" })).toEqual(REFUSED);
  });

  it("every character that is no token is 400 in a method and in a name", () => {
    for (let c = 0; c < 256; c++) {
      const char = String.fromCharCode(c);
      if (/[!#$%&'*+\-.^_`|~0-9A-Za-z:]/.test(char)) continue;
      expect(threeWays({ role: "server", wire: `G${char}T / HTTP/1.1\r\nHost: a\r\n\r\n` }), char).toEqual(
        REFUSED,
      );
      expect(
        threeWays({ role: "server", wire: `GET / HTTP/1.1\r\nHost: a\r\nX${char}Y: z\r\n\r\n` }),
        char,
      ).toEqual(REFUSED);
    }
  });

  it("every control but HTAB is 400 in a value", () => {
    for (let c = 0; c < 256; c++) {
      const wire = `GET / HTTP/1.1\r\nHost: a\r\nX: a${String.fromCharCode(c)}b\r\n\r\n`;
      const refused = (c < 0x20 && c !== 0x09) || c === 0x7f;
      expect(threeWays({ role: "server", wire })[0]?.startsWith("error"), `0x${c.toString(16)}`).toBe(
        refused,
      );
    }
  });
});

describe("S-05 what cannot be parsed is 400", () => {
  it("for every request of one line that is none", () => {
    for (const line of [
      "",
      " ",
      "GET",
      "GET /",
      "GET / ",
      "/ HTTP/1.1",
      "HTTP/1.1 200 OK",
      "GET / HTTP/1.1 x",
      ":",
      "\t",
    ]) {
      expect(threeWays({ role: "server", wire: `${line}\r\nHost: a\r\n\r\n` }), line).toEqual(REFUSED);
    }
  });
});

describe("S-06 heads take linear time", () => {
  it("60 000 repeated fields within a raised limit, whole and dripping", () => {
    const fields = "X: y\r\n".repeat(60_000);
    const options = { maxHeadSize: 1 << 20, maxHeaderFields: 60_001 };
    const scenario = { role: "server", wire: `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`, options } as const;
    expect(run(scenario, [scenario.wire.length])).toHaveLength(60_003);
    // Quadratic work on 360 000 drips would be 65 000 000 000 steps: this would not come back.
    expect(run(scenario, repeat(1))).toHaveLength(60_003);
  });

  it("one line of a megabyte that drips in", () => {
    const wire = `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(1 << 20)}\r\n\r\n`;
    expect(run({ role: "server", wire, options: { maxHeadSize: 2 << 20 } }, repeat(1))).toHaveLength(4);
  });

  it("repeated Content-Length and Connection", () => {
    const options = { maxHeadSize: 4 << 20, maxHeaderFields: 100_000 };
    const wire = post(
      `${"Content-Length: 1\r\n".repeat(50_000)}${"Connection: x\r\n".repeat(20_000)}X: y`,
      "a",
    );
    expect(
      run({ role: "server", wire, options }, [wire.length]).filter((line) => line.includes("Content-Length")),
    ).toHaveLength(1);
  });
});

describe("S-07 limits bind while reading", () => {
  it("a head without end is refused at the limit, not after it", () => {
    const machine = new HTTP1Machine("server", resolveHTTP1Options({ maxHeadSize: 100 }));
    const head = `GET / HTTP/1.1\r\nX: ${"y".repeat(100)}`;
    machine.receive(bytes(head.slice(0, 99)));
    expect(machine.next()).toBeUndefined();
    machine.retain();
    machine.receive(bytes(head.slice(99, 100)));
    expect(() => machine.next()).toThrow(expect.objectContaining({ status: 431 }));
  });

  it("chunk extensions of a body are bounded in sum", () => {
    const chunk = (size: number): string => `1;${"x".repeat(size - 1)}\r\na\r\n`;
    const wire = (last: number): string =>
      post("Transfer-Encoding: chunked", `${chunk(8192)}${chunk(last)}0\r\n\r\n`);
    expect(run({ role: "server", wire: wire(8192) }, [1e6]).at(-1)).toBe("end, keep-alive");
    expect(run({ role: "server", wire: wire(8193) }, [1e6]).at(-1)).toBe(REFUSED[0]);
  });
});

describe("S-22, S-23, S-24 what goes out", () => {
  const asked = (): HTTP1Machine => {
    const machine = new HTTP1Machine("server", resolveHTTP1Options());
    machine.receive(bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    while (machine.next() !== undefined);
    return machine;
  };

  it.each(["a\r\nX: y", "<b>", "a\0", "\u20ac"])("S-23: the reason %j becomes Unknown (C16)", (reason) => {
    expect(asked().writeHead({ ...OK, reason }, new HTTPHeaders(), { contentLength: 0 })).toBe(
      "HTTP/1.1 200 Unknown\r\nContent-Length: 0\r\n\r\n",
    );
  });

  it("S-22, S-24: a head has as many lines as it has fields, whatever a program tries to put in", () => {
    const headers = new HTTPHeaders();
    for (const [name, value] of [
      ["X", "a\r\nY: z"],
      ["X", "a\nb"],
      ["X", "a\0"],
      ["X Foo", "a"],
      ["X:", "a"],
      ["", "a"],
      ["X\r\nY", "a"],
    ] as const) {
      expect(() => headers.set(name, value)).toThrow(TypeError);
      expect(() => headers.add(name, value)).toThrow(TypeError);
    }
    expect(asked().writeHead(OK, headers, { contentLength: 0 }).split("\r\n")).toHaveLength(4);
  });
});

describe("S-43 an error repeats no control that the peer sent", () => {
  const odd = "\x85\x9b31m\x7f";
  it.each([
    ["server", `GET/${odd} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ["server", `GET x${odd.slice(0, -1)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ["server", `GET / HTTP/1.1\r\nHost: a${odd.slice(0, -1)}\r\n\r\n`],
    ["server", `GET / HTTP/1.1\r\nHost: a\r\n\x9bX: ${odd.slice(0, -1)}\r\n\r\n`],
    ["server", `GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n ${odd.slice(0, -1)}\r\n\r\n`],
    ["server", post(`Content-Length: ${odd.slice(0, -1)}`)],
    ["server", post(`Transfer-Encoding: ${odd.slice(0, -1)}`)],
    ["client", `HTTP/1.1 2\x9b0 OK\r\n\r\n`],
    ["client", "HT\x9b31m"],
  ] as const)("a %s that reads %j", (role, wire) => {
    const machine = machineFor({ role, wire: "" });
    machine.receive(bytes(wire));
    let message = "";
    try {
      machine.next();
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/^[\x20-\x7e]+$/);
  });
});
