// Feeds a machine whole, byte by byte, or with something behind, and writes its events down as text that corpus and
// tests compare.

import { HTTPHeaders } from "@tw/httputil";
import { expect } from "vitest";
import {
  type HTTP1Event,
  HTTP1Machine,
  type HTTP1Options,
  type HTTP1Role,
  resolveHTTP1Options,
} from "../src/index.js";

export interface Scenario {
  readonly role: HTTP1Role;
  readonly wire: string;
  readonly options?: HTTP1Options;
  /** The peer ends the connection after the wire. */
  readonly eof?: boolean;
  /** Client role: method of the request that is answered. @default "GET" */
  readonly method?: string;
  /** Client role: fields of the request besides Host. */
  readonly headers?: Readonly<Record<string, string>>;
}

export const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
export const text = (view: Uint8Array): string => Buffer.from(view).toString("latin1");

export const OK = { version: "HTTP/1.1", code: 200, reason: "OK" } as const;

/** A machine that may receive: a client has sent its request. */
export function machineFor({ role, options, method = "GET", headers = {} }: Scenario): HTTP1Machine {
  const machine = new HTTP1Machine(role, resolveHTTP1Options(options));
  if (role === "client") {
    machine.writeHead(
      { method, path: "/", version: "HTTP/1.1" },
      new HTTPHeaders({ Host: "a", ...headers }),
      {
        ...(method === "POST" ? { contentLength: 0 } : {}),
      },
    );
    machine.writeEnd();
  }
  return machine;
}

/** Runs the scenario with the wire cut after each of `sizes` bytes, over one buffer that is reused like a slab. */
export function run(
  scenario: Scenario,
  sizes: Iterable<number>,
  stopAfter = Number.POSITIVE_INFINITY,
): string[] {
  const machine = machineFor(scenario);
  const log = new EventLog(machine, scenario.role, stopAfter);
  const wire = bytes(scenario.wire);
  const slab = new Uint8Array(Math.max(1, wire.length));
  let at = 0;
  for (const size of sizes) {
    if (at >= wire.length) break;
    const piece = wire.subarray(at, at + size);
    at += piece.length;
    slab.set(piece);
    machine.receive(slab.subarray(0, piece.length));
    log.pull();
    machine.retain();
    slab.fill(0xaa, 0, piece.length);
  }
  if (scenario.eof) {
    machine.receiveEnd();
    log.pull();
  }
  return log.lines();
}

/** Whole, byte by byte, with trailing data: the same events, and what is behind stays behind. */
export function threeWays(scenario: Scenario): string[] {
  const whole = run(scenario, [Math.max(1, scenario.wire.length)]);
  expect(run(scenario, repeat(1)), "byte by byte").toEqual(whole);
  if (!scenario.eof) {
    const events = whole.filter((line) => !line.startsWith("  ")).length;
    const last = whole.findLast((line) => !line.startsWith("  "));
    const behind = { ...scenario, wire: `${scenario.wire}\x00behind` };
    if (last?.startsWith("end") || last?.startsWith("error")) {
      expect(run(behind, [behind.wire.length], events), "with trailing data").toEqual(whole);
      expect(run(behind, repeat(1), events), "byte by byte with trailing data").toEqual(whole);
    }
  }
  return whole;
}

export function* repeat(size: number): Generator<number> {
  for (;;) yield size;
}

/** Writes events down. A server answers each complete request with an empty 200, and goes on if it may. */
class EventLog {
  readonly #machine: HTTP1Machine;
  readonly #role: HTTP1Role;
  readonly #stopAfter: number;
  readonly #lines: string[] = [];
  #events = 0;
  #data = "";
  #over = false;

  constructor(machine: HTTP1Machine, role: HTTP1Role, stopAfter: number) {
    this.#machine = machine;
    this.#role = role;
    this.#stopAfter = stopAfter;
  }

  pull(): void {
    while (!this.#over) {
      let event: HTTP1Event | undefined;
      try {
        event = this.#machine.next();
      } catch (error) {
        expect(() => this.#machine.next(), "the same error for ever").toThrow(error as Error);
        expect((error as Error).name).toBe("HTTPInputError");
        this.#add(`error ${(error as { status: number }).status} ${(error as { code: string }).code}`);
        this.#over = true;
        return;
      }
      if (event === undefined) return;
      if (event.type === "data") {
        this.#data += text(event.bytes);
        continue;
      }
      this.#write(event);
      if (this.#events >= this.#stopAfter) this.#over = true;
    }
  }

  lines(): string[] {
    this.#flush();
    return this.#lines;
  }

  #write(event: Exclude<HTTP1Event, { type: "data" }>): void {
    switch (event.type) {
      case "request":
        this.#add(
          `request ${event.method} ${visible(event.target)} ${event.version}${facts(event)}`,
          event.headers,
        );
        return;
      case "response":
      case "information":
        this.#add(
          `${event.type} ${event.version} ${event.code} ${visible(event.reason)}${facts(event as never)}`.trimEnd(),
          event.headers,
        );
        return;
      case "closed":
        this.#add("closed");
        return;
      case "end":
        if (this.#role === "server" && !this.#over) this.#answer();
        this.#add(`end, ${this.#machine.keepAlive ? "keep-alive" : "close"}`, event.trailers);
        if (this.#events >= this.#stopAfter) return;
        if (this.#role === "server" && this.#machine.keepAlive) this.#machine.startNextCycle();
    }
  }

  #answer(): void {
    this.#machine.writeHead(OK, new HTTPHeaders(), { contentLength: 0 });
    this.#machine.writeEnd();
  }

  #add(line: string, headers?: HTTPHeaders): void {
    this.#flush();
    this.#events++;
    this.#lines.push(line);
    const fields = headers?.rawFields ?? [];
    for (let i = 0; i < fields.length; i += 2)
      this.#lines.push(`  ${fields[i]}: ${visible(fields[i + 1] as string)}`.trimEnd());
  }

  #flush(): void {
    if (this.#data === "") return;
    this.#events++;
    this.#lines.push(`data ${visible(this.#data)}`);
    this.#data = "";
  }
}

function facts(event: {
  readonly contentLength?: number | undefined;
  readonly chunked?: boolean;
  readonly expectContinue?: boolean;
  readonly upgrade?: string | undefined;
}): string {
  let all = "";
  if (event.contentLength !== undefined) all += ` length=${event.contentLength}`;
  if (event.chunked) all += " chunked";
  if (event.expectContinue) all += " expect";
  if (event.upgrade !== undefined) all += ` upgrade=${event.upgrade}`;
  return all;
}

/** Characters that one cannot see, as escapes. */
export function visible(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, (c) => {
    if (c === "\r") return "\\r";
    if (c === "\n") return "\\n";
    if (c === "\t") return "\\t";
    return `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
