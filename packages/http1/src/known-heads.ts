// Heads of responses that were written before. Programs give many of their answers the same head, until the second
// that its Date names is over: what goes into it is compared, mostly pointer by pointer, and its text sent again.
//
//   what goes in ──as in its slot──────────────────────────────► the head that came of it
//                └─other, and looks like the last one in there──► composed, and kept
//                └─other─────────────────────────────────────────► composed: keeping it would cost and not be used

import { latin1 } from "@tw/util";
import type { BodyWriter } from "./body-writers.js";

/** A head as latin1 text, and what follows from it. */
export interface OutgoingHead {
  readonly text: string;
  /** The same, where it was written before. */
  readonly bytes: Uint8Array | undefined;
  readonly writer: BodyWriter;
  readonly persistent: boolean;
}

/** All that goes into the head of a response besides its fields. */
export interface ResponseParts {
  readonly code: number;
  readonly reason: string;
  readonly date: string | undefined;
  /** Bytes of the body, where the fields need not say. */
  readonly contentLength: number | undefined;
  /** HEAD asked for it. */
  readonly headOnly: boolean;
  /** The connection ends behind it, whatever its fields say. */
  readonly close: boolean;
  /** The client understands chunks and expects to keep the connection. */
  readonly peerIs11: boolean;
}

interface KnownHead extends OutgoingHead {
  readonly parts: ResponseParts;
  readonly fields: readonly string[];
}

/** Power of two. */
const SLOTS = 32;

/** Longer ones are seldom the same, and what their fields were cut out of would be kept with them. */
const MAX_LENGTH = 1024;

const known: (KnownHead | undefined)[] = new Array<KnownHead | undefined>(SLOTS).fill(undefined);

/** What the last head of a slot that was not known looked like. */
const looks = new Int32Array(SLOTS);

/** The head that was composed of the same, where it is known. */
export function knownHead(parts: ResponseParts, fields: readonly string[]): OutgoingHead | undefined {
  const head = known[slotOf(parts, fields)];
  if (head === undefined || !sameParts(head.parts, parts) || !sameList(head.fields, fields)) return undefined;
  const { text, bytes, writer, persistent } = head;
  return { text, bytes, writer: writer.another(), persistent };
}

/** Keeps a head that was composed, where it looks as the one before. */
export function noteHead(parts: ResponseParts, fields: readonly string[], head: OutgoingHead): void {
  if (head.text.length > MAX_LENGTH) return;
  const slot = slotOf(parts, fields);
  const look = lookOf(fields);
  if (looks[slot] === look)
    known[slot] = { ...head, bytes: latin1(head.text), parts, fields: fields.slice() };
  looks[slot] = look;
}

function slotOf({ code }: ResponseParts, fields: readonly string[]): number {
  const count = fields.length;
  const last = count === 0 ? 0 : (fields[count - 1] as string).length;
  return (code + 5 * count + last) & (SLOTS - 1);
}

/** Tells a name or a number that differs each time, without looking at all of it. */
function lookOf(fields: readonly string[]): number {
  let look = 1;
  for (const text of fields) {
    const last = text.length - 1;
    look = (Math.imul(look, 31) + text.length) | 0;
    if (last >= 0)
      look = (Math.imul(look, 31) + (text.charCodeAt(last >> 1) << 8) + text.charCodeAt(last)) | 0;
  }
  return look;
}

function sameParts(a: ResponseParts, b: ResponseParts): boolean {
  return (
    a.code === b.code &&
    a.reason === b.reason &&
    a.date === b.date &&
    a.contentLength === b.contentLength &&
    a.headOnly === b.headOnly &&
    a.close === b.close &&
    a.peerIs11 === b.peerIs11
  );
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
