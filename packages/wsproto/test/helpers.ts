// What the tests of this package share: wire bytes written by hand, and three ways of feeding them.
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import {
  type WebSocketEvent,
  WebSocketMachine,
  type WebSocketMachineOptions,
  type WebSocketRole,
} from "../src/index.js";

/** Bytes from `81 05 "Hello" 00*10`. */
export function wire(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const [, part = "", count] of text.matchAll(/((?:[0-9a-f]{2})+|"[^"]*")(?:\*(\d+))?/g)) {
    const piece = part.startsWith('"') ? Buffer.from(part.slice(1, -1)) : Buffer.from(part, "hex");
    for (let i = 0; i < Number(count ?? 1); i++) bytes.push(...piece);
  }
  return Uint8Array.from(bytes);
}

export const machineOf = (role: WebSocketRole, options: WebSocketMachineOptions = {}): WebSocketMachine =>
  new WebSocketMachine(role, { maskingKey: () => 0x37fa213d, ...options });

/** Feeds the pieces one after another and gives all events; each piece is overwritten once it has been read. */
export function feed(machine: WebSocketMachine, pieces: Iterable<Uint8Array>): WebSocketEvent[] {
  const events: WebSocketEvent[] = [];
  for (const piece of pieces) {
    const view = new Uint8Array(piece);
    machine.receive(view);
    for (let event = machine.next(); event !== undefined; event = machine.next()) events.push(event);
    view.fill(0xee);
  }
  return events;
}

export function* bytewise(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let i = 0; i < bytes.length; i++) yield bytes.subarray(i, i + 1);
}

/** Cuts at places that depend on `seed` only. */
export function* randomly(bytes: Uint8Array, seed: number): Iterable<Uint8Array> {
  const random = generator(seed);
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + Math.floor(random() ** 3 * 64);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** A small generator of numbers in [0, 1), the same for each seed. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** The events of `bytes` whole, which must be those byte by byte, cut at random, and pulled after `retain`. */
export function everyWay(
  role: WebSocketRole,
  bytes: Uint8Array,
  options?: WebSocketMachineOptions,
): WebSocketEvent[] {
  const whole = feed(machineOf(role, options), [bytes]);
  expect(feed(machineOf(role, options), bytewise(bytes)), "byte by byte").toEqual(whole);
  for (const seed of [1, 2, 3]) {
    expect(feed(machineOf(role, options), randomly(bytes, seed)), `cut at random, seed ${seed}`).toEqual(
      whole,
    );
  }
  const retained = machineOf(role, options);
  const view = Buffer.from(bytes);
  retained.receive(view);
  retained.retain();
  view.fill(0xee);
  expect(feed(retained, [new Uint8Array(0)]), "retained").toEqual(whole);
  return whole;
}

export const describeEvent = (event: WebSocketEvent): string => {
  switch (event.type) {
    case "text":
      return `text ${JSON.stringify(event.text)}`;
    case "close":
    case "fail":
      return `${event.type} ${event.code} ${JSON.stringify(event.reason)}`;
    default:
      return `${event.type} ${Buffer.from(event.bytes).toString("hex")}`.trim();
  }
};

export interface Case {
  readonly name: string;
  readonly role: WebSocketRole;
  readonly bytes: Uint8Array;
  readonly events: readonly string[];
}

export function corpus(file: string): Case[] {
  const text = readFileSync(new URL(`corpus/${file}`, import.meta.url), "utf8");
  const pattern = /^### (.+)\n\n```(server|client)\n([^`]*)```\n```events\n([^`]*)```/gm;
  return [...text.matchAll(pattern)].map(([, name = "", role = "", bytes = "", events = ""]) => ({
    name,
    role: role as WebSocketRole,
    bytes: wire(bytes),
    events: events.trim().split("\n").map(normal),
  }));
}

/** Expands `00*3` and writes strings as JSON does. */
const normal = (line: string): string => {
  const match = /^(\w+ \d+ |text )(".*")$/.exec(line);
  if (match) return match[1] + JSON.stringify(JSON.parse(match[2] as string));
  const [type, ...rest] = line.split(" ");
  return `${type} ${Buffer.from(wire(rest.join(" "))).toString("hex")}`.trim();
};
