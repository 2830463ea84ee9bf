// The parser below node:http (llhttp) as an oracle, without sockets and without the checks that node:http adds on top.

import { createRequire } from "node:module";
import type { Scenario } from "./helpers.js";
import type { Message, Reading } from "./readings.js";

type Callback = (...args: never[]) => unknown;

interface NodeParser {
  [callback: number]: Callback | null;
  initialize(type: number, resource: object, maxHeaderSize: number): void;
  execute(bytes: Uint8Array): number | (Error & { code: string; reason?: string });
  finish(): undefined | (Error & { code: string });
}

interface NodeParserClass {
  new (): NodeParser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

const common = createRequire(import.meta.url)("node:_http_common") as {
  HTTPParser: NodeParserClass;
  methods: readonly string[];
};

/** What node's parser makes of a scenario; limits are left aside. */
export function readAsNodeDoes({ role, wire, eof, method = "GET" }: Scenario): Reading {
  const { HTTPParser } = common;
  const parser = new HTTPParser();
  const client = role === "client";
  const reading: Reading = { messages: [], refusal: undefined };
  let current: Message | undefined;
  let batch: string[] = [];
  const complete = (
    major: number,
    minor: number,
    fields: string[] | undefined,
    verb: number,
    url: string,
    status: number,
    reason: string,
  ): number => {
    const start = client
      ? `HTTP/${major}.${minor} ${status} ${reason}`
      : `${common.methods[verb]} ${url || batchUrl} HTTP/${major}.${minor}`;
    current = { start, fields: [...batch, ...(fields ?? [])], body: "", trailers: [], ended: false };
    batch = [];
    batchUrl = "";
    reading.messages.push(current);
    if (!client) return 0;
    if (status === 101 || (method === "CONNECT" && status >= 200 && status < 300)) return 2;
    return method === "HEAD" || status < 200 ? 1 : 0;
  };
  let batchUrl = "";
  const callbacks: [number, Callback][] = [
    [
      HTTPParser.kOnHeaders,
      (fields: string[], url: string) => {
        batch.push(...fields);
        batchUrl += url;
      },
    ],
    [HTTPParser.kOnHeadersComplete, complete],
    [
      HTTPParser.kOnBody,
      (bytes: Uint8Array) => {
        (current as Message).body += Buffer.from(bytes).toString("latin1");
      },
    ],
    [
      HTTPParser.kOnMessageComplete,
      () => {
        const message = current as Message;
        message.trailers = batch;
        message.ended = true;
        batch = [];
        batchUrl = "";
      },
    ],
  ];
  for (const [name, callback] of callbacks) parser[name] = callback;
  parser.initialize(client ? HTTPParser.RESPONSE : HTTPParser.REQUEST, {}, 1 << 24);
  const read = parser.execute(Buffer.from(wire, "latin1"));
  if (typeof read !== "number") reading.refusal = read.code;
  else if (eof) reading.refusal = parser.finish()?.code;
  return reading;
}
