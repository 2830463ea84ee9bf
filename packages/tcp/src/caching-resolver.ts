// Answers of another resolver, kept for a while. The system's resolver tells no times to live, so there is one for all.

import { IOLoop } from "@tw/ioloop";
import { checkDurationMs, checkInteger } from "@tw/util";
import { checkResolver, type Endpoint, type Resolver } from "./resolver.js";

/** Options of a {@link CachingResolver}. */
export interface CachingResolverOptions {
  /** Whose clock counts. @default IOLoop.current() */
  readonly loop?: IOLoop;
  /** Milliseconds that an answer is good for. @default 30 000 */
  readonly ttlMs?: number;
  /** Answers kept; beyond it the one that was used longest ago goes. Who chooses the hosts can fill it. @default 1 000 */
  readonly maxEntries?: number;
}

const DEFAULT_TTL_MS = 30_000;
const DEFAULT_MAX_ENTRIES = 1000;

interface Entry {
  readonly answer: Promise<readonly Endpoint[]>;
  /** By `loop.time()`. Infinite while the question is open. */
  expires: number;
}

/**
 * Asks `resolver` once per host, port and family in `ttlMs`. Who asks while a question is open shares its answer.
 * Failures and empty answers are given to all who shared them, and are not kept.
 *
 * @example
 * const client = new TCPClient({ resolver: new CachingResolver(new DefaultResolver()) });
 */
export class CachingResolver implements Resolver {
  readonly #resolver: Resolver;
  readonly #loop: IOLoop;
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  /** In the order of last use: a Map remembers the order of insertion. */
  readonly #entries = new Map<string, Entry>();

  /** @throws TypeError, RangeError for a duration or a number that is none, or a resolver without `resolve` */
  constructor(resolver: Resolver, options: CachingResolverOptions = {}) {
    const { loop = IOLoop.current(), ttlMs = DEFAULT_TTL_MS, maxEntries = DEFAULT_MAX_ENTRIES } = options;
    checkResolver(resolver);
    checkDurationMs("ttlMs", ttlMs, Number.MAX_VALUE);
    checkInteger("maxEntries", maxEntries, 1);
    this.#resolver = resolver;
    this.#loop = loop;
    this.#ttlMs = ttlMs;
    this.#maxEntries = maxEntries;
  }

  /** Answers kept, and open questions. */
  get size(): number {
    return this.#entries.size;
  }

  /** Forgets every answer. */
  clear(): void {
    this.#entries.clear();
  }

  resolve(host: string, port: number, family: 0 | 4 | 6): Promise<readonly Endpoint[]> {
    const key = `${family} ${port} ${host}`;
    const known = this.#entries.get(key);
    this.#entries.delete(key);
    if (known !== undefined && known.expires > this.#loop.time()) {
      this.#entries.set(key, known);
      return known.answer;
    }
    return this.#ask(key, host, port, family);
  }

  #ask(key: string, host: string, port: number, family: 0 | 4 | 6): Promise<readonly Endpoint[]> {
    const answer = this.#resolver.resolve(host, port, family);
    const entry: Entry = { answer, expires: Number.POSITIVE_INFINITY };
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#maxEntries)
      this.#entries.delete(this.#entries.keys().next().value as string);
    const forget = (): void => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    // What is no list of endpoints, of a resolver that is not typed, is its caller's to be told of, and kept for nobody.
    answer.then((found) => {
      if (Array.isArray(found) && found.length > 0) entry.expires = this.#loop.time() + this.#ttlMs;
      else forget();
    }, forget);
    return answer;
  }
}
