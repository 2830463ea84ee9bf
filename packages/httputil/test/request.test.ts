import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import {
  type CertificateFacts,
  type ConnectionContext,
  type HTTPConnection,
  HTTPHeaders,
  HTTPServerRequest,
} from "../src/index.js";

const context: ConnectionContext = { remoteIp: "1.2.3.4", remotePort: 5, protocol: "https" };
const connection: HTTPConnection = { context, writeHeaders() {}, write() {}, finish() {}, abort() {} };

function request(
  path: string,
  fields: Record<string, string> = { Host: "Example.ORG:8080" },
): HTTPServerRequest {
  return new HTTPServerRequest(
    { method: "GET", path, version: "HTTP/1.1" },
    new HTTPHeaders(fields),
    connection,
  );
}

describe("HTTPServerRequest", () => {
  it("is shown on one line, without its fields and its body", () => {
    const asked = request("/a\n", { Host: "a", Authorization: "Basic c2VjcmV0" });
    expect(String(asked)).toBe(
      'HTTPServerRequest(protocol="https", host="a", method="GET", uri="/a\\n", version="HTTP/1.1", remoteIp="1.2.3.4")',
    );
    expect(inspect(asked)).toBe(String(asked));
    expect(inspect({ asked: { asked } }, { breakLength: 1000 })).toBe(`{ asked: { asked: ${asked} } }`);
  });

  it("splits the target at the first question mark", () => {
    const { uri, path, query } = request("/a%20b?c=d?e");
    expect([uri, path, query]).toEqual(["/a%20b?c=d?e", "/a%20b", "c=d?e"]);
    expect(request("/a").query).toBe("");
    expect(request("/?").path).toBe("/");
  });

  it("tells host, host name in lower case and full URL", () => {
    const one = request("/a?b");
    expect([one.host, one.hostName, one.fullUrl()]).toEqual([
      "Example.ORG:8080",
      "example.org",
      "https://Example.ORG:8080/a?b",
    ]);
    expect(request("/", { Host: "[::1]:80" }).hostName).toBe("[::1]");
  });

  it("without Host is for 127.0.0.1 (A2)", () => {
    expect(request("/", {}).host).toBe("127.0.0.1");
  });

  // RFC 9112 §3.2.2 (5)
  it("an absolute form wins over Host, and its path is the path (A20)", () => {
    const one = request("http://x.example:1/big?q=http://y/");
    expect([one.host, one.hostName, one.path, one.query, one.fullUrl()]).toEqual([
      "x.example:1",
      "x.example",
      "/big",
      "q=http://y/",
      "https://x.example:1/big?q=http://y/",
    ]);
    expect(request("http://x").path).toBe("/");
    expect([request("http://x?q").path, request("http://x?q").query]).toEqual(["/", "q"]);
  });

  it("is for the host that a trusted proxy names, before all others", () => {
    const one = new HTTPServerRequest(
      { method: "GET", path: "http://b/c", version: "HTTP/1.1" },
      new HTTPHeaders({ Host: "d" }),
      { ...connection, context: { ...context, host: "A:1" } },
    );
    expect([one.host, one.hostName, one.fullUrl()]).toEqual(["A:1", "a", "https://A:1/c"]);
  });

  it("has the certificate that the client showed, if any", () => {
    expect(request("/").getSslCertificate()).toBeUndefined();
    const certificate = { subject: "CN=a" } as CertificateFacts;
    const tls = {
      protocol: "TLSv1.3",
      alpnProtocol: undefined,
      servername: undefined,
      authorized: true,
      authorizationError: undefined,
      peerCertificate: () => certificate,
    };
    const one = new HTTPServerRequest(request("/").startLine, new HTTPHeaders(), {
      ...connection,
      context: { ...context, tls },
    });
    expect(one.getSslCertificate()).toBe(certificate);
  });

  it("a URL of the asterisk form or of CONNECT has no path (RFC 9112 §3.3)", () => {
    expect(request("*").fullUrl()).toBe("https://Example.ORG:8080");
    expect(request("example.org:443", { Host: "example.org:443" }).fullUrl()).toBe("https://example.org:443");
  });

  it("reads cookies once, of all Cookie fields, without names that no server can have set (D14)", () => {
    const one = new HTTPServerRequest(
      { method: "GET", path: "/", version: "HTTP/1.1" },
      new HTTPHeaders([
        ["Cookie", 'a=1; b="x y"; a=2; bare; =v; c d=e'],
        ["Cookie", "__proto__=f; b=\\"],
      ]),
      connection,
    );
    expect([...one.cookies]).toEqual([
      ["a", "2"],
      ["b", "\\"],
      ["__proto__", "f"],
    ]);
    expect(one.cookies).toBe(one.cookies);
    expect(request("/").cookies.size).toBe(0);
  });

  it("tells how long it took, once somebody with a clock has noted when it began", () => {
    const one = request("/");
    expect(one.requestTime(1000)).toBeUndefined();
    one.startTime = 990;
    expect(one.requestTime(1000)).toBe(10);
  });

  it("a path or query that looks like a URL is none", () => {
    expect(request("/http://x/").path).toBe("/http://x/");
    expect(request("//x/y").path).toBe("//x/y");
    expect(request("*").path).toBe("*");
  });

  it("passes on what start line and connection know", () => {
    const one = request("/");
    expect([one.method, one.version, one.remoteIp, one.protocol]).toEqual([
      "GET",
      "HTTP/1.1",
      "1.2.3.4",
      "https",
    ]);
    expect([one.connection, one.body.length]).toEqual([connection, 0]);
  });
});
