// What a transport hears of its Node stream. The listeners are the same functions for all streams, and each stream knows
// its transport: one property instead of a closure per listener.

import type { Duplex } from "node:stream";

/** Who is told what happens to a stream. */
export interface StreamListener {
  /** 'data' */
  streamData(chunk: Uint8Array): void;
  /** 'end' */
  streamEnded(): void;
  /** 'error' */
  streamFailed(error: unknown): void;
  /** 'close' */
  streamClosed(): void;
}

interface Linked extends Duplex {
  [listener]?: StreamListener;
}

const listener: unique symbol = Symbol("NodeTransport");

/** Tells `transport` how `duplex` ends; one at a time. */
export function listenToEnd(duplex: Duplex, transport: StreamListener): void {
  (duplex as Linked)[listener] = transport;
  duplex.on("error", onError);
  duplex.on("close", onClose);
}

/** Tells it what comes, too. */
export function listenToData(duplex: Duplex): void {
  duplex.on("end", onEnd);
  duplex.on("data", onData);
}

/** Tells it nothing any more. */
export function unlisten(duplex: Duplex): void {
  duplex.off("data", onData);
  duplex.off("end", onEnd);
  duplex.off("error", onError);
  duplex.off("close", onClose);
  delete (duplex as Linked)[listener];
}

function onData(this: Linked, chunk: Uint8Array): void {
  this[listener]?.streamData(chunk);
}

function onEnd(this: Linked): void {
  this[listener]?.streamEnded();
}

function onError(this: Linked, error: unknown): void {
  this[listener]?.streamFailed(error);
}

function onClose(this: Linked): void {
  this[listener]?.streamClosed();
}
