import { describe, expect, it } from "vitest";
import { IOStream } from "../src/index.js";
import { Notes, ScriptedTransport, testLoop, turn } from "./helpers.js";

function scripted() {
  const loop = testLoop();
  const transport = new ScriptedTransport();
  return { loop, transport, stream: new IOStream(transport, { loop }) };
}

describe("IOStream.cork()", () => {
  it("holds writes of many turns back, and they leave in one call when it is out", async () => {
    const { stream, transport } = scripted();
    const cork = stream.cork();
    for (const part of ["a", "b", "c"]) {
      stream.send(part);
      await turn();
    }
    expect(transport.calls).toEqual([]);
    cork[Symbol.dispose]();
    await turn();
    expect(transport.calls).toEqual(["write abc"]);
  });

  it("counts: the last cork lets go, and one that is disposed of twice is out once", async () => {
    const { stream, transport } = scripted();
    const [first, second] = [stream.cork(), stream.cork()];
    stream.send("x");
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await turn();
    expect(transport.calls).toEqual([]);
    second[Symbol.dispose]();
    await turn();
    expect(transport.calls).toEqual(["write x"]);
    second[Symbol.dispose]();
    stream.send("y");
    await turn();
    expect(transport.calls).toEqual(["write x", "write y"]);
  });

  it("with a function lasts as long as that, or as its promise, and hands the result on", async () => {
    const { stream, transport } = scripted();
    expect(stream.cork(() => stream.send("now"))).toBe(true);
    await turn();
    const result = stream.cork(async () => {
      stream.send("a");
      await turn();
      stream.send("b");
      return 7;
    });
    await turn();
    expect(await result).toBe(7);
    await turn();
    expect(transport.calls).toEqual(["write now", "write ab"]);
  });

  it("is out when the function throws or rejects", async () => {
    const { stream, transport } = scripted();
    const thrown = new Error("thrown");
    expect(() =>
      stream.cork(() => {
        stream.send("a");
        throw thrown;
      }),
    ).toThrow(thrown);
    await expect(stream.cork(() => Promise.reject(thrown))).rejects.toBe(thrown);
    await turn();
    expect(transport.calls).toEqual(["write a"]);
    expect(() => stream.cork(7 as never)).toThrow(TypeError);
    stream.send("b");
    await turn();
    expect(transport.calls).toEqual(["write a", "write b"]);
  });

  it("holds FIN of end() back too, in order; close() takes all corks out", async () => {
    const ending = scripted();
    const cork = ending.stream.cork();
    ending.stream.send("last");
    ending.stream.end();
    await turn();
    expect(ending.transport.calls).toEqual([]);
    cork[Symbol.dispose]();
    await turn();
    expect(ending.transport.calls).toEqual(["write last", "end"]);
    const closing = scripted();
    const left = closing.stream.cork();
    closing.stream.send("last");
    closing.stream.close();
    await turn();
    expect(closing.transport.calls).toEqual(["write last", "end"]);
    left[Symbol.dispose]();
    closing.stream.abort();
    ending.stream.abort();
  });

  it("tells a receiver whose send() returned false onDrain when the cork is out and everything went", async () => {
    const { stream, transport } = scripted();
    const notes = new Notes();
    stream.attach(notes);
    const cork = stream.cork();
    expect(stream.send("x".repeat(100_000))).toBe(false);
    await turn();
    expect([transport.calls, notes.calls]).toEqual([[], []]);
    cork[Symbol.dispose]();
    await turn();
    expect(notes.calls).toEqual(["drain"]);
  });

  it("holds back what a receiver sends from onBytes", async () => {
    const { stream, transport } = scripted();
    stream.attach(Object.assign(new Notes(), { onBytes: () => stream.send("answer") }));
    const cork = stream.cork();
    transport.receiver.onBytes(new Uint8Array(1));
    transport.receiver.onBytes(new Uint8Array(1));
    await turn();
    expect(transport.calls).toEqual([]);
    cork[Symbol.dispose]();
    await turn();
    expect(transport.calls).toEqual(["write answeranswer"]);
  });
});
