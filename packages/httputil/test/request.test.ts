import { describe, expect, it } from "vitest";
import { type ConnectionContext, type HTTPConnection, HTTPHeaders, HTTPServerRequest } from "../src/index.js";

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
