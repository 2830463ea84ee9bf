// What a regular expression can be asked of a stream: whether it may be used at all, and how many bytes one match can
// span. A pattern of bounded width is looked for behind what was looked at already; any other from the start again.
//
// Refused is what looks past its own match: `$`, `\b`, `\B` and lookaheads. Whether they hold depends on bytes that have
// not come, so their answer would depend on how the peer's bytes were cut into packets. And what matches nothing, which
// is there before a byte has come, and what is sticky: it looks at one place only, which is not the reader's.

/** What {@link measureRegex} found out. */
export interface RegexSpan {
  /** Bytes of the longest match; `Infinity` where there is no bound, or none that is easily seen. */
  readonly width: number;
  /** Whether a match depends on nothing before its own first byte: no `^`, no lookbehind. */
  readonly independent: boolean;
}

/** @throws RangeError for a pattern that is sticky, whose match depends on bytes behind it, or that matches nothing */
export function measureRegex(regex: RegExp): RegexSpan {
  if (regex.sticky) throw new RangeError("A pattern to read until must not be sticky");
  const reader = new PatternReader(regex.source, regex.unicode || regex.flags.includes("v"));
  if (regex.flags.includes("v")) reader.unbounded = true;
  const width = reader.alternatives();
  if (withoutPlace(regex).test(""))
    throw new RangeError(`A pattern to read until must not match nothing: ${regex}`);
  return { width: reader.unbounded ? Number.POSITIVE_INFINITY : width, independent: reader.independent };
}

/** A copy that begins to look at the beginning: `lastIndex` of a global one is its owner's. */
export function withoutPlace(regex: RegExp): RegExp {
  return new RegExp(regex.source, regex.flags.replace("g", ""));
}

/** Reads a pattern that the engine has accepted, so that it need not be checked again. */
class PatternReader {
  readonly #source: string;
  readonly #unicode: boolean;
  #at = 0;
  independent = true;
  unbounded = false;

  constructor(source: string, unicode: boolean) {
    this.#source = source;
    this.#unicode = unicode;
  }

  /** Up to the closing parenthesis, or the end. */
  alternatives(): number {
    let widest = 0;
    let width = 0;
    for (;;) {
      const char = this.#source[this.#at];
      if (char === undefined || char === ")") return Math.max(widest, width);
      if (char === "|") {
        this.#at++;
        widest = Math.max(widest, width);
        width = 0;
      } else {
        const term = this.#term(char);
        const times = this.#quantifier();
        // Nothing, however often, is nothing.
        if (term > 0 && times > 0) width += term * times;
      }
    }
  }

  #term(char: string): number {
    this.#at++;
    switch (char) {
      case "$":
        return refuse("$");
      case "^":
        this.independent = false;
        return 0;
      case "(":
        return this.#group();
      case "[":
        this.#class();
        return 1;
      case "\\":
        return this.#escape();
      default:
        return 1;
    }
  }

  #group(): number {
    const [head = ""] = /^(\?(<?[=!]|<[^>]*>|[a-z-]*:))?/.exec(
      this.#source.slice(this.#at),
    ) as RegExpExecArray;
    if (head === "?=" || head === "?!") refuse(`(${head}`);
    this.#at += head.length;
    const width = this.alternatives();
    this.#at++;
    if (head !== "?<=" && head !== "?<!") return width;
    this.independent = false;
    return 0;
  }

  #class(): void {
    for (let depth = 1; depth > 0; this.#at++) {
      const char = this.#source[this.#at];
      if (char === "\\") this.#at++;
      else if (char === "]") depth--;
      // Classes nest with the flag v only, of which nothing else is measured.
      else if (char === "[" && this.unbounded) depth++;
    }
  }

  #escape(): number {
    const rest = this.#source.slice(this.#at);
    const char = rest[0] as string;
    if (char === "b" || char === "B") refuse(`\\${char}`);
    const known = this.#unicode
      ? /^(u\{[^}]*\}|[pP]\{[^}]*\}|u[0-9a-f]{4}|x[0-9a-f]{2}|c[a-z])/i
      : /^(u[0-9a-f]{4}|x[0-9a-f]{2}|c[a-z]|0[0-7]{0,2})/i;
    // What a group matched, again: as long as that was.
    if (/^([1-9]|k)/.test(rest)) this.unbounded = true;
    this.#at += (known.exec(rest)?.[0] ?? char).length;
    return 1;
  }

  #quantifier(): number {
    const found = /^(\*|\+|\?|\{\d+(,\d*)?\})\??/.exec(this.#source.slice(this.#at));
    if (found === null) return 1;
    this.#at += found[0].length;
    const text = found[1] as string;
    if (text === "?") return 1;
    const [, least, comma, most] = /^\{(\d+)(,(\d*))?/.exec(text) ?? ["", "0", ",", ""];
    if (comma === undefined) return Number(least);
    return most === undefined || most === "" ? Number.POSITIVE_INFINITY : Number(most);
  }
}

function refuse(what: string): never {
  throw new RangeError(
    `A pattern to read until must not contain ${what}: it depends on bytes that have not come yet`,
  );
}
