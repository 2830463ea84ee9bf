import { HTTPHeaders, type ResponseStartLine } from "@tw/httputil";
import { describe, expect, it } from "vitest";
import { HTTP1Machine, resolveHTTP1Options, type WriteHeadOptions } from "../src/index.js";
import { pick, randomFrom, upTo } from "../src/testing/random.js";
import { bytes, OK } from "./helpers.js";

function asked(wire: string): HTTP1Machine {
  const machine = new HTTP1Machine("server", resolveHTTP1Options());
  machine.receive(bytes(wire));
  while (machine.next() !== undefined);
  return machine;
}

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

const REQUESTS = [
  GET,
  "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET / HTTP/1.0\r\n\r\n",
  "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
];
const STARTS: ResponseStartLine[] = [
  OK,
  { version: "HTTP/1.1", code: 200, reason: "Fine" },
  // In the same slot.
  { version: "HTTP/1.1", code: 200, reason: "" },
  { version: "HTTP/1.1", code: 232, reason: "" },
  { version: "HTTP/1.1", code: 204, reason: "" },
  { version: "HTTP/1.1", code: 205, reason: "" },
  { version: "HTTP/1.1", code: 304, reason: "" },
  { version: "HTTP/1.1", code: 404, reason: "" },
];
const FIELDS: [string, string][][] = [
  [],
  [["Content-Type", "text/plain"]],
  [["Content-Type", "text/html!"]],
  [["Content-Length", "2"]],
  [["Content-Length", "3"]],
  [["Connection", "close"]],
  [["Set-Cookie", "a=1"]],
  [["Set-Cookie", "a=2"]],
  [
    ["Content-Length", "2"],
    ["Content-Length", "2"],
  ],
  [["Transfer-Encoding", "chunked"]],
  [["Date", "mine"]],
];
const OPTIONS: WriteHeadOptions[] = [
  {},
  { date: "D1" },
  { date: "D2" },
  { contentLength: 2 },
  { contentLength: 3 },
  { close: true },
  { date: "D1", contentLength: 2 },
];

/** Answers of which the head was at hand as bytes. */
let withBytes = 0;

/** What comes of one answer: its head, its body, whether the connection goes on; or why there is none. */
function answer(
  wire: string,
  start: ResponseStartLine,
  fields: [string, string][],
  options: WriteHeadOptions,
) {
  const machine = asked(wire);
  try {
    const head = machine.writeHead(start, new HTTPHeaders(fields), options);
    const { headBytes } = machine;
    if (headBytes !== undefined) {
      withBytes++;
      expect(Buffer.from(headBytes).toString("latin1")).toBe(head);
    }
    return [
      head,
      machine.bodyAllowed,
      outcome(() => machine.frameData(2)),
      outcome(() => machine.writeEnd()),
      machine.keepAlive,
    ];
  } catch (error) {
    return [String(error)];
  }
}

function outcome(step: () => string): string {
  try {
    return step();
  } catch (error) {
    return String(error);
  }
}

describe("heads that were written before", () => {
  it("are what they would be if they had not been, whatever was written in between", () => {
    const random = randomFrom(7);
    for (let i = 0; i < 8000; i++) {
      const wire = pick(random, REQUESTS);
      const start = pick(random, STARTS);
      const fields = pick(random, FIELDS);
      const options = pick(random, OPTIONS);
      // A field that was in no head before: nothing of it can be known.
      const [fresh, ...rest] = answer(wire, start, [...fields, ["X-Count", String(i)]], options);
      const expected = [String(fresh).replace(`X-Count: ${i}\r\n`, ""), ...rest];
      for (let times = 1 + upTo(random, 2); times > 0; times--)
        expect(answer(wire, start, fields, options)).toEqual(expected);
    }
    expect(withBytes).toBeGreaterThan(100);
  });

  it("are at hand as bytes until another head is written, for answers alone", () => {
    const machine = asked(GET);
    const again = (): void => {
      machine.writeHead(OK, new HTTPHeaders({ "X-Name": "\u00e9" }), { contentLength: 0 });
      machine.writeEnd();
      machine.startNextCycle();
      machine.receive(bytes(GET));
      while (machine.next() !== undefined);
    };
    for (let i = 0; i < 3; i++) again();
    expect(Buffer.from(machine.headBytes as Uint8Array).toString("latin1")).toContain("X-Name: \u00e9\r\n");
    machine.writeHead(OK, new HTTPHeaders({ "X-Name": String(Math.random()) }), { contentLength: 0 });
    expect(machine.headBytes).toBeUndefined();
    const client = new HTTP1Machine("client", resolveHTTP1Options());
    for (let i = 0; i < 3; i++) {
      client.writeHead({ method: "GET", path: "/", version: "HTTP/1.1" }, new HTTPHeaders({ Host: "a" }));
      client.writeEnd();
      client.receive(bytes("HTTP/1.1 204 No Content\r\n\r\n"));
      while (client.next() !== undefined);
      client.startNextCycle();
      expect(client.headBytes).toBeUndefined();
    }
    const switching = asked("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    switching.writeHead({ version: "HTTP/1.1", code: 101, reason: "" }, new HTTPHeaders({ Upgrade: "x" }));
    expect(switching.headBytes).toBeUndefined();
  });

  it("follow headers that a program keeps and changes", () => {
    const headers = new HTTPHeaders({ "X-A": "1" });
    const write = (): string => asked(GET).writeHead(OK, headers, { contentLength: 0 });
    for (let i = 0; i < 3; i++) expect(write()).toContain("X-A: 1\r\n");
    headers.set("X-A", "2");
    for (let i = 0; i < 3; i++) expect(write()).toContain("X-A: 2\r\n");
    headers.add("X-A", "3");
    for (let i = 0; i < 3; i++) expect(write()).toContain("X-A: 2\r\nX-A: 3\r\n");
    headers.delete("X-A");
    for (let i = 0; i < 3; i++) expect(write()).not.toContain("X-A");
  });

  it("have each a body of their own", () => {
    const machines = [asked(GET), asked(GET), asked(GET), asked(GET)];
    for (const machine of machines) machine.writeHead(OK, new HTTPHeaders({ "Content-Length": "2" }));
    for (const machine of machines) machine.frameData(1);
    for (const machine of machines) expect(() => machine.writeEnd()).toThrow("Wrote 1 bytes, less than");
    for (const machine of machines) machine.frameData(1);
    for (const machine of machines) expect(() => machine.frameData(1)).toThrow("Wrote 3 bytes, more than");
    for (const machine of machines) expect(machine.writeEnd()).toBe("");
  });
});
