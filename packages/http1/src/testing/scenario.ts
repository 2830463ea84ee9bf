// A scenario is wire bytes for one role; running it writes its events down as text that people and tests compare.

import { HTTPHeaders } from "@tw/httputil";
import { latin1 } from "@tw/util";
import type { HTTP1Role } from "../cycle.js";
import { HTTP1Machine } from "../machine.js";
import { type HTTP1Options, resolveHTTP1Options } from "../options.js";
import { EventLog } from "./event-log.js";

/** What a peer sends, and to whom. */
export interface Scenario {
  readonly role: HTTP1Role;
  /** One character for each byte. */
  readonly wire: string;
  readonly options?: HTTP1Options;
  /** The peer ends the connection behind the wire. @default false */
  readonly eof?: boolean;
  /** Client role: method of the request that is answered. @default "GET" */
  readonly method?: string;
  /** Client role: fields of that request besides Host. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Runs a scenario with its wire cut after each of `sizes` bytes, over one buffer that is overwritten behind each piece,
 * and returns its events, one line each and an indented one for each field. A server answers every complete request
 * with an empty 200, and goes on if it may.
 *
 * @param stopAfter events after which nothing more is asked for
 * @throws Error when the machine throws anything but an HTTPInputError, or does not throw the same one again
 */
export function runScenario(
  scenario: Scenario,
  sizes: Iterable<number>,
  stopAfter: number = Number.POSITIVE_INFINITY,
): string[] {
  const machine = machineFor(scenario);
  const log = new EventLog(machine, scenario.role, stopAfter);
  const wire = latin1(scenario.wire);
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
    // A machine may be asked again at any time: by the same bytes nothing more is told.
    log.pull();
  }
  if (scenario.eof) {
    machine.receiveEnd();
    log.pull();
  }
  return log.lines();
}

/** A machine that may receive: that of a client has sent its request. */
export function machineFor({ role, options, method = "GET", headers = {} }: Scenario): HTTP1Machine {
  const machine = new HTTP1Machine(role, resolveHTTP1Options(options));
  if (role === "client") {
    const path = method === "CONNECT" ? "a:1" : "/";
    const fields = new HTTPHeaders({ Host: "a", ...headers });
    machine.writeHead({ method, path, version: "HTTP/1.1" }, fields, {
      ...(method === "POST" ? { contentLength: 0 } : {}),
    });
    machine.writeEnd();
  }
  return machine;
}

/** Pieces of one size for ever. */
export function* piecesOf(size: number): Generator<number> {
  for (;;) yield size;
}
