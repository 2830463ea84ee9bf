// node:http as an oracle: for valid messages it reads what we read.

import { createServer, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { expect, it } from "vitest";
import { HTTP1Machine, resolveHTTP1Options } from "../src/index.js";
import { pick, randomFrom as prng } from "../src/testing/random.js";
import { bytes, text } from "./helpers.js";

interface Seen {
  method: string;
  target: string;
  version: string;
  fields: string[];
  body: string;
  trailers: string[];
}

it("reads two hundred random valid requests as node:http does", async () => {
  const random = prng(11);
  for (let round = 0; round < 200; round++) {
    const wire = randomRequest(random);
    expect(ours(wire), JSON.stringify(wire)).toEqual(await theirs(wire));
  }
});

function randomRequest(random: () => number): string {
  const method = pick(random, ["GET", "POST", "PUT", "OPTIONS", "DELETE", "PATCH"]);
  const target = pick(random, ["/", "/a/b?c=d&e", "/%20", "http://x.example/y", "/~!$&'()*+,;=:@"]);
  let wire = `${method} ${target} HTTP/1.1\r\nHost: a.example:80\r\nConnection: close\r\n`;
  for (let i = Math.floor(random() * 5); i > 0; i--) {
    wire += `${pick(random, ["X-A", "x-b", "Accept", "Cookie"])}:${pick(random, ["", " ", "\t "])}${pick(random, ["", "a", "a b", "\xe9"])} \r\n`;
  }
  const body = "abc\r\n".repeat(Math.floor(random() * 5));
  if (random() < 0.3) return `${wire}\r\n`;
  if (random() < 0.5) return `${wire}Content-Length: ${body.length}\r\n\r\n${body}`;
  const chunk =
    body === ""
      ? ""
      : `${pick(random, ["", "00"])}${body.length.toString(16)}${pick(random, ["", ";a=b"])}\r\n${body}\r\n`;
  return `${wire}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n${pick(random, ["", "X-T: 1\r\n"])}\r\n`;
}

function ours(wire: string): Seen {
  const machine = new HTTP1Machine("server", resolveHTTP1Options());
  machine.receive(bytes(wire));
  const seen: Seen = { method: "", target: "", version: "", fields: [], body: "", trailers: [] };
  for (let event = machine.next(); event !== undefined; event = machine.next()) {
    if (event.type === "request") {
      const fields = [...event.headers.rawFields];
      Object.assign(seen, { method: event.method, target: event.target, version: event.version, fields });
    } else if (event.type === "data") seen.body += text(event.bytes);
    else if (event.type === "end") seen.trailers = [...(event.trailers?.rawFields ?? [])];
  }
  return seen;
}

function theirs(wire: string): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const server = createServer((request: IncomingMessage, response) => {
      let body = "";
      request.setEncoding("latin1");
      request.on("data", (chunk: string) => {
        body += chunk;
      });
      request.on("end", () => {
        response.end();
        resolve({
          method: request.method ?? "",
          target: request.url ?? "",
          version: `HTTP/${request.httpVersion}`,
          fields: request.rawHeaders,
          body,
          trailers: request.rawTrailers,
        });
      });
    });
    server.on("clientError", reject);
    server.emit("connection", socket);
    socket.push(Buffer.from(wire, "latin1"));
  });
}
