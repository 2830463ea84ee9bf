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
    expect(head("GET / HTTP/1.2\r\nHost: a\r\n\r\n")).toBe("HTTP/1.1 200 OK\r\n\r\n");
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
  it("writes 100 and others before the response, and nothing for HTTP/1.0", () => {
    const machine = asked();
    expect(machine.writeInformation(100)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    expect(machine.writeInformation(103, new HTTPHeaders({ Link: "x" }))).toBe(
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    );
    expect(asked(GET10).writeInformation(100)).toBe("");
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
