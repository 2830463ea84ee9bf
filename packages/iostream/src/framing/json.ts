// Text and JSON as meanings of a payload, and JSON by the line.

import { fromUtf8, utf8 } from "@tw/util";
import type { Codec } from "./codec.js";
import { type Mapping, map } from "./compose.js";
import { lines } from "./lines.js";
import { checkWellFormed, type LimitedOptions } from "./payload.js";

/** UTF-8 in bytes; malformed UTF-8 is refused. */
export function text(): Mapping<Uint8Array, string> {
  return {
    decode: (bytes) => fromUtf8(bytes, { fatal: true }),
    encode(message) {
      if (typeof message !== "string") throw new TypeError(`A text is a string, got ${typeof message}`);
      checkWellFormed(message);
      return utf8(message);
    },
  };
}

/** JSON in bytes. `T` is what you expect: check what a peer sent before you believe it. */
export function json<T = unknown>(): Mapping<Uint8Array, T> {
  const inner = text();
  const outer = parsed<T>();
  return {
    decode: (bytes) => outer.decode(inner.decode(bytes)),
    encode: (message) => inner.encode(outer.encode(message)),
  };
}

/**
 * One JSON value on each line. An empty line is refused, as no value is empty. `T` is what you expect: check what a peer
 * sent before you believe it.
 *
 * @example
 * const events = stream.frames(jsonLines<{ type: string }>({ maxFrameSize: 65536 }));
 * events.send({ type: "hello" });
 */
export function jsonLines<T = unknown>(options: LimitedOptions): Codec<T> {
  return map(lines({ maxFrameSize: options.maxFrameSize }), parsed<T>());
}

function parsed<T>(): Mapping<string, T> {
  return {
    decode: (line) => JSON.parse(line) as T,
    encode(message) {
      const line = JSON.stringify(message) as string | undefined;
      if (line === undefined) throw new TypeError(`JSON has no ${typeof message}`);
      return line;
    },
  };
}
