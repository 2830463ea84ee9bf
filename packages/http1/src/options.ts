// Limits of a connection. All are on by default, and checked while reading, never after.

import { fromLatin1 } from "@tw/util";

/** Options of {@link HTTP1Machine}, shared by all machines of a server; see {@link resolveHTTP1Options}. */
export interface HTTP1Options {
  /**
   * Bytes of a head, from the start line to the blank line. A peer that sends more gets 431: it could otherwise make
   * us buffer for ever.
   *
   * @default 65536
   */
  readonly maxHeadSize?: number;
  /** Fields of a head, and of a trailer section. More: 431. @default 1000 */
  readonly maxHeaderFields?: number;
  /** Bytes of a body without its framing; 0 is a limit as well. More: 413. @default 10485760 */
  readonly maxBodySize?: number;
  /** Bytes of a trailer section with its blank line. More: 431. @default 8192 */
  readonly maxTrailerSize?: number;
  /**
   * Decodes latin1 from `bytes[start, end)`. Drivers for Node pass a native one.
   *
   * @default a portable one
   */
  readonly fromLatin1?: (bytes: Uint8Array, start: number, end: number) => string;
}

/** {@link HTTP1Options} with every default filled in. */
export type ResolvedHTTP1Options = Required<HTTP1Options>;

/**
 * Fills in the defaults. Call it once for a server, not once for a connection.
 *
 * @throws RangeError when a limit is not a whole number of bytes or fields
 */
export function resolveHTTP1Options(options: HTTP1Options = {}): ResolvedHTTP1Options {
  return Object.freeze({
    maxHeadSize: limit("maxHeadSize", options.maxHeadSize ?? 65_536),
    maxHeaderFields: limit("maxHeaderFields", options.maxHeaderFields ?? 1000),
    maxBodySize: limit("maxBodySize", options.maxBodySize ?? 10_485_760),
    maxTrailerSize: limit("maxTrailerSize", options.maxTrailerSize ?? 8192),
    fromLatin1: options.fromLatin1 ?? fromLatin1,
  });
}

/** Returns `value` when it can be a limit. @throws RangeError otherwise */
export function limit(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`${name} must be a whole number from 0 on, got ${String(value)}`);
}
