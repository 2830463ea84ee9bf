// Random exchanges with random faults against one server per engine. Three invariants:
//   every response that arrives whole is the right one;
//   nothing is left behind: no descriptor, no registration, no connection;
//   no exception escapes.
// A failure names its seed; `SOAK_SEED=… SOAK_CLIENTS=…` runs another one, or longer.

import { readdirSync } from "node:fs";
import {
  type HTTPConnection,
  HTTPHeaders,
  type HTTPMessageDelegate,
  type RequestStartLine,
} from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import { nullLogger } from "@tw/log";
import { TCPClient } from "@tw/tcp";
import { onEveryEngine } from "@tw/tooling-testing";
import { dice } from "@tw/tooling-testing/dice";
import { describe, expect, it } from "vitest";
import { HTTPServer } from "../src/index.js";
import { OK, RawClient } from "./harness.js";

const SEED = Number(process.env.SOAK_SEED ?? 20_261);
const CLIENTS = Number(process.env.SOAK_CLIENTS ?? 600);
const AT_ONCE = 16;

/** What handlers do. */
const KINDS = [
  "echo",
  "async",
  "chunked",
  "held",
  "early",
  "throw",
  "reject",
  "twice",
  "broken",
  "abort",
  "never",
] as const;
type Kind = (typeof KINDS)[number];

const FAULTS = ["none", "none", "none", "reset", "halfClose", "garbage", "slow", "vanish"] as const;

class Random {
  readonly below: (limit: number) => number;

  constructor(seed: number) {
    this.below = dice(seed);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

interface Asked {
  readonly kind: Kind;
  readonly wire: string;
  readonly body: string;
}

function ask(random: Random, client: number, index: number): Asked {
  const kind = random.pick(KINDS);
  const length = random.pick([0, 1, 10, 3000, 100_000]);
  const body = length === 0 ? "" : `${client}.${index}.`.repeat(length).slice(0, length);
  const head = `POST /${kind} HTTP/1.1\r\nHost: a\r\n`;
  if (random.below(2) === 0) return { kind, body, wire: `${head}Content-Length: ${length}\r\n\r\n${body}` };
  let chunks = "";
  for (let at = 0; at < length; ) {
    const size = Math.min(length - at, 1 + random.below(1 + length));
    chunks += `${size.toString(16)}\r\n${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  return { kind, body, wire: `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n` };
}

/** A handler of any kind. */
class Handler implements HTTPMessageDelegate {
  /** Those that will never answer. A socket of Node's that does not read does not notice that its peer is gone. */
  static readonly never = new Set<HTTPConnection>();
  readonly #connection: HTTPConnection;
  #kind: Kind = "echo";
  #body = "";

  constructor(connection: HTTPConnection) {
    this.#connection = connection;
  }

  headersReceived(startLine: RequestStartLine | { code: number }): void | Promise<void> {
    this.#kind = (startLine as RequestStartLine).path.slice(1) as Kind;
    if (this.#kind === "early") return this.#answer("early");
    if (this.#kind === "held") return turn();
  }

  dataReceived(chunk: Uint8Array): void | Promise<void> {
    this.#body += Buffer.from(chunk).toString("latin1");
    if (this.#kind === "held") return turn();
  }

  finish(): void | Promise<void> {
    switch (this.#kind) {
      case "throw":
        throw new Error("sync");
      case "reject":
        return Promise.reject(new Error("async"));
      case "async":
      case "held":
        return turn().then(() => this.#answer(this.#body));
      case "chunked":
        return this.#stream();
      case "twice":
        this.#answer(this.#body);
        this.#connection.finish();
        return;
      case "broken":
        this.#connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "10" }), "x");
        throw new Error("behind the head");
      case "abort":
        return this.#connection.abort();
      case "never":
        Handler.never.add(this.#connection);
        return new Promise(() => {});
      default:
        this.#answer(this.#body);
    }
  }

  onConnectionClose(): void {}

  async #stream(): Promise<void> {
    await this.#connection.writeHeaders(OK, new HTTPHeaders());
    for (let at = 0; at < this.#body.length; at += 7000)
      await this.#connection.write(this.#body.slice(at, at + 7000));
    this.#connection.finish();
  }

  #answer(body: string): void {
    this.#connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": String(body.length) }), body);
    this.#connection.finish();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Whole responses at the front of `text`: status and body of each. */
function parse(text: string): { code: number; body: string }[] {
  const found: { code: number; body: string }[] = [];
  for (let at = 0; ; ) {
    const end = text.indexOf("\r\n\r\n", at);
    if (end === -1) return found;
    const head = text.slice(at, end);
    const code = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    at = end + 4;
    let body = "";
    if (head.includes("Transfer-Encoding: chunked")) {
      for (let size = -1; size !== 0; ) {
        const lineEnd = text.indexOf("\r\n", at);
        if (lineEnd === -1) return found;
        size = Number.parseInt(text.slice(at, lineEnd), 16);
        if (lineEnd + 4 + size > text.length) return found;
        body += text.slice(lineEnd + 2, lineEnd + 2 + size);
        at = lineEnd + 4 + size;
      }
    } else {
      const length = Number(/Content-Length: (\d+)/.exec(head)?.[1]);
      if (at + length > text.length) return found;
      body = text.slice(at, at + length);
      at += length;
    }
    found.push({ code, body });
  }
}

/** Whether `response` is what a request of this kind is answered with. */
function expectRight(
  asked: Asked | undefined,
  response: { code: number; body: string },
  broken: boolean,
): void {
  if (broken && (asked === undefined || response.code === 400)) {
    expect(response).toEqual({ code: 400, body: "Bad Request\n" });
  } else if (asked?.kind === "throw" || asked?.kind === "reject") {
    expect(response).toEqual({ code: 500, body: "Internal Server Error\n" });
  } else {
    expect(["echo", "async", "chunked", "held", "early", "twice"]).toContain(asked?.kind);
    expect(response.code).toBe(200);
    expect(response.body === (asked?.kind === "early" ? "early" : asked?.body)).toBe(true);
  }
}

async function oneClient(client: RawClient, random: Random, number: number): Promise<void> {
  const fault = random.pick(FAULTS);
  const asked = Array.from({ length: 1 + random.below(4) }, (_, i) => ask(random, number, i));
  let wire = asked.map((each) => each.wire).join("");
  if (fault === "garbage") wire += "\x00garbage\r\n\r\n";
  const cut = fault === "reset" || fault === "vanish" || fault === "halfClose";
  const last = cut && random.below(2) === 0 ? random.below(wire.length + 1) : wire.length;
  for (let at = 0; at < last && !client.isClosed; ) {
    const size = Math.min(last - at, random.pick([1, 5, 100, 70_000, 400_000]));
    client.stream.send(wire.slice(at, at + size));
    at += size;
    if (random.below(3) === 0 && at < 200) await turn();
  }
  if (fault === "slow") {
    client.stream.pause();
    for (let i = random.below(20); i >= 0; i--) await turn();
    client.stream.resume();
  }
  if (fault === "reset") {
    for (let i = random.below(4); i > 0; i--) await turn();
    client.stream.abort();
  } else if (fault === "vanish") void client.stream.close();
  else if (fault === "halfClose") client.stream.end();
  const finals = asked.findIndex(({ kind }) => ["early", "broken", "abort", "never"].includes(kind));
  const whole = finals === -1 ? asked.length : finals + (asked[finals]?.kind === "early" ? 1 : 0);
  const wanted = whole + (fault === "garbage" && finals === -1 ? 1 : 0);
  const done = () => parse(client.text).length >= wanted;
  if (!cut) await client.until(done);
  else if (fault === "reset" || finals !== -1) client.stream.abort();
  await (cut ? client.untilClosed() : Promise.resolve());
  const responses = parse(client.text);
  responses.forEach((response, i) => void expectRight(asked[i], response, fault === "garbage" || cut));
  // An early answer may be lost to the reset of a peer that still sends; every other must come.
  if (!cut && asked[finals]?.kind !== "early" && finals === -1) expect(responses.length).toBe(wanted);
  client.stream.abort();
}

onEveryEngine((engine) => {
  describe("soak", () => {
    it(`seed ${SEED}: right answers, nothing left behind, nothing escapes`, async () => {
      const escaped: unknown[] = [];
      const onEscape = (error: unknown) => void escaped.push(error);
      process.on("unhandledRejection", onEscape);
      process.on("uncaughtException", onEscape);
      const loop = new IOLoop({ logger: nullLogger });
      const open = new Set<unknown>();
      let closed = 0;
      const server = new HTTPServer(
        {
          startRequest(connection) {
            open.add(connection.context);
            return new Handler(connection);
          },
          onClose(context) {
            open.delete(context);
            closed++;
          },
        },
        { engine, loop, logger: nullLogger },
      );
      const before = { fds: descriptors(), registered: loop.poller?.size };
      await server.listen(0, "127.0.0.1");
      const tcp = new TCPClient({ engine, loop });
      let next = 0;
      const worker = async () => {
        while (next < CLIENTS) {
          const number = next++;
          const random = new Random(SEED * 10_000 + number);
          const client = new RawClient(await tcp.connect("127.0.0.1", server.port));
          try {
            await oneClient(client, random, number);
          } catch (error) {
            throw new Error(`SOAK_SEED=${SEED}, client ${number}`, { cause: error });
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      const closing = server.close();
      for (const connection of Handler.never) connection.abort();
      Handler.never.clear();
      await closing;
      expect(open.size).toBe(0);
      expect(closed).toBe(CLIENTS);
      for (let i = 0; i < 1000 && descriptors() > before.fds; i++) await turn();
      expect(descriptors()).toBeLessThanOrEqual(before.fds);
      expect(loop.poller?.size).toBe(before.registered);
      process.off("unhandledRejection", onEscape);
      process.off("uncaughtException", onEscape);
      expect(escaped).toEqual([]);
    });
  });
});

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}
