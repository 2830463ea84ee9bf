import { isPromiseLike } from "@tw/util";
import { describe, expect, it } from "vitest";
import { BodyAbortedError, BodyStream } from "../src/index.js";
import { all, fromLatin1, latin1 } from "./multipart-support.js";

/** Whether a promise has settled when everything that can run has run. */
async function settled(promise: unknown): Promise<boolean> {
  let done = false;
  const mark = () => {
    done = true;
  };
  Promise.resolve(promise).then(mark, mark);
  await new Promise(setImmediate);
  return done;
}

/** Pushes pieces as a driver does, the next when the last one is done with; overwrites each when it gets it back. */
async function drive(body: BodyStream, pieces: readonly string[]): Promise<void> {
  await body.whenWanted();
  for (const piece of pieces) {
    const view = latin1(piece);
    await body.push(view);
    view.fill(0xdb);
  }
  body.end();
}

describe("BodyStream", () => {
  it("yields each view before the driver gets it back", async () => {
    const body = new BodyStream();
    const driving = drive(body, ["one", "two", "", "three"]);
    const seen: string[] = [];
    for await (const view of body) {
      await undefined;
      seen.push(fromLatin1(view));
    }
    await driving;
    expect(seen).toEqual(["one", "two", "three"]);
  });

  it("holds a view until the next one is asked for, whether it was awaited or offered", async () => {
    for (const readFirst of [true, false]) {
      const body = new BodyStream();
      const reader = body[Symbol.asyncIterator]();
      const first = readFirst ? reader.next() : undefined;
      const lease = body.push(latin1("a"));
      expect(isPromiseLike(lease)).toBe(true);
      expect(await (first ?? reader.next())).toMatchObject({ done: false });
      expect(await settled(lease)).toBe(false);
      const second = reader.next();
      expect(await settled(lease)).toBe(true);
      body.end();
      expect(await second).toEqual({ done: true, value: undefined });
      expect(await reader.next()).toEqual({ done: true, value: undefined });
    }
  });

  it("is wanted when somebody reads, and when nobody will any more", async () => {
    const acts: ((body: BodyStream) => unknown)[] = [
      (body) =>
        body[Symbol.asyncIterator]()
          .next()
          .catch(() => {}),
      (body) => body[Symbol.asyncIterator]().return?.(),
      (body) => body.end(),
      (body) => body.fail(new Error("x")),
    ];
    for (const act of acts) {
      const body = new BodyStream();
      const wanted = body.whenWanted();
      expect(await settled(wanted)).toBe(false);
      act(body);
      expect(await settled(wanted)).toBe(true);
      expect(body.whenWanted()).toBeUndefined();
      body.end();
    }
  });

  it("drops what comes when the loop is left, and gives the view back", async () => {
    const body = new BodyStream();
    const lease = Promise.resolve().then(() => body.push(latin1("a")));
    for await (const _ of body) break;
    await lease;
    expect(body.push(latin1("b"))).toBeUndefined();
    body.end();
    expect(body.failed).toBe(false);
  });

  it("gives back what was offered and never taken, when it fails", async () => {
    const body = new BodyStream();
    const lease = body.push(latin1("a"));
    const error = new BodyAbortedError("gone");
    body.fail(error);
    await lease;
    await expect(all(body)).rejects.toBe(error);
    expect(body.failed).toBe(true);
    expect(body.push(latin1("b"))).toBeUndefined();
  });

  it("chunks() taken without a loop are copies, and hold nothing when it fails", async () => {
    for (const readFirst of [true, false]) {
      const body = new BodyStream();
      const reader = body.chunks();
      const first = readFirst ? reader.next() : undefined;
      const view = Buffer.from("a");
      const lease = body.push(view);
      const taken = (await (first ?? reader.next())).value as Uint8Array;
      expect(await settled(lease)).toBe(false);
      body.fail(new BodyAbortedError("The answer is complete"));
      expect(await settled(lease)).toBe(true);
      view.fill(0xdb);
      expect(fromLatin1(taken)).toBe("a");
      await expect(reader.next()).rejects.toMatchObject({ code: "ERR_TW_BODY_ABORTED" });
    }
  });

  it("chunks() in a loop are the driver's own, and held until the loop asks or is left", async () => {
    const body = new BodyStream();
    const view = latin1("a");
    const lease = body.push(view);
    for await (const chunk of body.chunks()) {
      expect(chunk).toBe(view);
      body.fail(new BodyAbortedError("The answer is complete"));
      expect(await settled(lease)).toBe(false);
      break;
    }
    expect(await settled(lease)).toBe(true);
  });

  it("does not give back what a reader still uses, when it fails", async () => {
    const body = new BodyStream();
    const reader = body[Symbol.asyncIterator]();
    const lease = body.push(latin1("a"));
    await reader.next();
    body.fail(new BodyAbortedError("gone"));
    expect(await settled(lease)).toBe(false);
    await expect(reader.next()).rejects.toMatchObject({ code: "ERR_TW_BODY_ABORTED" });
    await lease;
    await expect(reader.next()).rejects.toMatchObject({ code: "ERR_TW_BODY_ABORTED" });
  });

  it("rejects who waits when it fails, and ends who waits when it ends", async () => {
    const failing = new BodyStream();
    const waiting = all(failing);
    failing.fail(new BodyAbortedError("gone", new Error("why")));
    await expect(waiting).rejects.toMatchObject({ code: "ERR_TW_BODY_ABORTED", cause: { message: "why" } });
    const ending = new BodyStream();
    const none = all(ending);
    ending.end();
    expect(await none).toEqual([]);
  });

  it("ends once: what comes after the first end changes nothing", async () => {
    const body = new BodyStream();
    body.end();
    body.fail(new Error("late"));
    body.end();
    expect(await all(body)).toEqual([]);
  });

  it("has one reader, once, that waits once: another is ERR_TW_BODY_USED", async () => {
    const body = new BodyStream();
    expect(body.used).toBe(false);
    const reader = body[Symbol.asyncIterator]();
    expect(body.used).toBe(true);
    expect(() => body[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: "ERR_TW_BODY_USED" }));
    const first = reader.next();
    await expect(reader.next()).rejects.toMatchObject({ code: "ERR_TW_BODY_USED" });
    body.push(latin1("a"));
    expect(await first).toMatchObject({ done: false });
    await reader.return?.();
    await reader.return?.();
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    expect(() => body[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: "ERR_TW_BODY_USED" }));
  });
});
