import { HTTPHeaders, type ResponseStartLine } from "@tw/httputil";
import { describe, expect, it } from "vitest";
import { HTTP1Machine, resolveHTTP1Options, type WriteHeadOptions } from "../src/index.js";
import { bytes, OK } from "./helpers.js";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const GET10 = "GET / HTTP/1.0\r\n\r\n";

function asked(wire = GET): HTTP1Machine {
  const machine = new HTTP1Machine("server", resolveHTTP1Options());
  machine.receive(bytes(wire));
  while (machine.next() !== undefined);
  return machine;
}

function head(
  wire: string,
  fields: Record<string, string> = {},
  options?: WriteHeadOptions,
  start: ResponseStartLine = OK,
): string {
  return asked(wire).writeHead(start, new HTTPHeaders(fields), options);
}

const outputError = (code: string): unknown => expect.objectContaining({ name: "HTTPOutputError", code });

describe("writeHead of a response", () => {
  it("writes the fields in order, then Date, framing and connection", () => {
    const fields = { "Content-Type": "text/plain", "x-a": "\xe9" };
    expect(head(GET, fields, { date: "D", contentLength: 5, close: true })).toBe(
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: \xe9\r\nDate: D\r\nContent-Length: 5\r\nConnection: close\r\n\r\n",
    );
  });

  it("leaves Date alone where the headers have one", () => {
    expect(head(GET, { date: "mine", "Content-Length": "0" }, { date: "D" })).toBe(
      "HTTP/1.1 200 OK\r\nDate: mine\r\nContent-Length: 0\r\n\r\n",
    );
  });

  it("without a length: chunks for 1.1, the end of the connection for 1.0 (C1, C2, C3)", () => {
    expect(head(GET)).toBe("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    expect(head(GET10)).toBe("HTTP/1.1 200 OK\r\n\r\n");
    expect(head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")).toBe("HTTP/1.1 200 OK\r\n\r\n");
  });

  it("takes a client of a later minor version for one of 1.1, and tells it that it closes (RFC 9110 §2.5)", () => {
    expect(head("GET / HTTP/1.2\r\nHost: a\r\n\r\n")).toBe(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
    );
  });

  it("echoes keep-alive to 1.0, and says nothing when it closes one (A2, A3)", () => {
    expect(head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", {}, { contentLength: 0 })).toBe(
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n",
    );
    expect(head(GET10, {}, { contentLength: 0 })).toBe("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });

  it("closes when the client asked for it (A4)", () => {
    expect(head("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", {}, { contentLength: 0 })).toBe(
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
  });

  it("takes Connection from the headers: close once, keep-alive not against a close, other options kept", () => {
    const zero = { contentLength: 0 };
    expect(head(GET, { Connection: "Close" }, zero)).toMatch(
      /OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n$/,
    );
    expect(head(GET, { Connection: "keep-alive" }, { ...zero, close: true })).toMatch(
      /Length: 0\r\nConnection: close\r\n\r\n$/,
    );
    expect(head(GET, { Connection: "x-option" }, zero)).toContain("\r\nConnection: x-option\r\n");
    const machine = asked();
    machine.writeHead(OK, new HTTPHeaders({ Connection: "close", "Content-Length": "0" }));
    expect(machine.keepAlive).toBe(false);
  });

  // RFC 9110 §8.6 (1), (2), RFC 9110 §9.3.2 (1)
  it("204, 304 and answers to HEAD have no body, with the length each may have (C4, C5, C11)", () => {
    const empty = { ...OK, reason: "" };
    expect(head(GET, { "Content-Length": "3" }, {}, { ...empty, code: 204 })).toBe(
      "HTTP/1.1 204 No Content\r\n\r\n",
    );
    expect(head(GET, {}, { contentLength: 0 }, { ...empty, code: 204 })).toBe(
      "HTTP/1.1 204 No Content\r\n\r\n",
    );
    expect(head(GET, {}, { contentLength: 0 }, { ...empty, code: 304 })).toBe(
      "HTTP/1.1 304 Not Modified\r\n\r\n",
    );
    expect(head(GET, { "Content-Length": "9" }, {}, { ...empty, code: 304 })).toContain(
      "\r\nContent-Length: 9\r\n",
    );
    const request = GET.replace("GET", "HEAD");
    expect(head(request, {}, { contentLength: 8 })).toBe("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
    expect(head(request, { "Content-Length": "8" })).toBe("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
    expect(head(request)).toBe("HTTP/1.1 200 OK\r\n\r\n");
    const machine = asked(request);
    machine.writeHead(OK, new HTTPHeaders(), { contentLength: 8 });
    expect(machine.bodyAllowed).toBe(false);
    expect(machine.writeEnd()).toBe("");
    expect(machine.keepAlive).toBe(true);
  });

  // RFC 9112 §6.1 (3), (4)
  it("respects Transfer-Encoding: chunked, drops it for 1.0, refuses another", () => {
    expect(head(GET, { "transfer-encoding": "chunked" }, { contentLength: 5 })).toBe(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    expect(head(GET10, { "Transfer-Encoding": "chunked" })).toBe("HTTP/1.1 200 OK\r\n\r\n");
    expect(() => head(GET, { "Transfer-Encoding": "gzip" })).toThrow(outputError("ERR_TW_HTTP_OUTPUT"));
  });

  it("refuses framing that contradicts itself, before any state changes", () => {
    const machine = asked();
    const twice = new HTTPHeaders({ "Content-Length": ["1", "1"] });
    expect(() => machine.writeHead(OK, twice)).toThrow(outputError("ERR_TW_HTTP_OUTPUT"));
    const both = new HTTPHeaders({ "Content-Length": "1", "Transfer-Encoding": "chunked" });
    expect(() => machine.writeHead(OK, both)).toThrow(outputError("ERR_TW_HTTP_OUTPUT"));
    for (const value of ["+1", "1, 1", "", "0x1", "99999999999999999999"]) {
      expect(() => machine.writeHead(OK, new HTTPHeaders({ "Content-Length": value }))).toThrow("Malformed");
    }
    const five = new HTTPHeaders({ "Content-Length": "5" });
    expect(() => machine.writeHead(OK, five, { contentLength: 6 })).toThrow(
      outputError("ERR_TW_BODY_TOO_LONG"),
    );
    expect(() => machine.writeHead(OK, five, { contentLength: 4 })).toThrow(
      outputError("ERR_TW_BODY_TOO_SHORT"),
    );
    expect(() => machine.writeHead({ ...OK, code: 99 }, five)).toThrow(RangeError);
    expect(() => machine.writeHead({ ...OK, code: 100 }, five)).toThrow(RangeError);
    expect(() => machine.writeHead(OK, new HTTPHeaders(), { contentLength: -1 })).toThrow(RangeError);
    expect(machine.writeHead(OK, five, { contentLength: 5 })).toContain("Content-Length: 5\r\n");
  });

  it("knows the standard reasons, and takes harmless ones of the caller (C17)", () => {
    const zero = { contentLength: 0 };
    expect(head(GET, {}, zero, { ...OK, code: 299, reason: "" })).toMatch(/^HTTP\/1\.1 299 Unknown\r\n/);
    expect(head(GET, {}, zero, { ...OK, code: 503, reason: "Because" })).toMatch(
      /^HTTP\/1\.1 503 Because\r\n/,
    );
    expect(head(GET, {}, zero, { ...OK, code: 503, reason: "" })).toMatch(
      /^HTTP\/1\.1 503 Service Unavailable\r\n/,
    );
  });

  // RFC 9110 §2.2 (3)
  it("is not to be called twice, nor without a request, nor with a request line", () => {
    const machine = asked();
    machine.writeHead(OK, new HTTPHeaders());
    expect(() => machine.writeHead(OK, new HTTPHeaders())).toThrow(outputError("ERR_TW_HTTP_STATE"));
    const fresh = new HTTP1Machine("server", resolveHTTP1Options());
    expect(() => fresh.writeHead(OK, new HTTPHeaders())).toThrow(outputError("ERR_TW_HTTP_STATE"));
    const request = { method: "GET", path: "/", version: "HTTP/1.1" };
    expect(() => asked().writeHead(request, new HTTPHeaders())).toThrow(outputError("ERR_TW_HTTP_STATE"));
  });

  it("answers what is not a request, and a client that sent none, and closes", () => {
    const broken = new HTTP1Machine("server", resolveHTTP1Options());
    broken.receive(bytes("\x00"));
    expect(() => broken.next()).toThrow();
    const bad = { ...OK, code: 400, reason: "" };
    expect(broken.writeHead(bad, new HTTPHeaders(), { contentLength: 0 })).toBe(
      "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    const silent = new HTTP1Machine("server", resolveHTTP1Options());
    const late = { ...OK, code: 408, reason: "" };
    expect(silent.writeHead(late, new HTTPHeaders(), { contentLength: 0, close: true })).toContain(
      "Connection: close",
    );
  });
});

describe("frameData and writeEnd", () => {
  // RFC 9110 §5.6.3 (1)
  it("frames chunks with their size in hexadecimal digits (C1)", () => {
    const machine = asked();
    machine.writeHead(OK, new HTTPHeaders());
    expect([machine.frameData(1), machine.frameData(26), machine.dataSuffix]).toEqual([
      "1\r\n",
      "1a\r\n",
      "\r\n",
    ]);
    expect(machine.writeEnd()).toBe("0\r\n\r\n");
  });

  it("refuses an empty chunk, which would end the body", () => {
    const machine = asked();
    machine.writeHead(OK, new HTTPHeaders());
    expect(() => machine.frameData(0)).toThrow(RangeError);
  });

  it("writes trailers after chunks, drops them elsewhere, and refuses those that frame", () => {
    const chunked = asked();
    chunked.writeHead(OK, new HTTPHeaders());
    expect(() => chunked.writeEnd(new HTTPHeaders({ Host: "x" }))).toThrow(outputError("ERR_TW_HTTP_OUTPUT"));
    expect(chunked.writeEnd(new HTTPHeaders({ "X-Sum": "1" }))).toBe("0\r\nX-Sum: 1\r\n\r\n");
    const plain = asked();
    plain.writeHead(OK, new HTTPHeaders(), { contentLength: 0 });
    expect(plain.writeEnd(new HTTPHeaders({ "X-Sum": "1" }))).toBe("");
  });

  // RFC 9112 §2.2 (5)
  it("S-09: neither more nor fewer bytes than Content-Length (C7, C8)", () => {
    const more = asked();
    more.writeHead(OK, new HTTPHeaders(), { contentLength: 5 });
    expect([more.frameData(3), more.dataSuffix]).toEqual(["", ""]);
    expect(() => more.frameData(3)).toThrow(outputError("ERR_TW_BODY_TOO_LONG"));
    expect(() => more.frameData(3)).toThrow("6 bytes, more than the Content-Length of 5");
    expect(() => more.writeEnd()).toThrow(outputError("ERR_TW_BODY_TOO_SHORT"));
    expect(() => more.writeEnd()).toThrow("3 bytes, less than the Content-Length of 5");
    more.frameData(2);
    expect(more.writeEnd()).toBe("");
  });

  it("nothing before the head, nothing after the end", () => {
    const machine = asked();
    expect(() => machine.frameData(1)).toThrow(outputError("ERR_TW_HTTP_STATE"));
    expect(() => machine.writeEnd()).toThrow(outputError("ERR_TW_HTTP_STATE"));
    machine.writeHead(OK, new HTTPHeaders());
    machine.writeEnd();
    expect(() => machine.frameData(1)).toThrow(outputError("ERR_TW_HTTP_STATE"));
    expect(() => machine.writeEnd()).toThrow(outputError("ERR_TW_HTTP_STATE"));
  });
});

describe("writeInformation", () => {
  // RFC 9110 §15.2 (1)
  it("writes 100 and others before the response, and nothing for HTTP/1.0", () => {
    const machine = asked();
    expect(machine.writeInformation(100)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    expect(machine.writeInformation(103, new HTTPHeaders({ Link: "x" }))).toBe(
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    );
    expect(asked(GET10).writeInformation(100)).toBe("");
    expect(asked("GET / HTTP/1.2\r\nHost: a\r\n\r\n").writeInformation(100)).not.toBe("");
    machine.writeHead(OK, new HTTPHeaders());
    expect(() => machine.writeInformation(100)).toThrow(outputError("ERR_TW_HTTP_STATE"));
  });

  it.each([99, 101, 200, 100.5])("refuses %d", (code) => {
    expect(() => asked().writeInformation(code)).toThrow(RangeError);
  });

  it("refuses without a request, and from a client", () => {
    const options = resolveHTTP1Options();
    for (const role of ["server", "client"] as const) {
      expect(() => new HTTP1Machine(role, options).writeInformation(100)).toThrow(
        outputError("ERR_TW_HTTP_STATE"),
      );
    }
  });
});

describe("writeHead of a request", () => {
  const write = (
    method: string,
    path = "/",
    fields: Record<string, string> = {},
    options?: WriteHeadOptions,
  ): string =>
    new HTTP1Machine("client", resolveHTTP1Options()).writeHead(
      { method, path, version: "HTTP/1.1" },
      new HTTPHeaders({ Host: "a", ...fields }),
      options,
    );

  // RFC 9112 §2.2 (4), (6), RFC 9110 §6.2 (1)
  it("GET has no body unless the headers or options say so (K1)", () => {
    expect(write("GET", "/?q=1")).toBe("GET /?q=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(write("GET", "/", {}, { contentLength: 2 })).toContain("Content-Length: 2\r\n");
    expect(write("DELETE", "/", { "Transfer-Encoding": "chunked" })).toContain(
      "Transfer-Encoding: chunked\r\n",
    );
  });

  it("POST has chunks unless its length is known (K2, K5)", () => {
    expect(write("POST")).toBe("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    expect(write("POST", "/", {}, { contentLength: 0 })).toBe(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    );
    expect(write("POST", "/", { "Content-Length": "3" })).toContain("\r\nContent-Length: 3\r\n");
  });

  it("close goes out as a field", () => {
    expect(write("GET", "/", {}, { close: true })).toBe(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
  });

  it("S-33: no blank, control or character above U+00FF in method or target", () => {
    for (const bad of ["/a b", "/a\r\nX: y", "/\0", "", "/\u20ac", "/\t"])
      expect(() => write("GET", bad)).toThrow(TypeError);
    for (const bad of ["G T", "", "GET\r\n", "G(T"]) expect(() => write(bad)).toThrow(TypeError);
  });

  it("needs Host, and refuses a status line", () => {
    const machine = new HTTP1Machine("client", resolveHTTP1Options());
    const start = { method: "GET", path: "/", version: "HTTP/1.1" };
    expect(() => machine.writeHead(start, new HTTPHeaders())).toThrow(outputError("ERR_TW_HTTP_OUTPUT"));
    expect(() => machine.writeHead(OK, new HTTPHeaders({ Host: "a" }))).toThrow(
      outputError("ERR_TW_HTTP_STATE"),
    );
    expect(machine.writeHead(start, new HTTPHeaders({ host: "a" }))).toContain("Host: a");
  });
});

describe("what a server may not send", () => {
  const reason = "";
  const upgrading = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x/1, y\r\n\r\n";

  it("RFC 9110 §7.8 (1), RFC 9110 §15.2.2 (1): 101 without Upgrade", () => {
    const switching = { ...OK, code: 101, reason };
    expect(() => head(upgrading, {}, {}, switching)).toThrow("101 without Upgrade");
    expect(head(upgrading, { Upgrade: "X/1" }, {}, switching)).toContain("Upgrade: X/1\r\n");
  });

  it("RFC 9110 §7.8 (2): 101 to a protocol that the client did not name", () => {
    const switching = { ...OK, code: 101, reason };
    for (const Upgrade of ["x", "z", "x/1, z", ""])
      expect(() => head(upgrading, { Upgrade }, {}, switching), Upgrade).toThrow("was not asked for");
    expect(head(upgrading, { Upgrade: "y, x/1" }, {}, switching)).toContain("Upgrade: y, x/1\r\n");
  });

  it("RFC 9110 §7.8 (5), RFC 9110 §7.6.1 (1): Upgrade that Connection does not list: it is added", () => {
    const zero = { contentLength: 0 };
    const required = { ...OK, code: 426, reason };
    expect(head(GET, { Upgrade: "x" }, zero, required)).toContain("\r\nConnection: Upgrade\r\n");
    for (const Connection of ["upgrade", "x, Upgrade"]) {
      const text = head(GET, { Upgrade: "x", Connection }, zero, required);
      expect(text.match(/Connection:/g)).toHaveLength(1);
    }
  });

  it("RFC 9110 §15.3.6 (1): content in a 205", () => {
    const reset = { ...OK, code: 205, reason };
    for (const [fields, options] of [
      [{}, {}],
      [{ "Content-Length": "5" }, {}],
      [{}, { contentLength: 5 }],
      [{ "Transfer-Encoding": "chunked" }, {}],
    ] as const) {
      const machine = asked();
      expect(machine.writeHead(reset, new HTTPHeaders(fields), options)).toBe(
        "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
      );
      expect(machine.bodyAllowed).toBe(false);
      expect(machine.writeEnd()).toBe("");
    }
  });

  it("RFC 9112 §6.1 (5), RFC 9110 §8.6 (3): framing in a 1xx or a 204", () => {
    const machine = asked();
    const framed = new HTTPHeaders({ "Content-Length": "5", Link: "x" });
    expect(machine.writeInformation(103, framed)).toBe("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    const chunked = new HTTPHeaders({ "Transfer-Encoding": "chunked" });
    expect(machine.writeInformation(103, chunked)).toBe("HTTP/1.1 103 Early Hints\r\n\r\n");
    const empty = { ...OK, code: 204, reason };
    expect(machine.writeHead(empty, chunked)).toBe("HTTP/1.1 204 No Content\r\n\r\n");
    expect(head(GET, { "Content-Length": "5" }, {}, empty)).toBe("HTTP/1.1 204 No Content\r\n\r\n");
  });

  it("RFC 9112 §6.1 (6), RFC 9110 §8.6 (4), RFC 9110 §9.3.6 (4): framing in a 2xx to CONNECT", () => {
    const connect = "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const fields of [{ "Content-Length": "5" }, { "Transfer-Encoding": "chunked" }])
      expect(head(connect, fields)).toBe("HTTP/1.1 200 OK\r\n\r\n");
  });

  it("RFC 9112 §6.1 (8): chunks to a client of HTTP/1.0", () => {
    expect(head(GET10, { "Transfer-Encoding": "chunked" })).toBe("HTTP/1.1 200 OK\r\n\r\n");
  });

  it("RFC 9112 §6.2 (1), RFC 9112 §6.1 (2): both lengths, or chunks in chunks", () => {
    const both = { "Content-Length": "1", "Transfer-Encoding": "chunked" };
    expect(() => head(GET, both)).toThrow(outputError("ERR_TW_HTTP_OUTPUT"));
    expect(() => head(GET, { "Transfer-Encoding": "chunked, chunked" })).toThrow("Unsupported");
    const twice = new HTTPHeaders({ "Transfer-Encoding": ["chunked", "chunked"] });
    expect(() => asked().writeHead(OK, twice)).toThrow("Unsupported");
  });

  it("fields that are no HTTPHeaders, and nothing has begun", () => {
    const machine = asked();
    for (const other of [{ A: "b" }, new Headers(), new Map(), []])
      expect(() => machine.writeHead(OK, other as unknown as HTTPHeaders)).toThrow("must be HTTPHeaders");
    expect(machine.writeHead(OK, new HTTPHeaders(), { contentLength: 0 })).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("RFC 9112 §2.2 (2): a line end in a date", () => {
    expect(() => head(GET, {}, { date: "a\r\nX: y" })).toThrow(TypeError);
    expect(() => head(GET, {}, { date: "a\r" })).toThrow(TypeError);
  });

  it("RFC 9112 §4 (1): a status line without the blank behind its code", () => {
    expect(head(GET, {}, { contentLength: 0 }, { ...OK, code: 299, reason })).toMatch(/^HTTP\/1\.1 299 /);
  });

  it.each([
    "Content-Length",
    "transfer-encoding",
    "Host",
    "Set-Cookie",
    "Content-Type",
    "Authorization",
    "TE",
  ])("RFC 9110 §6.5.1 (1): %s as a trailer", (name) => {
    const machine = asked();
    machine.writeHead(OK, new HTTPHeaders());
    const trailers = new HTTPHeaders({ "X-Sum": "1", [name]: "1" });
    expect(() => machine.writeEnd(trailers)).toThrow(outputError("ERR_TW_HTTP_OUTPUT"));
    expect(machine.writeEnd(), "the body still may end").toBe("0\r\n\r\n");
  });
});

describe("what a client may not send", () => {
  const write = (
    method: string,
    path = "/",
    fields: Record<string, string | string[]> = {},
    options?: WriteHeadOptions,
  ): string =>
    new HTTP1Machine("client", resolveHTTP1Options()).writeHead(
      { method, path, version: "HTTP/1.1" },
      new HTTPHeaders({ Host: "a", ...fields }),
      options,
    );

  it("RFC 9112 §3.2 (1), RFC 9110 §7.2 (1), RFC 9112 §3.2.2 (2): a request without Host, or with one that no server takes", () => {
    const machine = new HTTP1Machine("client", resolveHTTP1Options());
    for (const path of ["/", "http://a/"])
      expect(() => machine.writeHead({ method: "GET", path, version: "" }, new HTTPHeaders())).toThrow(
        "A request needs Host",
      );
    expect(() => write("GET", "/", { Host: ["a", "a"] })).toThrow("Host twice");
    for (const Host of ["a/b", "u@a", "a, b", "a b"])
      expect(() => write("GET", "/", { Host })).toThrow("Malformed Host");
  });

  it("RFC 9112 §3.2.3 (1), RFC 9110 §9.3.6 (1): CONNECT to anything but host and port", () => {
    for (const path of ["/", "a", "a:", ":1", "a:0", "http://a:1", "u@a:1", "*"])
      expect(() => write("CONNECT", path), path).toThrow(TypeError);
    expect(write("CONNECT", "a:443")).toMatch(/^CONNECT a:443 HTTP\/1\.1\r\n/);
  });

  it("RFC 9112 §3.2.4 (1): * for another method than OPTIONS", () => {
    expect(write("OPTIONS", "*")).toMatch(/^OPTIONS \* /);
    expect(() => write("GET", "*")).toThrow(TypeError);
  });

  it("RFC 9110 §4.2.1 (1), RFC 9110 §4.2.2 (1), RFC 9110 §4.2.4 (1): a target without a host, or with userinfo", () => {
    for (const path of ["http://", "http:///x", "https://:80/", "http://u:p@a/", "ftp://a/"])
      expect(() => write("GET", path), path).toThrow(TypeError);
  });

  it.each(["/#a", "a", "", "?a", "/a b", "/\r\n"])("RFC 9110 §2.2 (2): the target %j", (path) => {
    expect(() => write("GET", path)).toThrow(TypeError);
  });

  it("RFC 9112 §7.4 (1), (2), RFC 9110 §10.1.4 (1): chunked in TE, or TE that Connection does not list", () => {
    expect(() => write("GET", "/", { TE: "trailers, chunked" })).toThrow("TE lists chunked");
    expect(write("GET", "/", { TE: "trailers" })).toContain("\r\nConnection: TE\r\n");
    expect(write("GET", "/", { TE: "trailers", Connection: "te" }).match(/Connection/g)).toHaveLength(1);
  });

  it("RFC 9110 §10.1.1 (1): an expectation without a body", () => {
    const Expect = "100-Continue";
    expect(() => write("GET", "/", { Expect })).toThrow("without a body");
    expect(() => write("GET", "/", { Expect: `${Expect},` })).toThrow("without a body");
    expect(() => write("PUT", "/", { Expect }, { contentLength: 0 })).toThrow("without a body");
    expect(write("PUT", "/", { Expect }, { contentLength: 1 })).toContain("Expect: 100-Continue\r\n");
    expect(write("PUT", "/", { Expect })).toContain("Transfer-Encoding: chunked\r\n");
  });

  it("RFC 9110 §9.3.8 (2), RFC 9110 §9.3.7 (2): TRACE with a body, OPTIONS with one that has no type", () => {
    expect(() => write("TRACE", "/", {}, { contentLength: 1 })).toThrow("TRACE has no body");
    expect(() => write("TRACE", "/", { "Transfer-Encoding": "chunked" })).toThrow("TRACE has no body");
    expect(write("TRACE")).toMatch(/^TRACE/);
    expect(() => write("OPTIONS", "/", {}, { contentLength: 1 })).toThrow("needs Content-Type");
    expect(write("OPTIONS", "/", { "Content-Type": "a/b" }, { contentLength: 1 })).toMatch(/^OPTIONS/);
  });

  it("RFC 9112 §6.1 (7), RFC 9112 §6.3 (10): chunks to a server that answered in HTTP/1.0", () => {
    const client = new HTTP1Machine("client", resolveHTTP1Options());
    const host = new HTTPHeaders({ Host: "a" });
    client.writeHead({ method: "GET", path: "/", version: "HTTP/1.1" }, host);
    client.writeEnd();
    client.receive(bytes("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"));
    while (client.next() !== undefined);
    client.startNextCycle();
    const post = { method: "POST", path: "/", version: "HTTP/1.1" };
    expect(() => client.writeHead(post, host)).toThrow("needs Content-Length");
    expect(client.writeHead(post, host, { contentLength: 1 })).toContain("Content-Length: 1\r\n");
  });

  it("RFC 9112 §6.3 (9): a body without a length or chunks", () => {
    expect(write("POST")).toContain("Transfer-Encoding: chunked\r\n");
    expect(write("POST", "/", {}, { contentLength: 3 })).toContain("Content-Length: 3\r\n");
  });

  it("RFC 9112 §9.6 (1), RFC 9112 §9.2 (1): a second request behind close, or before the response to the first", () => {
    const client = new HTTP1Machine("client", resolveHTTP1Options());
    const start = { method: "GET", path: "/", version: "HTTP/1.1" };
    const host = new HTTPHeaders({ Host: "a" });
    client.writeHead(start, host, { close: true });
    client.writeEnd();
    expect(() => client.writeHead(start, host)).toThrow(outputError("ERR_TW_HTTP_STATE"));
    client.receive(bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    while (client.next() !== undefined);
    expect(client.keepAlive).toBe(false);
    expect(() => client.startNextCycle()).toThrow(outputError("ERR_TW_HTTP_STATE"));
    expect(() => client.writeHead(start, host)).toThrow(outputError("ERR_TW_HTTP_STATE"));
  });

  it("RFC 9112 §9.2 (2): a request where bytes came that nobody asked for", () => {
    const client = new HTTP1Machine("client", resolveHTTP1Options());
    client.receive(bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    const start = { method: "GET", path: "/", version: "HTTP/1.1" };
    expect(() => client.writeHead(start, new HTTPHeaders({ Host: "a" }))).toThrow(
      outputError("ERR_TW_HTTP_STATE"),
    );
    expect(() => client.next()).toThrow("Response without a request");
  });
});
