import { HTTPHeaders } from "@tw/httputil";
import { describe, expect, it } from "vitest";
import { HTTP1Machine, type HTTP1Options, resolveHTTP1Options } from "../src/index.js";
import { bytes, OK, text } from "./helpers.js";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";
const none = new HTTPHeaders();

function server(wire = "", options?: HTTP1Options): HTTP1Machine {
  const machine = new HTTP1Machine("server", resolveHTTP1Options(options));
  if (wire !== "") machine.receive(bytes(wire));
  return machine;
}

const types = (machine: HTTP1Machine): (string | undefined)[] => {
  const seen: (string | undefined)[] = [];
  for (;;) {
    const event = machine.next();
    seen.push(event?.type);
    if (event === undefined) return seen;
  }
};

function answer(machine: HTTP1Machine): void {
  machine.writeHead(OK, none, { contentLength: 0 });
  machine.writeEnd();
}

describe("receive, next and retain", () => {
  it("next() gives undefined without input, and goes on when it came", () => {
    const machine = server();
    expect(machine.next()).toBeUndefined();
    machine.receive(bytes(GET));
    expect(types(machine)).toEqual(["request", "end", undefined]);
  });

  it("data events are views of the input as it came, without copies", () => {
    const machine = server(POST);
    machine.next();
    const body = bytes("abcd");
    machine.receive(body);
    expect(machine.next()).toEqual({ type: "data", bytes: body });
    machine.receive(body);
    expect(types(machine)).toEqual(["end", undefined]);
    expect(machine.buffered).toBe(4);
  });

  it("the bytes of a data event stay as they are when the rest is retained and more is received", () => {
    const machine = server();
    machine.receive(bytes("POST / HTTP/1.1\r\nHost: a\r\nContent-Le"));
    expect(machine.next()).toBeUndefined();
    machine.retain();
    machine.receive(bytes("ngth: 4\r\n\r\nabcdGET"));
    machine.next();
    const event = machine.next();
    machine.retain();
    machine.receive(bytes("x".repeat(500)));
    expect(event?.type === "data" && text(event.bytes)).toBe("abcd");
  });

  it("retain() copies, so that the view may be overwritten", () => {
    const machine = server();
    const view = bytes(GET);
    machine.receive(view.subarray(0, 20));
    machine.next();
    machine.retain();
    view.fill(0, 0, 20);
    machine.receive(view.subarray(20));
    expect(machine.next()).toMatchObject({ type: "request", target: "/" });
  });

  it("buffered counts what was received and not consumed", () => {
    const machine = server(`${GET}GET /2`);
    expect(machine.buffered).toBe(GET.length + 6);
    types(machine);
    expect(machine.buffered).toBe(6);
  });

  it("an empty view changes nothing", () => {
    const machine = server();
    machine.receive(new Uint8Array(0));
    expect(machine.next()).toBeUndefined();
    expect(machine.idle).toBe(true);
  });

  it("after an error next() throws the same one for ever, and what comes later is not kept", () => {
    const machine = server("nonsense\r\n\r\n");
    let first: unknown;
    try {
      machine.next();
    } catch (error) {
      first = error;
    }
    machine.receive(bytes(GET));
    expect(machine.buffered).toBe(0);
    try {
      machine.next();
      expect.unreachable();
    } catch (error) {
      expect(error).toBe(first);
    }
  });

  it("the end event without trailers is one frozen object", () => {
    const ends = [server(GET), server(GET)].map((machine) => {
      machine.next();
      return machine.next();
    });
    expect(ends[0]).toBe(ends[1]);
    expect(Object.isFrozen(ends[0])).toBe(true);
  });

  it("fromLatin1 of the options decodes the head", () => {
    const seen: [number, number][] = [];
    const machine = server(GET, {
      fromLatin1: (buf, start, end) => {
        seen.push([start, end]);
        return text(buf.subarray(start, end));
      },
    });
    machine.next();
    expect(seen).toEqual([[0, GET.length]]);
  });
});

describe("idle", () => {
  it("is true before a request, false from its first byte until the next cycle", () => {
    const machine = server();
    expect(machine.idle).toBe(true);
    machine.receive(bytes("G"));
    expect(machine.idle).toBe(false);
    machine.next();
    machine.retain();
    machine.receive(bytes(GET.slice(1)));
    types(machine);
    expect(machine.idle).toBe(false);
    answer(machine);
    machine.startNextCycle();
    expect(machine.idle).toBe(true);
  });

  it("a stray CRLF between requests leaves the machine idle, and an end then is clean", () => {
    const machine = server("\r\n");
    machine.next();
    expect(machine.idle).toBe(true);
    machine.receiveEnd();
    expect(machine.next()).toEqual({ type: "closed" });
  });

  it("is false after an error", () => {
    const machine = server("\x00");
    expect(() => machine.next()).toThrow();
    expect(machine.idle).toBe(false);
  });
});

describe("startNextCycle", () => {
  it("keeps pipelined input, which is not read before", () => {
    const machine = server(GET + GET.replace("/", "/2"));
    expect(types(machine)).toEqual(["request", "end", undefined]);
    answer(machine);
    machine.startNextCycle();
    expect(machine.next()).toMatchObject({ type: "request", target: "/2" });
  });

  it("throws while the request is not complete", () => {
    const machine = server(`${POST}ab`);
    types(machine);
    answer(machine);
    expect(() => machine.startNextCycle()).toThrow(expect.objectContaining({ code: "ERR_TW_HTTP_STATE" }));
  });

  it("throws while the response is not complete", () => {
    const machine = server(GET);
    types(machine);
    machine.writeHead(OK, none, { contentLength: 1 });
    expect(() => machine.startNextCycle()).toThrow(expect.objectContaining({ code: "ERR_TW_HTTP_STATE" }));
  });

  it("throws when the connection is not to be used again", () => {
    const machine = server(GET);
    types(machine);
    machine.writeHead(OK, none, { contentLength: 0, close: true });
    machine.writeEnd();
    expect(machine.keepAlive).toBe(false);
    expect(() => machine.startNextCycle()).toThrow(expect.objectContaining({ code: "ERR_TW_HTTP_STATE" }));
  });

  it("gives the client a further request on the same connection", () => {
    const machine = new HTTP1Machine("client", resolveHTTP1Options());
    for (const body of ["a", "bc"]) {
      machine.writeHead({ method: "GET", path: "/", version: "HTTP/1.1" }, new HTTPHeaders({ Host: "a" }));
      machine.writeEnd();
      machine.receive(bytes(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
      expect(types(machine)).toEqual(["response", "data", "end", undefined]);
      machine.startNextCycle();
      expect(machine.idle).toBe(true);
    }
  });
});

describe("keepAlive", () => {
  it("is false when the peer has ended and nothing of it is left", () => {
    const machine = server(GET);
    types(machine);
    expect(machine.keepAlive).toBe(true);
    machine.receiveEnd();
    expect(machine.keepAlive).toBe(false);
  });

  it("stays true while pipelined input of a peer that has ended is left", () => {
    const machine = server(GET + GET);
    types(machine);
    expect(machine.peerEnded).toBe(false);
    machine.receiveEnd();
    expect([machine.peerEnded, machine.keepAlive]).toEqual([true, true]);
    answer(machine);
    machine.startNextCycle();
    expect(types(machine)).toEqual(["request", "end", undefined]);
    expect(machine.keepAlive).toBe(false);
  });
});

describe("setMaxBodySize", () => {
  it("raises the limit of this message, and of this one only", () => {
    const machine = server(`${POST}abcd${POST}abcd`, { maxBodySize: 3 });
    expect(machine.next()?.type).toBe("request");
    machine.setMaxBodySize(4);
    expect(types(machine)).toEqual(["data", "end", undefined]);
    answer(machine);
    machine.startNextCycle();
    machine.next();
    expect(() => machine.next()).toThrow(expect.objectContaining({ status: 413 }));
  });

  it("lowers it: 413 before a byte of the body, so that no 100 (Continue) is sent (B19)", () => {
    const machine = server(POST);
    machine.next();
    machine.setMaxBodySize(3);
    expect(() => machine.next()).toThrow(
      expect.objectContaining({ status: 413, code: "ERR_TW_BODY_TOO_LARGE" }),
    );
  });

  it.each([-1, 1.5, Number.NaN])("refuses %d", (size) => {
    expect(() => server().setMaxBodySize(size)).toThrow(RangeError);
  });
});

describe("upgrade", () => {
  const wire = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
  const switching = { version: "HTTP/1.1", code: 101, reason: "" };
  const headers = new HTTPHeaders({ Connection: "Upgrade", Upgrade: "x" });

  it("101 hands over what came after the request, as a copy", () => {
    const view = bytes(`${wire}rest`);
    const machine = server();
    machine.receive(view);
    types(machine);
    expect(machine.writeHead(switching, headers)).toBe(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
    );
    const rest = machine.takeRest();
    view.fill(0);
    expect(text(rest)).toBe("rest");
    expect(machine.buffered).toBe(0);
    expect(machine.next()).toBeUndefined();
    expect(machine.keepAlive).toBe(false);
  });

  it("101 before the end event was pulled still gives it", () => {
    const machine = server(wire);
    machine.next();
    machine.writeHead(switching, headers);
    expect(types(machine)).toEqual(["end", undefined]);
    expect(text(machine.takeRest())).toBe("");
  });

  // RFC 9110 §7.8 (7)
  it("101 is refused to a request that did not ask, and while a body is read", () => {
    const plain = server(GET);
    types(plain);
    expect(() => plain.writeHead(switching, headers)).toThrow(
      expect.objectContaining({ name: "HTTPOutputError" }),
    );
    const posting = server(wire.replace("\r\n\r\n", "\r\nContent-Length: 4\r\n\r\n"));
    types(posting);
    expect(() => posting.writeHead(switching, headers)).toThrow(
      expect.objectContaining({ name: "HTTPOutputError" }),
    );
  });

  it("another answer leaves the connection to HTTP", () => {
    const machine = server(wire + GET);
    types(machine);
    expect(() => machine.takeRest()).toThrow(expect.objectContaining({ code: "ERR_TW_HTTP_STATE" }));
    answer(machine);
    machine.startNextCycle();
    expect(types(machine)).toEqual(["request", "end", undefined]);
  });

  it("2xx to CONNECT opens a tunnel, without Content-Length; another answer does not, and ends the connection", () => {
    const connect = "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n";
    const machine = server(`${connect}\x16tls`);
    types(machine);
    expect(machine.writeHead(OK, none, { contentLength: 0 })).toBe("HTTP/1.1 200 OK\r\n\r\n");
    expect(machine.writeEnd()).toBe("");
    expect(text(machine.takeRest())).toBe("\x16tls");
    const refused = server(connect);
    types(refused);
    expect(refused.writeHead({ ...OK, code: 403, reason: "" }, none, { contentLength: 0 })).toBe(
      "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    expect(refused.writeEnd()).toBe("");
    expect(refused.keepAlive).toBe(false);
  });

  it("the client hands over what came after 101, and after 2xx to CONNECT", () => {
    const client = (method: string, path: string, fields: Record<string, string>): HTTP1Machine => {
      const machine = new HTTP1Machine("client", resolveHTTP1Options());
      machine.writeHead({ method, path, version: "HTTP/1.1" }, new HTTPHeaders({ Host: "a", ...fields }));
      machine.writeEnd();
      return machine;
    };
    const upgrading = client("GET", "/", { Connection: "Upgrade", Upgrade: "x" });
    upgrading.receive(bytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nrest"));
    expect(types(upgrading)).toEqual(["response", "end", undefined]);
    expect(text(upgrading.takeRest())).toBe("rest");
    const tunnel = client("CONNECT", "a:1", {});
    tunnel.receive(bytes("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrest"));
    expect(types(tunnel)).toEqual(["response", "end", undefined]);
    expect(text(tunnel.takeRest())).toBe("rest");
  });
});

describe("client", () => {
  it("refuses a response that it did not ask for", () => {
    const machine = new HTTP1Machine("client", resolveHTTP1Options());
    machine.receive(bytes("HTTP/1.1 408 Request Timeout\r\n\r\n"));
    expect(() => machine.next()).toThrow("Response without a request");
  });

  it("reports a clean end between cycles as closed", () => {
    const machine = new HTTP1Machine("client", resolveHTTP1Options());
    machine.receiveEnd();
    expect(machine.next()).toEqual({ type: "closed" });
  });

  it("takes 32 information responses before the final one, and not 33", () => {
    for (const [count, good] of [
      [32, true],
      [33, false],
    ] as const) {
      const machine = new HTTP1Machine("client", resolveHTTP1Options());
      machine.writeHead({ method: "GET", path: "/", version: "HTTP/1.1" }, new HTTPHeaders({ Host: "a" }));
      machine.receive(bytes("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(count)));
      if (good) expect(types(machine)).toHaveLength(33);
      else expect(() => types(machine)).toThrow("Too many 1xx responses");
    }
  });

  // RFC 9112 §9.3 (4)
  it("reads the response while the request is still being written", () => {
    const machine = new HTTP1Machine("client", resolveHTTP1Options());
    machine.writeHead({ method: "POST", path: "/", version: "HTTP/1.1" }, new HTTPHeaders({ Host: "a" }));
    machine.receive(bytes("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"));
    expect(types(machine)).toEqual(["response", "end", undefined]);
    expect(() => machine.startNextCycle()).toThrow(expect.objectContaining({ code: "ERR_TW_HTTP_STATE" }));
  });
});

describe("resolveHTTP1Options", () => {
  it("has a limit for everything", () => {
    expect(resolveHTTP1Options()).toMatchObject({
      maxHeadSize: 65_536,
      maxHeaderFields: 1000,
      maxBodySize: 10_485_760,
      maxTrailerSize: 8192,
    });
  });

  it.each(["maxHeadSize", "maxHeaderFields", "maxBodySize", "maxTrailerSize"])(
    "refuses a %s that is no size",
    (name) => {
      for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => resolveHTTP1Options({ [name]: value })).toThrow(RangeError);
      }
    },
  );
});

describe("heads that come together", () => {
  const head = (i: number, more = "") =>
    `GET /${i} HTTP/1.1\r\nHost: a\r\nX-Name: ${"v".repeat(i % 90)}\xff\r\n${more}\r\n`;

  it("are read as they are alone, wherever the pieces part, past what is decoded at once", () => {
    const wire = bytes(
      Array.from({ length: 120 }, (_, i) =>
        i % 7 === 3 ? `${head(i, "Content-Length: 4\r\n")}GET ` : head(i),
      ).join(""),
    );
    expect(wire.length).toBeGreaterThan(2 * 4096);
    for (const size of [wire.length, 5000, 4097, 1000, 61]) {
      const machine = new HTTP1Machine("server", resolveHTTP1Options());
      let i = 0;
      for (let at = 0; at < wire.length; at += size) {
        const view = wire.slice(at, at + size);
        machine.receive(view);
        for (let event = machine.next(); event !== undefined; event = machine.next()) {
          if (event.type === "request") {
            expect([event.target, event.headers.get("x-name")]).toEqual([
              `/${i}`,
              `${"v".repeat(i % 90)}\xff`,
            ]);
            i++;
          }
          if (event.type !== "end") continue;
          machine.writeHead({ version: "HTTP/1.1", code: 204, reason: "" }, new HTTPHeaders());
          machine.writeEnd();
          machine.startNextCycle();
        }
        machine.retain();
        view.fill(0);
      }
      expect(i).toBe(120);
    }
  });

  it("are not taken for those of the view before, where a body parts them", () => {
    const machine = server("POST /1 HTTP/1.1\r\nHost: a\r\nX: 1\r\nContent-Length: 0\r\n\r\n");
    machine.receive(bytes("POST /2 HTTP/1.1\r\nHost: a\r\nX: 2\r\nContent-Length: 4\r\n\r\n"));
    const seen: string[] = [];
    const read = (): void => {
      for (let event = machine.next(); event !== undefined; event = machine.next()) {
        if (event.type === "request") seen.push(`${event.target} ${event.headers.get("X")}`);
        if (event.type !== "end") continue;
        machine.writeHead(OK, none, { contentLength: 0 });
        machine.writeEnd();
        machine.startNextCycle();
      }
    };
    read();
    machine.receive(bytes("bodyPOST /3 HTTP/1.1\r\nHost: a\r\nX: 3\r\nContent-Length: 0\r\n\r\n"));
    read();
    expect(seen).toEqual(["/1 1", "/2 2", "/3 3"]);
  });
});
