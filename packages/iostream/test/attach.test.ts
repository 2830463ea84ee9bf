import { describe, expect, it } from "vitest";
import { IOStream, type StreamReceiver } from "../src/index.js";
import { memoryPair } from "../src/transports.js";
import { bytes, Notes, ScriptedTransport, testLoop, text, turn } from "./helpers.js";

function scripted() {
  const loop = testLoop();
  const transport = new ScriptedTransport();
  const stream = new IOStream(transport, { loop });
  const feed = (what: string): unknown => transport.receiver.onBytes(bytes(what));
  return { loop, transport, stream, feed };
}

/** A receiver whose onBytes does what the test says. */
function receiver(onBytes: (view: Uint8Array) => void | Promise<void>): Notes {
  const notes = new Notes();
  const note = notes.onBytes.bind(notes);
  notes.onBytes = (view) => {
    note(view);
    return onBytes(view);
  };
  return notes;
}

describe("IOStream.attach()", () => {
  it.each([undefined, null, 5, {}, { onBytes: 1 }])("refuses %j, and the receiver stays", (none) => {
    const { stream, feed } = scripted();
    const notes = new Notes();
    stream.attach(notes);
    expect(() => stream.attach(none as never)).toThrow(TypeError);
    feed("abc");
    expect(notes.calls).toHaveLength(1);
  });

  it("hands views through as they come, without copying", () => {
    const { stream, transport } = scripted();
    const view = bytes("abc");
    let same = false;
    stream.attach(
      receiver((got) => {
        same = got === view;
      }),
    );
    transport.receiver.onBytes(view);
    expect(same).toBe(true);
  });

  it("delivers what is buffered during the call, then what comes", () => {
    const { stream, feed } = scripted();
    feed("early");
    const notes = new Notes();
    stream.attach(notes);
    expect(notes.calls).toEqual(["bytes early"]);
    feed("late");
    expect(notes.calls).toEqual(["bytes early", "bytes late"]);
  });

  it("with nobody attached pauses the transport once something is buffered, and lets it go on at attach", () => {
    const { stream, transport, feed } = scripted();
    expect(transport.calls).toEqual([]);
    feed("x");
    expect(transport.calls).toEqual(["pause"]);
    stream.attach(new Notes());
    expect(transport.calls).toEqual(["pause", "resume"]);
  });

  it("inside onBytes takes effect at once, and leftovers come first", () => {
    const { stream, feed } = scripted();
    const second = new Notes();
    const first = receiver((view) => {
      stream.detach(view.subarray(4));
      stream.attach(second);
      second.calls.push("attached");
    });
    stream.attach(first);
    feed("headrest");
    feed("more");
    expect(first.calls).toEqual(["bytes headrest"]);
    expect(second.calls).toEqual(["bytes rest", "attached", "bytes more"]);
  });

  it("inside the delivery of buffered bytes works the same, to any depth", () => {
    const { stream, feed } = scripted();
    const last = new Notes();
    let depth = 0;
    const peel: StreamReceiver = receiver((view) => {
      stream.detach(view.subarray(1));
      stream.attach(++depth === 3 ? last : peel);
    });
    feed("abcdef");
    stream.attach(peel);
    expect(last.calls).toEqual(["bytes def"]);
  });

  it("detach() copies what is pushed back, puts it before what is buffered, and serves reads from it", async () => {
    const { stream, feed } = scripted();
    feed("cd");
    const lent = bytes("ab");
    stream.detach(lent);
    lent.fill(0);
    expect(text(await stream.readBytes(4))).toBe("abcd");
  });

  it("detach() refuses what is no bytes, and the receiver stays", () => {
    const { stream, feed } = scripted();
    const notes = new Notes();
    stream.attach(notes);
    for (const leftover of ["ab", 5, null, [1]] as never[])
      expect(() => stream.detach(leftover)).toThrow(TypeError);
    feed("cd");
    expect(notes.calls).toEqual(["bytes cd"]);
  });

  it("detach() lifts a pause: it was the former owner's", () => {
    const { stream, transport } = scripted();
    stream.attach(new Notes());
    stream.pause();
    stream.detach();
    expect(transport.calls).toEqual(["pause", "resume"]);
  });

  it("tells a new receiver of an end and a close that happened already, after the bytes", () => {
    const { stream, transport, feed } = scripted();
    feed("bytes");
    transport.receiver.onEnd();
    const first = new Notes();
    stream.attach(first);
    expect(first.calls).toEqual(["bytes bytes", "end"]);
    stream.detach(bytes("back"));
    transport.receiver.onClose(Object.assign(new Error("x"), { code: "ECONNRESET" }));
    const second = new Notes();
    stream.attach(second);
    expect(second.calls).toEqual(["bytes back", "end", "close ECONNRESET"]);
    const third = new Notes();
    stream.attach(third);
    expect(third.calls).toEqual(["end", "close ECONNRESET"]);
  });

  it("a paused receiver gets buffered bytes and the end in a later turn, after resume()", async () => {
    const { loop, stream, transport, feed } = scripted();
    const notes = new Notes();
    stream.pause();
    feed("kept");
    stream.attach(notes);
    transport.receiver.onEnd();
    await loop.settle();
    expect(notes.calls).toEqual([]);
    stream.resume();
    expect(notes.calls).toEqual([]);
    await loop.settle();
    expect(notes.calls).toEqual(["bytes kept", "end"]);
  });

  it("a lease on buffered bytes holds everything back until it ends", async () => {
    const { stream, transport, feed } = scripted();
    let release = (): void => {};
    const lease = (): Promise<void> =>
      new Promise((resolve) => {
        release = resolve;
      });
    const notes = receiver(lease);
    feed("one");
    stream.attach(notes);
    expect(transport.calls).toEqual(["pause"]);
    transport.receiver.onEnd();
    expect(notes.calls).toEqual(["bytes one"]);
    release();
    await turn();
    expect(notes.calls).toEqual(["bytes one", "end"]);
    expect(transport.calls).toEqual(["pause", "resume"]);
  });

  it("a lease on the transport's bytes is passed on, and a rejection is logged and aborts", async () => {
    const { loop, stream, transport, feed } = scripted();
    const reason = new Error("async trouble");
    stream.attach(receiver(() => Promise.reject(reason)));
    const lease = feed("x");
    expect(lease).toBeInstanceOf(Promise);
    await lease;
    expect(loop.logged).toEqual([reason]);
    expect(transport.calls).toEqual(["abort async trouble"]);
    expect(stream.error).toBe(reason);
  });

  for (const call of ["onBytes", "onEnd", "onDrain", "onClose"] as const) {
    it(`what a receiver throws in ${call} is logged and aborts the stream`, async () => {
      const loop = testLoop();
      const [near, far] = memoryPair(loop, { capacity: 10 });
      const stream = new IOStream(near, { loop });
      const thrown = new Error(call);
      const notes = new Notes();
      notes[call] = () => {
        throw thrown;
      };
      stream.attach(notes);
      const peer = new IOStream(far, { loop });
      if (call === "onBytes") peer.send("x");
      if (call === "onEnd") peer.end();
      if (call === "onClose") peer.abort();
      if (call === "onDrain") {
        stream.send("x".repeat(100_000));
        peer.attach(new Notes());
      }
      await loop.settle(10);
      expect(loop.logged).toEqual([thrown]);
      expect(stream.closed).toBe(true);
    });
  }

  it("what a receiver throws on buffered bytes does not reach the caller of attach()", () => {
    const { loop, stream, feed } = scripted();
    feed("x");
    stream.attach(
      receiver(() => {
        throw new Error("mine");
      }),
    );
    expect(loop.logged).toHaveLength(1);
    expect(stream.closed).toBe(true);
  });

  it("an abort inside onBytes ends delivery; onClose comes from the transport, once", () => {
    const { stream, transport, feed } = scripted();
    const notes = receiver(() => stream.abort(new Error("no")));
    stream.attach(notes);
    feed("a");
    feed("b");
    transport.receiver.onClose(new Error("no"));
    expect(notes.calls).toEqual(["bytes a", "close no"]);
  });
});

describe("the cork", () => {
  it("what onBytes sends leaves in one write when it returns", () => {
    const { stream, transport, feed } = scripted();
    stream.attach(
      receiver(() => {
        stream.send("head ");
        stream.send("more head");
        stream.send(bytes("body"));
        void stream.write("tail");
        expect(transport.calls).toEqual([]);
      }),
    );
    feed("x");
    expect(transport.calls).toEqual(["write head more head|body|tail"]);
  });

  it("what continuations and others send leaves once, at the end of the checkpoint", async () => {
    const { stream, transport, feed } = scripted();
    stream.attach(
      receiver(async () => {
        stream.send("a");
        await null;
        stream.send("b");
        await null;
        stream.send("c");
      }),
    );
    const lease = feed("x");
    expect(transport.calls).toEqual(["write a"]);
    await lease;
    await turn();
    expect(transport.calls).toEqual(["write a", "write bc"]);
    stream.send("d");
    stream.send("e");
    expect(transport.calls).toHaveLength(2);
    await turn();
    expect(transport.calls[2]).toBe("write de");
  });

  it("what is sent while buffered bytes are delivered leaves when attach() returns, or with the outer callback", () => {
    const { stream, transport, feed } = scripted();
    feed("x");
    stream.attach(receiver(() => void stream.send("answer")));
    expect(transport.calls).toEqual(["pause", "resume", "write answer"]);
    const inner = receiver(() => void stream.send("inner"));
    stream.attach(
      receiver(() => {
        stream.detach(bytes("rest"));
        stream.attach(inner);
        stream.send(" outer");
      }),
    );
    feed("y");
    expect(transport.calls.filter((call) => call.startsWith("write"))).toEqual([
      "write answer",
      "write inner outer",
    ]);
  });

  it("streams that wait for the same tick all leave, also those that are queued by it", async () => {
    const many = Array.from({ length: 100 }, scripted);
    for (const { stream } of many) stream.send("x");
    await turn();
    for (const { transport } of many) expect(transport.calls).toEqual(["write x"]);
  });

  it("a transport that throws in write() harms its stream only", async () => {
    const broken = scripted();
    const sound = scripted();
    broken.transport.write = () => {
      throw new Error("broken transport");
    };
    broken.stream.send("x");
    sound.stream.send("x");
    await turn();
    expect(broken.stream.closed).toBe(true);
    expect(sound.transport.calls).toEqual(["write x"]);
  });
});

// The shape of httputil's UpgradedStream, copied: iostream must not depend on HTTP.
interface UpgradedReceiver {
  onBytes(view: Uint8Array): void | Promise<void>;
  onEnd(): void;
  onDrain(): void;
  onClose(error?: unknown): void;
}
interface UpgradedStream {
  attach(receiver: UpgradedReceiver): void;
  send(chunk: Uint8Array | string): boolean;
  readonly bufferedAmount: number;
  pause(): void;
  resume(): void;
  close(): void;
  abort(reason?: unknown): void;
  readonly closed: boolean;
}

it("IOStream serves as the stream of an upgraded HTTP connection, and its receivers as receivers", () => {
  const { stream } = scripted();
  const upgraded: UpgradedStream = stream;
  const theirs: UpgradedReceiver = new Notes();
  const ours: StreamReceiver = theirs;
  upgraded.attach(ours);
  expect(upgraded.closed).toBe(false);
});
