import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { type PollHandle, READ, WRITE } from "../src/index.js";
import {
  EAGAIN,
  EBADF,
  EEXIST,
  EPERM,
  native,
  pair,
  pipe,
  quiet,
  Recorder,
  turns,
  until,
} from "./helpers.js";

native("registration", (poller) => {
  const bytes = new Uint8Array(16);

  it("a handle of a closed descriptor names nothing, whoever has its number now", async () => {
    const [a, b] = pair(poller);
    const old = poller.watch(b, READ, new Recorder());
    expect(poller.close(old)).toBe(0);
    const [c, d] = pair(poller);
    const heir = [c, d].includes(b) ? b : c;
    const sink = new Recorder();
    const fresh = poller.watch(heir, WRITE, sink);
    expect(fresh).not.toBe(old);
    expect(poller.close(old)).toBe(-EBADF);
    expect(poller.modify(old, READ)).toBe(-EBADF);
    poller.unwatch(old);
    poller.setRef(old, false);
    poller.wake(old);
    await turns();
    expect(poller.size).toBe(1);
    expect(sink.seen.every((events) => events === WRITE)).toBe(true);
    expect(sink.seen.length).toBeGreaterThan(0);
    poller.unwatch(fresh);
    for (const fd of [a, c, d]) poller.closeFd(fd);
  });

  it("handles stay distinct over many generations of a slot", () => {
    const [a, b] = pair(poller);
    const seen = new Set<PollHandle>();
    for (let i = 0; i < 5000; i++) {
      const handle = poller.watch(b, READ, new Recorder());
      expect(Number.isSafeInteger(handle)).toBe(true);
      seen.add(handle);
      poller.unwatch(handle);
    }
    expect(seen.size).toBe(5000);
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("close() twice closes once", () => {
    const [a, b] = pair(poller);
    const handle = poller.watch(b, READ, new Recorder());
    expect(poller.close(handle)).toBe(0);
    expect(poller.close(handle)).toBe(-EBADF);
    expect(poller.closeFd(b)).toBe(-EBADF);
    poller.closeFd(a);
  });

  it("unwatch() leaves the descriptor open", () => {
    const [a, b] = pair(poller);
    poller.unwatch(poller.watch(b, READ, new Recorder()));
    expect(poller.read(b, bytes, 0, 1)).toBe(-EAGAIN);
    for (const fd of [a, b]) expect(poller.closeFd(fd)).toBe(0);
  });

  it("watch() answers -errno for what the kernel does not poll, and keeps nothing", () => {
    const file = openSync(fileURLToPath(import.meta.url), "r");
    expect(poller.watch(file, READ, new Recorder())).toBe(-EPERM);
    expect(poller.watch(file, 0, new Recorder())).toBe(-EPERM);
    closeSync(file);
    expect(poller.watch(19_990, READ, new Recorder())).toBe(-EBADF);
    expect(poller.watch(19_990, 0, new Recorder())).toBe(-EBADF);
    const [a, b] = pair(poller);
    const handle = poller.watch(a, READ, new Recorder());
    expect(poller.watch(a, READ, new Recorder())).toBe(-EEXIST);
    expect(poller.size).toBe(1);
    expect(poller.modify(handle, WRITE)).toBe(0);
    poller.close(handle);
    poller.closeFd(b);
    expect(poller.size).toBe(0);
  });

  it("a descriptor closed behind our back and reused: the old handle does not touch the new one", async () => {
    const [a, b] = pair(poller);
    const old = poller.watch(b, READ, new Recorder());
    closeSync(b);
    const [c, d] = pair(poller);
    const heir = [c, d].includes(b) ? b : d;
    expect(heir).toBe(b);
    const sink = new Recorder();
    const fresh = poller.watch(heir, WRITE, sink, { edge: true });
    expect(poller.modify(old, READ)).toBe(-EBADF);
    expect(poller.close(old)).toBe(-EBADF);
    await turns();
    expect(sink.seen).toEqual([WRITE]);
    expect(poller.close(fresh)).toBe(0);
    expect(poller.size).toBe(0);
    for (const fd of [a, c, d]) poller.closeFd(fd);
  });

  it("the same, when the number comes back from elsewhere", async () => {
    const [reader, writer] = pipe(poller);
    const [a, b] = pair(poller);
    const old = poller.watch(b, READ, new Recorder());
    closeSync(b);
    const heir = openSync(`/proc/self/fd/${reader}`, "r");
    expect(heir).toBe(b);
    const sink = new Recorder();
    const fresh = poller.watch(heir, READ, sink, { edge: true });
    expect(poller.modify(old, WRITE)).toBe(-EBADF);
    expect(poller.close(old)).toBe(-EBADF);
    poller.writev(writer, ["x"], 0);
    await turns();
    expect(sink.seen).toEqual([READ]);
    expect(poller.close(fresh)).toBe(0);
    for (const fd of [a, reader, writer]) poller.closeFd(fd);
  });

  it("closeFd() of a watched descriptor makes its registration dead, not somebody else's", () => {
    const [a, b] = pair(poller);
    const handle = poller.watch(b, READ, new Recorder());
    expect(poller.closeFd(b)).toBe(0);
    expect(poller.modify(handle, WRITE)).toBe(-EBADF);
    expect(poller.close(handle)).toBe(-EBADF);
    expect(poller.size).toBe(0);
    poller.closeFd(a);
  });

  it("a descriptor closed while a duplicate of it lives stops firing, and its neighbours go on", async () => {
    const [reader, writer] = pipe(poller);
    const [a, b] = pair(poller);
    const [c, d] = pair(poller);
    const level = new Recorder(() => poller.read(b, bytes, 0, 16));
    const edge = new Recorder(() => poller.read(d, bytes, 0, 16));
    const handles = [poller.watch(b, READ, level), poller.watch(d, READ, edge, { edge: true })];
    // The child holds the duplicate.
    const child = spawn("sleep", ["10"], { stdio: ["ignore", "ignore", "ignore", reader] });
    await new Promise((resolve) => child.once("spawn", resolve));
    poller.writev(writer, ["unread"], 0);
    const stuck = new Recorder();
    const handle = poller.watch(reader, READ, stuck);
    await until(() => stuck.seen.length > 0);
    closeSync(reader);
    poller.unwatch(handle);
    await turns(10);
    await quiet();
    const before = [level.seen.length, edge.seen.length];
    for (const fd of [a, c]) poller.writev(fd, ["x"], 0);
    await until(
      () => level.seen.length === (before[0] as number) + 1 && edge.seen.length > (before[1] as number),
    );
    poller.wake(handles[0] as number);
    await until(() => level.seen.at(-1) === 0);
    for (const one of handles) poller.close(one);
    for (const fd of [a, c, writer]) poller.closeFd(fd);
    child.kill();
    expect(poller.size).toBe(0);
  });

  it("watching again what was closed under us while a duplicate lived replaces the old entry", async () => {
    const [a, b] = pair(poller);
    const child = spawn("sleep", ["10"], { stdio: ["ignore", "ignore", "ignore", b] });
    await new Promise((resolve) => child.once("spawn", resolve));
    poller.writev(a, ["x"], 0);
    const first = new Recorder();
    const handle = poller.watch(b, READ, first, { edge: true });
    closeSync(b);
    const [c, d] = pair(poller);
    expect([c, d]).toContain(b);
    const second = new Recorder((_, self) => poller.close(self.handle));
    second.handle = poller.watch(b, WRITE, second);
    await turns(10);
    expect(second.seen).toEqual([WRITE]);
    poller.unwatch(handle);
    child.kill();
    for (const fd of [a, c, d]) poller.closeFd(fd);
    expect(poller.size).toBe(0);
  });
});
