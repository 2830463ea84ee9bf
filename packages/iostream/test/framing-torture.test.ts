import { concatBytes, fromLatin1, latin1 } from "@tw/util";
import { describe, expect, it } from "vitest";
import {
  type Codec,
  delimited,
  fixed,
  lengthPrefixed,
  lines,
  MalformedFrameError,
  regex,
  UNKNOWN,
} from "../src/framing.js";
import { torture } from "../src/testing.js";
import { bytes } from "./helpers.js";

const sound = lengthPrefixed({ prefix: "u16be", maxFrameSize: 64 });
const marked = delimited("ab", { maxFrameSize: 64 });
const samples = [bytes("a"), bytes("hello"), bytes("")];

/** The cases that a codec fails. */
function failures<T, S>(codec: Codec<T, S>, messages: readonly S[]): string[] {
  return torture(codec, messages).flatMap(({ name, run }) => {
    try {
      run();
      return [];
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
      return [name];
    }
  });
}

let calls = 0;

const BROKEN: Record<string, readonly [Codec<Uint8Array>, RegExp]> = {
  "measures too little": [{ ...sound, measure: () => 2 }, /each message alone/],
  "sends what it does not receive": [
    { ...sound, encode: (message) => sound.encode(message.map((byte) => byte ^ 1)) },
    /each message alone/,
  ],
  "waits for a byte behind the frame": [
    {
      ...sound,
      measure: (view, start, end, seen) => {
        const size = sound.measure(view, start, end, seen);
        return size !== UNKNOWN && size === end - start ? UNKNOWN : size;
      },
    },
    /as soon as its last byte/,
  ],
  "takes all that is there for the frame": [
    {
      ...sound,
      measure: (view, start, end, seen) => {
        const size = sound.measure(view, start, end, seen);
        return size !== UNKNOWN && size <= end - start ? end - start : size;
      },
    },
    /coalesced/,
  ],
  "looks behind the end": [
    { ...sound, measure: (view, start) => 2 + (view[start] as number) * 256 + (view[start + 1] ?? 0) },
    /outside of the frame/,
  ],
  "misses a delimiter that was split": [
    {
      ...marked,
      measure: (view, start, end, seen) => {
        for (let at = start + seen; at + 1 < end; at++)
          if (view[at] === 0x61 && view[at + 1] === 0x62) return at + 2 - start;
        return UNKNOWN;
      },
    },
    /split point/,
  ],
  "hands out views that do not last": [
    { ...sound, decode: (view, start, end) => view.subarray(start + 2, end) },
    /outlives the bytes/,
  ],
  "changes the bytes it was lent": [
    {
      ...sound,
      decode: (view, start, end) => {
        const message = view.slice(start + 2, end);
        view.fill(0, start + 2, end);
        return message;
      },
    },
    /outlives the bytes|garbage|valid/,
  ],
  "remembers the last frame": [
    {
      ...sound,
      decode: (view, start, end, own) =>
        ++calls % 3 === 2 ? bytes("?") : sound.decode(view, start, end, own),
    },
    /each message alone/,
  ],
  "throws anything at garbage": [
    {
      ...sound,
      measure: (view, start, end, seen) => {
        const size = sound.measure(view, start, end, seen);
        if (size > 64) throw new Error("whatever");
        return size;
      },
    },
    /garbage/,
  ],
  "never says how long a frame is": [{ ...sound, measure: () => UNKNOWN }, /each message alone/],
  "measures nothing for a strange frame": [
    {
      ...sound,
      measure: (view, start, end, seen) => (view[start] === 0xff ? 0 : sound.measure(view, start, end, seen)),
    },
    /endless|garbage/,
  ],
  "sends what its field of lengths does not hold": [
    {
      ...lengthPrefixed({ prefix: "u8", maxFrameSize: 600 }),
      maxFrameSize: 600,
      encode: (message) => concatBytes([Uint8Array.of(message.length), message]),
    },
    /no frame can hold/,
  ],
  "sends what is larger than its limit": [
    {
      ...sound,
      encode: (message) => lengthPrefixed({ prefix: "u16be", maxFrameSize: 1000 }).encode(message),
    },
    /no frame can hold/,
  ],
  "sends a message with its delimiter in it": [
    {
      ...delimited("oh", { maxFrameSize: 64 }),
      encode: (message) => concatBytes([message, bytes("oh")]),
    },
    /no frame can hold/,
  ],
  "lets the rest decide about the frame": [
    {
      ...sound,
      measure: (view, start, end, seen) => {
        if (end - start > 10 && view[end - 1] === 0) throw new MalformedFrameError("a zero somewhere");
        return sound.measure(view, start, end, seen);
      },
    },
    /coalesced|garbage/,
  ],
};

describe("torture()", () => {
  it("passes a sound codec", () => {
    expect(failures(sound, samples)).toEqual([]);
    expect(failures(marked, [bytes("x"), bytes("ba"), bytes("")])).toEqual([]);
  });

  it("takes Buffers for the bytes that they are, as samples and as messages", () => {
    const buffers = samples.map((sample) => Buffer.from(sample));
    expect(failures(sound, buffers)).toEqual([]);
    expect(failures(fixed(5), [Buffer.from("hello"), Buffer.from("world")])).toEqual([]);
    expect(failures(regex(/;/, { maxFrameSize: 64 }), [Buffer.from("a;"), Buffer.from("hello;")])).toEqual(
      [],
    );
    const nested: Codec<{ of: Uint8Array[] }> = {
      maxFrameSize: 64,
      measure: sound.measure,
      decode: (...at) => ({ of: [Buffer.from(sound.decode(...at))] }),
      encode: ({ of }) => sound.encode(of[0] as Uint8Array),
    };
    expect(failures(nested, [{ of: [bytes("a")] }, { of: [bytes("hello")] }])).toEqual([]);
  });

  describe("with messages that are objects of classes", () => {
    class Named {
      name = "";
    }
    class Tagged extends Named {
      readonly #seen = 0;
      readonly at = new Date(0);
      readonly more = new Map([["a", 1]]);
      declare payload: Uint8Array;
      constructor(payload: Uint8Array) {
        super();
        Object.defineProperty(this, "payload", { value: payload });
      }
      get length(): number {
        return this.payload.length + this.#seen;
      }
    }
    const codecOf = (decode: (payload: Uint8Array) => object): Codec<object, Tagged> => ({
      maxFrameSize: 64,
      measure: sound.measure,
      decode: (view, start, end) => decode(sound.decode(view, start, end, true)),
      encode: ({ payload }) => sound.encode(payload),
    });
    const messages = samples.map((payload) => new Tagged(payload));
    const changed = (change: (message: Tagged) => unknown) =>
      codecOf((payload) => {
        const message = new Tagged(payload);
        change(message);
        return message;
      });

    it("passes a sound codec, whose bytes may be Buffers", () => {
      expect(
        failures(
          codecOf((payload) => new Tagged(payload)),
          messages,
        ),
      ).toEqual([]);
      expect(
        failures(
          codecOf((payload) => new Tagged(Buffer.from(payload))),
          messages,
        ),
      ).toEqual([]);
    });

    it.each<[string, Codec<object, Tagged>]>([
      ["another class", codecOf((payload) => Object.assign(new Named(), { payload }))],
      ["no class", codecOf((payload) => ({ ...new Tagged(payload), payload }))],
      ["other bytes", codecOf((payload) => new Tagged(payload.map((byte) => byte ^ 1)))],
      ["another property of its base", changed((message) => Object.assign(message, { name: "b" }))],
      ["one property more", changed((message) => Object.assign(message, { extra: undefined }))],
      ["another Date", changed((message) => message.at.setTime(1))],
      ["another Map", changed((message) => message.more.set("a", 2))],
    ])("catches one that makes %s of them", (_what, codec) => {
      expect(failures(codec, messages)).toContain("what is sent is what is received, each message alone");
    });
  });

  it.each(Object.entries(BROKEN))("catches a codec that %s", (_what, [codec, expected]) => {
    const own = codec.encode === marked.encode ? [bytes("x"), bytes("ba")] : samples;
    expect(failures(codec, own).filter((name) => expected.test(name))).not.toEqual([]);
  });

  it("catches a codec that frames what is too large, given the codec by its limit", () => {
    const lax = (maxFrameSize: number): Codec<Uint8Array> => ({ ...sound, maxFrameSize });
    const found = torture(lax(64), samples, { withLimit: lax }).filter(({ name }) =>
      /limit passes/.test(name),
    );
    expect(found).toHaveLength(1);
    expect(() => found[0]?.run()).toThrow(/was framed/);
    const strict = (maxFrameSize: number) => lengthPrefixed({ prefix: "u16be", maxFrameSize });
    for (const { run } of torture(strict(64), samples, { withLimit: strict })) run();
  });

  it("lets a codec refuse the limit in which its smallest frame has no room, and no other", () => {
    const withLimit = (maxFrameSize: number) => lines({ maxFrameSize, strict: true });
    for (const { run } of torture(withLimit(64), ["", "a", "hello"], { withLimit })) run();
    const sulky = (maxFrameSize: number) => {
      if (maxFrameSize < 7) throw new RangeError("Too small for me");
      return withLimit(maxFrameSize);
    };
    const found = torture(withLimit(64), ["hello", "hell"], { withLimit: sulky }).filter(({ name }) =>
      /limit passes/.test(name),
    );
    expect(() => found[0]?.run()).toThrow("Too small for me");
  });

  it("takes messages that do not fit from outside, where samples cannot be repeated", () => {
    interface Note {
      readonly of: string;
    }
    const codec: Codec<Note> = {
      maxFrameSize: 2000,
      measure: (view, start, end) => (end === start ? UNKNOWN : 1 + (view[start] as number)),
      decode: (view, start, end) => ({ of: Buffer.from(view.subarray(start + 1, end)).toString("latin1") }),
      encode: ({ of }) => bytes(String.fromCharCode(of.length & 0xff) + of),
    };
    const notes = [{ of: "a" }, { of: "hello" }];
    for (const { run } of torture(codec, notes)) run();
    const doubtful = [{ of: "x".repeat(255) }, { of: "x".repeat(256) }];
    const found = torture(codec, notes, { doubtful }).filter(({ name }) => /no frame can hold/.test(name));
    expect(() => found[0]?.run()).toThrow(/where it is sent/);
    const careful = torture(codec, notes, { doubtful: doubtful.slice(0, 1) });
    for (const { run } of careful) run();
  });

  it("passes the example of a codec of one's own", () => {
    const counted: Codec<string> = {
      maxFrameSize: 101,
      measure(view, start, end) {
        if (end - start < 2) return UNKNOWN;
        const digits = fromLatin1(view, start, start + 2);
        if (!/^\d\d$/.test(digits)) throw new MalformedFrameError("Not a count");
        return 2 + Number(digits);
      },
      decode: (view, start, end) => fromLatin1(view, start + 2, end),
      encode(message) {
        if (message.length > 99) throw new RangeError("A text has 99 characters at most");
        return latin1(`${String(message.length).padStart(2, "0")}${message}`);
      },
    };
    const texts = ["", "hello", "x".repeat(99)];
    expect(failures(counted, texts)).toEqual([]);
    const careless = {
      ...counted,
      encode: (message: string) => latin1(`${String(message.length).padStart(2, "0")}${message}`),
    };
    for (const maxFrameSize of [101, 500])
      expect(failures({ ...careless, maxFrameSize }, texts)).toEqual([
        "a message that no frame can hold is refused, not sent as another one",
      ]);
  });

  it("compares with what is received where that is not what was sent", () => {
    const upper: Codec<string, Uint8Array> = {
      maxFrameSize: 64,
      measure: sound.measure,
      encode: sound.encode,
      decode: (view, start, end) =>
        Buffer.from(view.subarray(start + 2, end))
          .toString("latin1")
          .toUpperCase(),
    };
    const received = (sample: Uint8Array) => Buffer.from(sample).toString("latin1").toUpperCase();
    for (const { run } of torture(upper, samples, { received })) run();
    expect(() => torture(sound, [])).toThrow(RangeError);
  });
});
