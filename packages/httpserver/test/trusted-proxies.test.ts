// Who a request is from when something is in front: S-40, and what nobody is to be believed about.
import type { HTTPConnection, HTTPMessageDelegate, HTTPServerRequest } from "@tw/httputil";
import { HTTPHeaders } from "@tw/httputil";
import { dice } from "@tw/tooling-testing/dice";
import { expectLinear } from "@tw/tooling-testing/growth";
import { latin1 } from "@tw/util";
import { describe, expect, it } from "vitest";
import { hopsBefore, lastUntrusted, readClient } from "../src/forwarded-client.js";
import { HTTPServer, type HTTPServerOptions } from "../src/index.js";
import { ProxyDelegate } from "../src/trusted-proxies.js";
import { answer, onEveryCarrier } from "./harness.js";

const LOOPBACK = { trustedProxies: ["loopback"] } as const;

describe("readClient", () => {
  it("takes time linear in the fields", () => {
    for (const name of ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"])
      for (const piece of [" ", ",", " x", "x "])
        expectLinear((size) => {
          const headers = new HTTPHeaders({
            "X-Forwarded-For": "1.1.1.1",
            [name]: `a${piece.repeat(size)}b`,
          });
          readClient["x-forwarded"](headers, hopsBefore(1));
        });
  });
});

describe("new HTTPServer() with what is in front of it", () => {
  it.each([
    [{ trustedProxies: "loopback" }, TypeError],
    [{ trustedProxies: [7] }, TypeError],
    [{ trustedProxies: ["10.0.0.0/33"] }, RangeError],
    [{ trustedProxies: ["proxy.example"] }, RangeError],
    [{ trustedProxies: ["10.0.0.1/8"] }, RangeError],
    [{ trustedProxies: 0 }, RangeError],
    [{ trustedProxies: 101 }, RangeError],
    [{ trustedProxies: 1.5 }, RangeError],
    [{ trustedProxies: true }, TypeError],
    [{ ...LOOPBACK, proxyHeader: "via" }, TypeError],
    [{ ...LOOPBACK, proxyHeader: "toString" }, TypeError],
    [{ ...LOOPBACK, forwardedHost: 1 }, TypeError],
    [{ ...LOOPBACK, forwardedHost: true, proxyHeader: "x-real-ip" }, TypeError],
    [{ proxyHeader: "forwarded" }, TypeError],
    [{ forwardedHost: true }, TypeError],
    [{ protocol: "ftp" }, TypeError],
  ])("refuses %j", (options, error) => {
    expect(() => new HTTPServer(() => {}, options as HTTPServerOptions)).toThrow(error);
  });
});

describe("lastUntrusted() and hopsBefore()", () => {
  const trusted = lastUntrusted((ip) => ip.startsWith("10."));

  it.each([
    [[], -1],
    [["1.1.1.1"], 0],
    [["10.0.0.1"], 0],
    [["1.1.1.1", "2.2.2.2"], 1],
    [["1.1.1.1", "10.0.0.1"], 0],
    [["9.9.9.9", "1.1.1.1", "10.0.0.2", "10.0.0.1"], 1],
    [["10.0.0.3", "10.0.0.2", "10.0.0.1"], 0],
    [["1.1.1.1", undefined], 1],
    [["1.1.1.1", undefined, "10.0.0.1"], 1],
    [["10.0.0.9", "1.1.1.1", "10.0.0.1"], 1],
  ])("of %j the last that is no proxy is at %i", (ips, at) => {
    expect(trusted(ips)).toBe(at);
  });

  it.each([
    [1, ["9.9.9.9", "1.1.1.1"], 1],
    [2, ["9.9.9.9", "1.1.1.1", "10.0.0.1"], 1],
    [2, ["1.1.1.1", "10.0.0.1"], 0],
    [2, ["1.1.1.1"], -1],
    [1, [], -1],
    [100, ["1.1.1.1"], -1],
  ])("with %i proxies in front, of %j the client is at %i", (hops, ips, at) => {
    expect(hopsBefore(hops)(ips)).toBe(at);
  });
});

describe('trustedProxies with "unix"', () => {
  // Node's sockets tell no address of a peer that has reset its connection, yet give what it sent before.
  it.each([
    [0, "1.1.1.1"],
    [8888, ""],
  ])("a peer without an address, at our port %i, is %j", (localPort, remoteIp) => {
    const context = {
      remoteIp: "",
      remotePort: 0,
      protocol: "http",
      stream: { info: { localPort } },
    } as const;
    const connection = { context } as unknown as HTTPConnection;
    const inner = { startRequest: () => ({ headersReceived() {} }) as unknown as HTTPMessageDelegate };
    const message = new ProxyDelegate(inner, { trustedProxies: ["unix"] }).startRequest(connection);
    const head = { method: "GET", path: "/", version: "HTTP/1.1" };
    message.headersReceived(head, new HTTPHeaders({ "X-Forwarded-For": "1.1.1.1" }));
    expect(connection.context.remoteIp).toBe(remoteIp);
  });
});

describe("for all heads", () => {
  it("what is read of a client is an address, a protocol and a host that can be such, or nothing", () => {
    const random = dice(5);
    const words = [
      "1.1.1.1",
      "::1",
      "[::1]:80",
      "for=",
      "proto=https",
      "host=a",
      ",",
      ";",
      " ",
      '"',
      "\\",
      "unknown",
      "_x",
      "=",
      ":",
      "http",
      "999.1.1.1",
      "\t",
      "for=1.2.3.4",
      "a.test:80",
    ];
    let found = 0;
    for (let round = 0; round < 8000; round++) {
      const value = () => Array.from({ length: random(8) }, () => words[random(words.length)]).join("");
      const headers = new HTTPHeaders();
      for (const name of [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "Forwarded",
        "X-Real-Ip",
        "X-Scheme",
      ])
        headers.add(name, value());
      for (const read of Object.values(readClient)) {
        const { ip, port, protocol, host } = read(
          headers,
          random(2) === 0 ? hopsBefore(1 + random(3)) : lastUntrusted(() => random(2) === 0),
        );
        if (ip !== undefined) expect(ip).toMatch(/^[\d.]+$|^[\da-f:.]+$/i);
        if (port !== undefined) expect(port).toBeLessThan(65_536);
        expect([undefined, "http", "https"]).toContain(protocol);
        if (host !== undefined) expect(host).toMatch(/^[^,/@\s"]+$/);
        if (ip !== undefined) found++;
      }
    }
    expect(found).toBeGreaterThan(200);
  });

  it("a head full of proxies takes time in proportion to it", () => {
    const listOf = (count: number) =>
      new HTTPHeaders({
        "X-Forwarded-For": "10.0.0.1,".repeat(count),
        Forwarded: "for=10.0.0.1,".repeat(count),
      });
    const calls = (count: number) => {
      let asked = 0;
      const find = lastUntrusted(() => ++asked > 0);
      readClient["x-forwarded"](listOf(count), find);
      readClient.forwarded(listOf(count), find);
      return asked;
    };
    expect(calls(6000)).toBeLessThanOrEqual(200);
    expect(calls(50)).toBe(98);
  });
});

/** What a handler sees of who asks. */
function tell(request: HTTPServerRequest): void {
  const { remoteIp, protocol, host } = request;
  answer(request.connection, `<${remoteIp} ${request.connection.context.remotePort} ${protocol} ${host}>`);
}

onEveryCarrier((bench) => {
  /** What the handler says to each of the heads, all over one connection, one after the other or at once. */
  async function ask(options: HTTPServerOptions, ...heads: string[]): Promise<(string | undefined)[]> {
    const server = await bench.serve(tell, options);
    const client = await bench.connect(server);
    const own = client.stream.info.localPort;
    for (const head of heads) {
      const lines = head === "" ? "" : `${head.split("\n").join("\r\n")}\r\n`;
      await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
    }
    const seen = await client.until((all) => all.split("<").length > heads.length);
    return [...seen.matchAll(/<(.*)>/g)].map(([, facts]) => facts?.replace(`127.0.0.1 ${own}`, "peer"));
  }

  const one = async (options: HTTPServerOptions, head: string) => (await ask(options, head))[0];

  it("I5: headers are ignored unless somebody is trusted", async () => {
    const head =
      "X-Forwarded-For: 1.1.1.1\nX-Real-Ip: 2.2.2.2\nForwarded: for=3.3.3.3;proto=https;host=evil\nX-Forwarded-Proto: https\nX-Scheme: https\nX-Forwarded-Host: evil";
    expect(await one({}, head)).toBe("peer http a");
    expect(await one({ trustedProxies: [] }, head)).toBe("peer http a");
    expect(await one({ trustedProxies: ["10.0.0.0/8", "unix"] }, head)).toBe("peer http a");
  });

  it("I1: the right-most entry that is no trusted proxy, when it is an address", async () => {
    for (const [list, expected] of [
      ["1.1.1.1, 2.2.2.2", "2.2.2.2 0"],
      ["2.2.2.2", "2.2.2.2 0"],
      ["1.1.1.1, foo", "peer"],
      ["foo, 2.2.2.2", "2.2.2.2 0"],
      ["1.1.1.1,::1", "1.1.1.1 0"],
      ["2001:db8::1", "2001:db8::1 0"],
      ["[2001:db8::1]:4711", "2001:db8::1 0"],
      ["192.0.2.1:4711", "192.0.2.1 0"],
      ["127.1", "peer"],
      ["0x7f.0.0.1", "peer"],
      ["fe80::1%eth0", "peer"],
      ["", "peer"],
      ["1.1.1.1, 127.0.0.1, 127.0.0.2", "1.1.1.1 0"],
      ["127.0.0.3, 127.0.0.1", "127.0.0.3 0"],
    ])
      expect(await one(LOOPBACK, `X-Forwarded-For: ${list}`), list).toBe(`${expected} http a`);
    expect(await one(LOOPBACK, "X-Forwarded-For: 1.1.1.1\nX-Forwarded-For: 2.2.2.2")).toBe(
      "2.2.2.2 0 http a",
    );
    expect(await one(LOOPBACK, "")).toBe("peer http a");
  });

  it("I2: the protocol is the last that was appended, and http or https", async () => {
    for (const [head, expected] of [
      ["X-Forwarded-Proto: https", "https"],
      ["X-Forwarded-Proto: HTTPS", "https"],
      ["X-Forwarded-Proto: http, https", "https"],
      ["X-Forwarded-Proto: https, http", "http"],
      ["X-Forwarded-Proto: ftp", "http"],
      ["X-Forwarded-Proto: https, ftp", "http"],
      ["X-Forwarded-Proto: ", "http"],
    ] as const)
      expect(await one(LOOPBACK, head), head).toBe(`peer ${expected} a`);
  });

  it("where each proxy appended a protocol, that of the client's own hop counts", async () => {
    const list = "X-Forwarded-For: 9.9.9.9, 1.1.1.1, 127.0.0.2";
    expect(await one(LOOPBACK, `${list}\nX-Forwarded-Proto: http, https, http`)).toBe("1.1.1.1 0 https a");
    expect(await one(LOOPBACK, `${list}\nX-Forwarded-Proto: https, http`)).toBe("1.1.1.1 0 http a");
  });

  it("I3, S-40: what one request says of its client is nothing to the next, pipelined or not", async () => {
    const server = await bench.serve(tell, { ...LOOPBACK, forwardedHost: true });
    const client = await bench.connect(server);
    const spoken = "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n";
    const request = (headers: string) => `GET / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
    await client.send(request(spoken) + request("") + request(spoken) + request(""));
    await client.until((all) => all.split("<").length > 4);
    await client.send(request(""));
    const seen = await client.until((all) => all.split("<").length > 5);
    const peer = `127.0.0.1 ${client.stream.info.localPort} http a`;
    expect([...seen.matchAll(/<(.*)>/g)].map(([, facts]) => facts)).toEqual([
      "1.1.1.1 0 https b",
      peer,
      "1.1.1.1 0 https b",
      peer,
      peer,
    ]);
  });

  it("I4: proxies behind the nearest one are trusted by their addresses", async () => {
    const options = { trustedProxies: ["loopback", "5.5.5.5", "6.6.6.0/24"] };
    expect(await one(options, "X-Forwarded-For: 1.1.1.1, 5.5.5.5, 6.6.6.6")).toBe("1.1.1.1 0 http a");
    expect(await one(options, "X-Forwarded-For: 1.1.1.1, 5.5.5.6, 6.6.6.6")).toBe("5.5.5.6 0 http a");
    expect(await one(options, "X-Forwarded-For: 9.9.9.9, ::ffff:5.5.5.5")).toBe("9.9.9.9 0 http a");
  });

  it("a number of proxies: so many entries from the right, and none where one was gone around", async () => {
    const list = "X-Forwarded-For: 9.9.9.9, 1.1.1.1, 2.2.2.2";
    expect(await one({ trustedProxies: 1 }, list)).toBe("2.2.2.2 0 http a");
    expect(await one({ trustedProxies: 2 }, list)).toBe("1.1.1.1 0 http a");
    expect(await one({ trustedProxies: 4 }, list)).toBe("peer http a");
  });

  it("the host is the proxies' only where that was asked for, and when it can be one", async () => {
    const head = (host: string) => `X-Forwarded-For: 1.1.1.1\nX-Forwarded-Host: ${host}`;
    expect(await one(LOOPBACK, head("b.test"))).toBe("1.1.1.1 0 http a");
    const options = { ...LOOPBACK, forwardedHost: true };
    for (const [host, expected] of [
      ["b.test:8080", "b.test:8080"],
      ["[::1]:80", "[::1]:80"],
      ["evil, b.test", "b.test"],
      ["b.test/x", "a"],
      ["u@b.test", "a"],
      ["", "a"],
      ["b.test:99999", "a"],
    ])
      expect(await one(options, head(host as string)), host).toBe(`1.1.1.1 0 http ${expected}`);
  });

  it("the host of a proxy wins over a target in absolute form, and fullUrl() follows", async () => {
    const server = await bench.serve(
      (request) => answer(request.connection, `<${request.fullUrl()} ${request.hostName}>`),
      { ...LOOPBACK, forwardedHost: true },
    );
    const client = await bench.connect(server);
    await client.send(
      "GET http://inner/x?y HTTP/1.1\r\nHost: inner\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: Outer:444\r\n\r\n",
    );
    expect(await client.until((all) => all.includes(">"))).toContain("<https://Outer:444/x?y outer>");
  });

  it('proxyHeader: "forwarded" reads RFC 7239, all of a hop from its own element, and nothing else', async () => {
    const options = { ...LOOPBACK, proxyHeader: "forwarded", forwardedHost: true } as const;
    for (const [value, expected] of [
      ["for=192.0.2.60;proto=https;host=b.test", "192.0.2.60 0 https b.test"],
      ['for="[2001:db8::1]:4711"', "2001:db8::1 4711 http a"],
      ['For="192.0.2.60:80";PROTO=HTTPS', "192.0.2.60 80 https a"],
      ["for=9.9.9.9;proto=https;host=evil, for=1.1.1.1", "1.1.1.1 0 http a"],
      ["for=1.1.1.1;proto=https, for=127.0.0.2;proto=http;host=inner", "1.1.1.1 0 https a"],
      ["for=1.1.1.1, for=unknown;proto=https", "peer https a"],
      ["for=1.1.1.1, for=_hidden", "peer http a"],
      ["for=1.1.1.1, proto=https", "peer https a"],
      ['for=1.1.1.1, for="2.2.2.2', "peer http a"],
      ["for=[::1]", "peer http a"],
      ["for=1.1.1.1;for=2.2.2.2", "peer http a"],
      ['for=1.1.1.1;proto=ftp;host="b/c"', "1.1.1.1 0 http a"],
      ["", "peer http a"],
    ])
      expect(await one(options, `Forwarded: ${value}`), value).toBe(expected);
    const others =
      "X-Forwarded-For: 1.1.1.1\nX-Real-Ip: 1.1.1.1\nX-Forwarded-Proto: https\nX-Forwarded-Host: evil";
    expect(await one(options, others)).toBe("peer http a");
  });

  it("what does not belong to the header that is read is not looked at: a client could have written it", async () => {
    const others = "Forwarded: for=1.1.1.1;proto=https;host=evil\nX-Real-Ip: 1.1.1.1\nX-Scheme: https";
    expect(await one({ ...LOOPBACK, forwardedHost: true }, others)).toBe("peer http a");
    expect(await one({ ...LOOPBACK, forwardedHost: true }, `${others}\nX-Forwarded-For: 2.2.2.2`)).toBe(
      "2.2.2.2 0 http a",
    );
  });

  it('I1, I2: proxyHeader: "x-real-ip" reads X-Real-Ip and X-Scheme', async () => {
    const options = { ...LOOPBACK, proxyHeader: "x-real-ip" } as const;
    for (const [head, expected] of [
      ["X-Real-Ip: 4.4.4.4\nX-Forwarded-For: 1.1.1.1", "4.4.4.4 0 http a"],
      ["X-Real-Ip: 2001:db8::1\nX-Scheme: https", "2001:db8::1 0 https a"],
      ["X-Real-Ip: foo", "peer http a"],
      ["X-Real-Ip: 1.1.1.1, 2.2.2.2", "peer http a"],
      ["X-Real-Ip: 1.1.1.1\nX-Real-Ip: 2.2.2.2", "peer http a"],
      ["X-Scheme: ftp\nX-Forwarded-Proto: https", "peer http a"],
    ])
      expect(await one(options, head as string), head).toBe(expected);
  });

  it("protocol says what requests came over where nobody else does", async () => {
    expect(await one({ protocol: "https" }, "X-Forwarded-Proto: http")).toBe("peer https a");
    expect(await one({ ...LOOPBACK, protocol: "https" }, "")).toBe("peer https a");
    expect(await one({ ...LOOPBACK, protocol: "https" }, "X-Forwarded-Proto: http")).toBe("peer http a");
  });

  it("what is logged of a request names its client", async () => {
    const lines: string[] = [];
    const keep = (_fields: unknown, message?: string) => void lines.push(String(message));
    const logger = { debug: keep, info: keep, warn: keep, error: keep };
    const server = await bench.serve(
      () => {
        throw new Error("the handler's own");
      },
      { ...LOOPBACK, logger },
    );
    const client = await bench.connect(server);
    await client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n");
    await client.until((all) => all.includes("500"));
    expect(lines).toEqual(['Uncaught exception GET "/" (1.1.1.1)']);
  });

  it("bodies, trailers and the end of a request pass through; the delegate knows the client from the start", async () => {
    const calls: string[] = [];
    const server = await bench.serve(
      {
        startRequest(connection) {
          calls.push(`start ${connection.context.remoteIp}`);
          return {
            headersReceived: () => void calls.push("headers"),
            dataReceived: (chunk) => void calls.push(`data ${chunk.length}`),
            trailersReceived: (trailers) => void calls.push(`trailers ${trailers.get("T")}`),
            finish() {
              calls.push("finish");
              answer(connection, `draining ${connection.context.draining?.aborted}`);
            },
            onConnectionClose() {},
          };
        },
        onClose: (context) => void calls.push(`close ${context.remoteIp}`),
      },
      { ...LOOPBACK, decompressRequest: true },
    );
    const client = await bench.connect(server);
    await client.send(
      latin1(
        "POST / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: v\r\n\r\n",
      ),
    );
    expect(await client.until((all) => all.includes("draining"))).toContain("draining false");
    client.stream.abort();
    await server.close();
    expect(calls).toEqual(["start 1.1.1.1", "headers", "data 2", "trailers v", "finish", "close 127.0.0.1"]);
  });
});
