// For every read call: however the input is cut into packets, the results are the same.
import { describe, expect, it } from "vitest";
import { IOStream, type StreamOptions } from "../src/index.js";
import { memoryPair } from "../src/transports.js";
import { testLoop, text } from "./helpers.js";

/** Reads from a stream until it has enough; each result as text. */
type Script = (stream: IOStream, note: (result: string) => void) => Promise<void>;

interface Example {
  readonly input: string;
  readonly results: readonly string[];
  readonly script: Script;
  readonly options?: StreamOptions;
}

const SCRIPTS: Record<string, Example> = {
  "readBytes()": {
    input: "abcdefghijklmnop",
    results: ["a", "", "bcdef", "ghi", "jklmnop", "ERR_TW_STREAM_CLOSED undefined"],
    async script(stream, note) {
      for (const count of [1, 0, 5, 3]) note(text(await stream.readBytes(count)));
      note(text(await stream.readBytes(7)));
      await stream.readBytes(1);
    },
  },
  "readInto()": {
    input: "abcdefghijklmnop",
    results: [
      "1 a\0\0\0\0\0\0\0",
      "4 bcde\0\0\0\0",
      "8 fghijklm",
      "cut short",
      "nop",
      "ERR_TW_STREAM_CLOSED undefined",
    ],
    async script(stream, note) {
      const target = new Uint8Array(8);
      for (const count of [1, 4, 8]) {
        note(`${await stream.readInto(target.subarray(0, count))} ${text(target)}`);
      }
      await stream.readInto(target).catch(() => note("cut short"));
      note(text(await stream.readBytes(3)));
      await stream.readInto(target);
    },
  },
  "readUntil()": {
    input: "one\r\ntwo\r\r\n\r\n\rrest\r\n",
    results: ["one\r\n", "two\r\r\n", "\r\n", "\rrest\r\n", "ERR_TW_STREAM_CLOSED undefined"],
    async script(stream, note) {
      for (;;) note(text(await stream.readUntil("\r\n", { maxBytes: 7 })));
    },
  },
  "readUntil() beyond maxBytes": {
    input: "short\nmuch longer\n",
    results: ["short\n", "ERR_TW_STREAM_CLOSED ERR_TW_UNSATISFIABLE_READ"],
    async script(stream, note) {
      for (;;) note(text(await stream.readUntil("\n", { maxBytes: 8 })));
    },
  },
  "readUntil() beyond both limits": {
    input: "short\nmuch longer than both of them\n",
    results: ["short\n", "ERR_TW_STREAM_CLOSED ERR_TW_STREAM_BUFFER_FULL"],
    options: { maxBufferSize: 8 },
    async script(stream, note) {
      for (;;) note(text(await stream.readUntil("\n", { maxBytes: 12 })));
    },
  },
  "readUntilRegex() of bounded width": {
    input: "head: x\r\n\r\nbody\n\n\r\n\r\nlast",
    results: ["head: x\r\n\r\n", "body\n\n", "\r\n\r\n", "ERR_TW_STREAM_CLOSED undefined"],
    async script(stream, note) {
      for (;;) note(text(await stream.readUntilRegex(/\r?\n\r?\n/)));
    },
  },
  "readUntilRegex() that could match longer": {
    input: "aaa123 bb45 6 777777",
    results: ["aaa1", "23 ", "b", "b45 ", "6 ", "77", "77", "77", "ERR_TW_STREAM_CLOSED undefined"],
    async script(stream, note) {
      note(text(await stream.readUntilRegex(/\d+/)));
      note(text(await stream.readUntilRegex(/\d{1,3} /)));
      note(text(await stream.readUntilRegex(/(?:bb|b)\d*/)));
      for (;;) note(text(await stream.readUntilRegex(/(\d)[\s\S]*?\1| /)));
    },
  },
  "readUntilRegex() with an earlier end that begins later": {
    input: "abcdefgh",
    results: ["abc", "de"],
    async script(stream, note) {
      note(text(await stream.readUntilRegex(/a[\s\S]*g|c/)));
      note(text(await stream.readUntilRegex(/(?<=d)e|^f/m)));
    },
  },
  "readUntilRegex() beyond maxBytes": {
    input: "ok.\nnot in time.\n",
    results: ["ok.\n", "ERR_TW_STREAM_CLOSED ERR_TW_UNSATISFIABLE_READ"],
    async script(stream, note) {
      for (;;) note(text(await stream.readUntilRegex(/[.!]\n/, { maxBytes: 9 })));
    },
  },
  "readUntilClose()": {
    input: "everything\nthat came",
    results: ["everything\n", "that came", ""],
    async script(stream, note) {
      note(text(await stream.readUntil("\n")));
      note(text(await stream.readUntilClose()));
      note(text(await stream.readUntilClose()));
    },
  },
  "readUntilClose() beyond maxBufferSize": {
    input: "x".repeat(17),
    results: ["ERR_TW_STREAM_CLOSED ERR_TW_STREAM_BUFFER_FULL"],
    options: { maxBufferSize: 16 },
    async script(stream, note) {
      note(text(await stream.readUntilClose()));
    },
  },
  "partial reads and chunks()": {
    input: "0123456789abcdefghij",
    results: ["0123456789abcdefghij"],
    async script(stream, note) {
      const target = new Uint8Array(3);
      const first = await stream.readBytes(4, { partial: true });
      const second = await stream.readInto(target, { partial: true });
      let all = text(first) + text(target.subarray(0, second));
      for await (const chunk of stream.chunks({ size: 2 })) {
        expect(chunk.length).toBeLessThanOrEqual(2);
        all += text(chunk);
        if (all.length >= 9) break;
      }
      for await (const chunk of stream.chunks()) all += text(chunk);
      note(all);
    },
  },
};

/** What a script notes when its input comes in pieces of these sizes; the last is repeated. */
async function run(of: string, sizes: readonly number[]): Promise<string[]> {
  const { input, script, options } = SCRIPTS[of] as Example;
  const loop = testLoop();
  let at = 0;
  const [near, far] = memoryPair(loop, { chunk: () => sizes[Math.min(at++, sizes.length - 1)] as number });
  const stream = new IOStream(near, { ...options, loop });
  const peer = new IOStream(far, { loop });
  const notes: string[] = [];
  peer.send(input);
  peer.end();
  const done = script(stream, (result) => notes.push(result)).catch((error) => {
    notes.push(`${error.code} ${error.cause?.code}`);
  });
  await loop.settle();
  await done;
  stream.abort();
  peer.abort();
  await loop.settle();
  return notes;
}

describe("chopping the input never changes the results of", () => {
  for (const [name, { input, results }] of Object.entries(SCRIPTS)) {
    it(name, async () => {
      expect(await run(name, [input.length])).toEqual(results);
      for (let drip = 1; drip <= 5; drip++) expect(await run(name, [drip])).toEqual(results);
      for (let split = 1; split < input.length; split++) {
        expect(await run(name, [split, input.length])).toEqual(results);
        expect(await run(name, [split, 1, input.length])).toEqual(results);
      }
    });
  }
});
