// The data: keys, values, when they expire, and what they weigh. No sockets; the clock arrives as a function.

import { flat, PIECE_WEIGHT } from "./flat-text.js";

/** A string, or a hash of fields. Bytes as latin1 text. */
export type Value = string | Map<string, string>;

interface Entry {
  value: Value;
  /** In the milliseconds of the store's clock; 0 is never. */
  expiresAt: number;
  /** Texts that were added to the value since it had its characters together. */
  pieces: number;
}

/** What an entry weighs besides its bytes, about; measured with strings of 16 bytes. */
const ENTRY_WEIGHT = 96;

/** Keys that one look at what expires takes at most, so that nobody waits for it. */
const SWEEP = 200;

/** The database. A key whose time has come is gone, whether it was swept away or not. */
export class Store {
  readonly #entries = new Map<string, Entry>();
  /** Keys that will expire. */
  readonly #expiring = new Set<string>();
  readonly #now: () => number;
  #weight = 0;
  #sweeping: Iterator<string> | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Keys, those included that are due and not yet swept. */
  get size(): number {
    return this.#entries.size;
  }

  /** Keys with a time. */
  get expiring(): number {
    return this.#expiring.size;
  }

  /** What everything weighs, about, in bytes. */
  get weight(): number {
    return this.#weight;
  }

  get(key: string): Value | undefined {
    return this.#live(key)?.value;
  }

  has(key: string): boolean {
    return this.#live(key) !== undefined;
  }

  /** Sets a value that never expires, or `expiresAt`, or `"keep"`s the time that the key has. */
  set(key: string, value: Value, expiresAt: number | "keep" = 0): void {
    const entry = this.#live(key);
    if (entry === undefined) {
      this.#entries.set(key, { value, expiresAt: 0, pieces: 0 });
      this.#weight += ENTRY_WEIGHT + key.length + weigh(value);
    } else {
      this.#weight += weigh(value) - weigh(entry.value);
      entry.value = value;
      entry.pieces = 0;
    }
    if (expiresAt !== "keep") this.expireAt(key, expiresAt);
  }

  /** Adds `text` to the string at `key`, or begins one; the time that the key has stays. */
  append(key: string, text: string): void {
    const entry = this.#live(key);
    if (typeof entry?.value !== "string") return this.set(key, text, "keep");
    this.#weight += text.length;
    entry.value += text;
    // The pieces never cost more than what they say, and each byte is copied a few times at most.
    if (++entry.pieces * PIECE_WEIGHT <= entry.value.length) return;
    entry.value = flat(entry.value);
    entry.pieces = 0;
  }

  /** The hash at `key`, made if there is nothing; `undefined` when there is a string. */
  hash(key: string): Map<string, string> | undefined {
    const value = this.get(key);
    if (value !== undefined) return typeof value === "string" ? undefined : value;
    const made = new Map<string, string>();
    this.set(key, made);
    return made;
  }

  /** Sets a field of a hash of this store; whether it is new. */
  setField(hash: Map<string, string>, field: string, value: string): boolean {
    const old = hash.get(field);
    hash.set(field, value);
    this.#weight += value.length - (old === undefined ? -field.length - ENTRY_WEIGHT : old.length);
    return old === undefined;
  }

  /** Deletes a field; an empty hash is none. */
  deleteField(key: string, hash: Map<string, string>, field: string): boolean {
    const old = hash.get(field);
    if (old === undefined) return false;
    hash.delete(field);
    this.#weight -= old.length + field.length + ENTRY_WEIGHT;
    if (hash.size === 0) this.delete(key);
    return true;
  }

  delete(key: string): boolean {
    return this.#live(key) !== undefined && this.#remove(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#expiring.clear();
    this.#sweeping = undefined;
    this.#weight = 0;
  }

  /** When `key` expires; 0 for never, `undefined` without the key. */
  expiresAt(key: string): number | undefined {
    return this.#live(key)?.expiresAt;
  }

  /** Sets when `key` expires; 0 is never. False without the key. */
  expireAt(key: string, when: number): boolean {
    const entry = this.#live(key);
    if (entry === undefined) return false;
    entry.expiresAt = when;
    if (when === 0) this.#expiring.delete(key);
    else this.#expiring.add(key);
    return true;
  }

  /** All keys. An iterator that is kept sees every key that is there throughout, whatever else changes. */
  *keys(): Generator<string, void, undefined> {
    for (const key of this.#entries.keys()) if (this.has(key)) yield key;
  }

  /** Looks at the next keys that may be due, and removes those that are; how many those were. */
  sweep(): number {
    let removed = 0;
    for (let i = 0; i < SWEEP; i++) {
      this.#sweeping ??= this.#expiring.values();
      const { done, value: key } = this.#sweeping.next();
      if (done) {
        this.#sweeping = undefined;
        break;
      }
      if (this.#live(key) === undefined) removed++;
    }
    return removed;
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt === 0 || entry.expiresAt > this.#now()) return entry;
    this.#remove(key);
    return undefined;
  }

  #remove(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#weight -= ENTRY_WEIGHT + key.length + weigh(entry.value);
    this.#expiring.delete(key);
    return this.#entries.delete(key);
  }
}

function weigh(value: Value): number {
  if (typeof value === "string") return value.length;
  let weight = 0;
  for (const [field, text] of value) weight += ENTRY_WEIGHT + field.length + text.length;
  return weight;
}
