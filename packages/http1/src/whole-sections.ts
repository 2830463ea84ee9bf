// Sections that are there whole and have nothing wrong with them, as nearly all have. WebAssembly finds their lines sixteen
// bytes at a time, in a copy of what was received, which pipelined requests share. Of all others, and where there is no
// WebAssembly, it says nothing.
//
//   window of the machine   ├─ read ─┼── this section ──┼── the next ──┼ … ─┤
//                                    └────────── copied together ──────┘

import type { InputWindow } from "./input-window.js";
import { lines } from "./section-lines.js";
import { SECTION_SCAN } from "./section-scan.js";

/** Bytes that are copied at a time. A longer section is nobody's usual one. */
const COPIED = 4096;

/** See wat/section-scan.wat. */
interface Scanner {
  readonly memory: { readonly buffer: ArrayBuffer };
  scan(at: number, stop: number): number;
}

/** Whose bytes are copied, from which on, and up to which. */
let copied: InputWindow | undefined;
let from = 0;
let to = 0;

const scanner = instantiate();
const buffer = scanner?.memory.buffer ?? new ArrayBuffer(65536);
const bytes = new Uint8Array(buffer, 0, COPIED);
const count = new Int32Array(buffer, 16380, 1);
const tokenEnds = new Int32Array(buffer, 16384, 2048);
const ends = new Int32Array(buffer, 24576, 2048);

/**
 * Looks for a section at `input.at` that ends before `stop`, has nothing wrong with it, and is no longer than most. Returns
 * its length with the empty line, and its lines in `lines`; or 0.
 */
export function scanWhole(input: InputWindow, stop: number): number {
  if (scanner === undefined) return 0;
  const { at } = input;
  let length = 0;
  if (copied === input && at < to) {
    length = scanner.scan(at - from, Math.min(stop, to) - from);
    // All of it is there: another copy would be the same.
    if (length === 0 && to >= stop) return 0;
  }
  if (length === 0) {
    copy(input);
    length = scanner.scan(0, Math.min(stop, to) - from);
  }
  if (length === 0) return 0;
  lines.count = count[0] as number;
  lines.tokenEnds = tokenEnds;
  lines.ends = ends;
  return length;
}

/** The bytes of `input` are others now. */
export function forgetCopy(input: InputWindow): void {
  if (copied === input) copied = undefined;
}

function copy(input: InputWindow): void {
  const { buf, at, end } = input;
  copied = input;
  from = at;
  to = Math.min(end, at + COPIED);
  // Making a view costs more than copying.
  bytes.set(at === 0 && to === buf.length ? buf : buf.subarray(at, to));
}

/**
 * Nothing where the runtime has no WebAssembly, none with vectors, or none for us: a Content-Security-Policy may forbid it, and
 * `ulimit -v` may leave no room for the ten gigabytes of address space that V8 reserves around a memory.
 */
function instantiate(): Scanner | undefined {
  // WebAssembly writes the low byte of a number first. Not every machine reads it so.
  if (typeof WebAssembly === "undefined" || new Uint8Array(Int32Array.of(1).buffer)[0] !== 1)
    return undefined;
  const code = Uint8Array.from(SECTION_SCAN.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(code)).exports as Scanner;
  } catch {
    return undefined;
  }
}

// A pure function of its input where a module imports nothing. Declared here, because the types of Node know half of it.
declare const WebAssembly:
  | {
      readonly Module: new (code: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: object };
    }
  | undefined;
