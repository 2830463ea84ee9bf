// Header fields, RFC 9110 §5: an ordered list of names and values, looked up without regard to case.
//
// A message has few fields and each is looked up once or never, so the list is one flat array,
//
//   [ "Host", "example.org", "Accept", "*/*", "Accept", "text/html" ]
//
// scanned from its start: no hashing, no lower-cased copy, no object per field. A message that was received keeps its
// section as one text until somebody asks for a field. What a program adds stands there in Http-Header-Case; received
// names keep the spelling they came with, so that a proxy passes them on, and are spelled when somebody iterates.
//
// What is stored was validated on the way in (S-22, S-24: no CR, LF or NUL can reach the wire), so that writing a head
// is plain concatenation.

import { parseLines, readLine, splitSection } from "./field-lines.js";
import { canonicalName } from "./field-names.js";
import { cleanValue } from "./field-values.js";
import { sameName } from "./grammar.js";
import { showAs } from "./inspect.js";

/** What `new HTTPHeaders()` can be filled from; an array as value stands for repeated fields. */
export type HTTPHeadersInit =
  | Iterable<readonly [name: string, value: string]>
  | Readonly<Record<string, string | readonly string[]>>;

const hasOwn = Object.prototype.hasOwnProperty;

/**
 * A list of header fields with case-insensitive names; usable wherever a Web `Headers` is expected.
 *
 * Repeated fields are kept: `get` joins them with `", "`, `getList` and `getAll` give each one. Every way in validates:
 * names are tokens, values are HTAB, SP, VCHAR and U+0080 to U+00FF; blanks around a value are dropped. Whoever iterates
 * gets names in Http-Header-Case, whatever case they came in.
 *
 * @example
 * const headers = new HTTPHeaders({ "Content-Type": "text/plain" });
 * headers.add("Set-Cookie", "a=b");
 * headers.get("content-type"); // "text/plain"
 */
export class HTTPHeaders {
  /** `undefined` while they still stand in `#section`, from `#start` on, and while there are none. */
  #list: string[] | undefined;
  #section = "";
  #start = 0;

  constructor(init?: HTTPHeadersInit) {
    if (init !== undefined) this.#fill(init);
  }

  #fill(init: HTTPHeadersInit): void {
    this.#list = [];
    if (!isIterable(init)) {
      // This loop and this test, spelled so, are what V8 makes one pass over the shape of a literal of.
      for (const name in init) if (hasOwn.call(init, name)) this.#addAll(name, init[name]);
    } else if (#list in init) this.#list = init.#fields().slice();
    else for (const [name, value] of init) this.add(name, value);
  }

  /**
   * Reads field lines: for tests, tools and protocols that borrow them; what comes from a connection is `@tw/http1`'s.
   * Lines end in CRLF or LF, as `toString` writes them, and one empty line may end them all.
   *
   * @throws HTTPInputError for a line that is no field (see `parseLine`), and for text behind the empty line
   * @example
   * HTTPHeaders.parse("foo-bar: 1\nFoo-Bar: 2\n").get("Foo-Bar"); // "1, 2"
   */
  static parse(text: string): HTTPHeaders {
    const headers = new this();
    headers.#list = parseLines(text);
    return headers;
  }

  /**
   * Wraps a flat `[name, value, name, value]` array that a parser has validated, without copying or checking it.
   * The array belongs to the new object.
   */
  static fromValidated(fields: string[]): HTTPHeaders {
    const headers = blank();
    headers.#list = fields;
    return headers;
  }

  /**
   * Wraps a section of field lines that a parser has validated, from `start` to its empty line:
   * `name ":" OWS value OWS CRLF … CRLF`. The text is split when a field is first asked for.
   */
  static fromSection(text: string, start: number): HTTPHeaders {
    const headers = blank();
    headers.#section = text;
    headers.#start = start;
    return headers;
  }

  // A method: V8 calls its runtime for each use of a private accessor.
  #fields(): string[] {
    this.#list ??= splitSection(this.#section, this.#start);
    return this.#list;
  }

  /** The flat `[name, value, name, value]` list itself, for a writer to walk. Not to be changed; stale after a change. */
  get rawFields(): readonly string[] {
    return this.#fields();
  }

  /** The value, repeated fields joined with `", "` in order, or `null` when there is none. */
  get(name: string): string | null {
    const fields = this.#fields();
    let joined: string | null = null;
    for (let i = 0; i < fields.length; i += 2) {
      if (!sameName(fields[i] as string, name)) continue;
      joined = joined === null ? (fields[i + 1] as string) : `${joined}, ${fields[i + 1]}`;
    }
    return joined;
  }

  /** Tells whether there is at least one such field. */
  has(name: string): boolean {
    return this.#find(name) !== -1;
  }

  /**
   * Replaces every such field by one, in place of the first.
   *
   * @throws TypeError (`ERR_TW_FIELD_NAME`, `ERR_TW_FIELD_VALUE`) for what must not go on the wire
   */
  set(name: string, value: string): void {
    const canonical = canonicalName(name);
    const clean = cleanValue(name, value);
    const at = this.#find(name);
    if (at === -1) {
      this.#fields().push(canonical, clean);
      return;
    }
    this.#fields()[at] = canonical;
    this.#fields()[at + 1] = clean;
    this.#removeFrom(at + 2, name);
  }

  /** Adds a field after those of the same name. @throws TypeError as `set` does */
  add(name: string, value: string): void {
    const canonical = canonicalName(name);
    this.#fields().push(canonical, cleanValue(name, value));
  }

  #addAll(name: string, value: string | readonly string[] | undefined): void {
    if (typeof value === "string" || !Array.isArray(value)) this.add(name, value as string);
    else for (const each of value) this.add(name, each);
  }

  /** Web spelling of `add`. @throws TypeError as `set` does */
  append(name: string, value: string): void {
    this.add(name, value);
  }

  /**
   * Adds the field of one line; a CRLF or LF at its end is dropped, and an empty line adds nothing.
   *
   * @throws HTTPInputError for what is no field: no colon, a blank before the colon, a name that is no token, a control
   * other than HTAB in the value. A line that begins with a blank is refused too, RFC 9112 §5.2, where Tornado appends
   * it to the value before.
   */
  parseLine(line: string): void {
    const text = line.replace(/\r?\n$/, "");
    if (text !== "") readLine(text, this.#fields());
  }

  /**
   * Sets each name to what `init` has for it, repeated values included; other names stay (Tornado's `update`).
   *
   * @throws TypeError as `set` does, before anything is changed
   */
  update(init: HTTPHeadersInit): void {
    const given = copyOf(init);
    for (const name of given.keys()) this.delete(name);
    for (const [name, value] of given.getAll()) this.add(name, value);
  }

  /** Removes every such field; removing none is fine. */
  delete(name: string): void {
    const at = this.#find(name);
    if (at !== -1) this.#removeFrom(at, name);
  }

  /** Every value of the name, in order. */
  getList(name: string): string[] {
    const fields = this.#fields();
    const values: string[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      if (sameName(fields[i] as string, name)) values.push(fields[i + 1] as string);
    }
    return values;
  }

  /** Every value of `Set-Cookie`, which is never joined, RFC 6265 §3. */
  getSetCookie(): string[] {
    return this.getList("Set-Cookie");
  }

  /** Every field as it stands, repeated ones one by one. */
  *getAll(): IteratorObject<[name: string, value: string], undefined, unknown> {
    const fields = this.#fields();
    for (let i = 0; i < fields.length; i += 2) {
      yield [canonicalName(fields[i] as string), fields[i + 1] as string];
    }
  }

  /** One pair for each name, its values joined (`Set-Cookie`: one pair for each), in order of first appearance. */
  *entries(): IteratorObject<[name: string, value: string], undefined, unknown> {
    const seen = new Map<string, [string, string]>();
    const pairs: [string, string][] = [];
    for (const pair of this.getAll()) {
      const first = pair[0] === "Set-Cookie" ? undefined : seen.get(pair[0]);
      if (first !== undefined) {
        first[1] += `, ${pair[1]}`;
        continue;
      }
      seen.set(pair[0], pair);
      pairs.push(pair);
    }
    yield* pairs;
  }

  /** The names of `entries`. */
  *keys(): IteratorObject<string, undefined, unknown> {
    for (const [name] of this.entries()) yield name;
  }

  /** The values of `entries`. */
  *values(): IteratorObject<string, undefined, unknown> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): IteratorObject<[name: string, value: string], undefined, unknown> {
    return this.entries();
  }

  /** Calls back with `(value, name, headers)` for each of `entries`. */
  forEach(callback: (value: string, name: string, headers: this) => void, thisArg?: unknown): void {
    for (const [name, value] of this.entries()) callback.call(thisArg, value, name, this);
  }

  /** An independent list with the same fields. */
  copy(): HTTPHeaders {
    return copyOf(this);
  }

  /** One line for each field, ended by LF: for logs and tests, not for the wire. */
  toString(): string {
    let text = "";
    for (const [name, value] of this.getAll()) text += `${name}: ${value}\n`;
    return text;
  }

  #find(name: string): number {
    const fields = this.#fields();
    for (let i = 0; i < fields.length; i += 2) if (sameName(fields[i] as string, name)) return i;
    return -1;
  }

  #removeFrom(start: number, name: string): void {
    const fields = this.#fields();
    let to = start;
    for (let i = start; i < fields.length; i += 2) {
      if (sameName(fields[i] as string, name)) continue;
      fields[to++] = fields[i] as string;
      fields[to++] = fields[i + 1] as string;
    }
    fields.length = to;
  }
}

showAs(HTTPHeaders, (headers, inspect) => `HTTPHeaders ${inspect([...headers.getAll()])}`);

/** The bundler renames a class that names itself in its own body; and what `this` constructs there V8 has to look up. */
function blank(): HTTPHeaders {
  return new HTTPHeaders();
}

function copyOf(init: HTTPHeadersInit): HTTPHeaders {
  return new HTTPHeaders(init);
}

function isIterable(init: HTTPHeadersInit): init is Iterable<readonly [string, string]> {
  return Symbol.iterator in init;
}
