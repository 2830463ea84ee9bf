import { afterEach, expect, it } from "vitest";
import { ERROR, HANGUP, READ, WRITE } from "../src/index.js";
import { native, pair, pipe, Recorder, turns, until } from "./helpers.js";

native("events", (poller) => {
  const bytes = new Uint8Array(1024);
  const open = new Set<number>();
  afterEach(() => {
    for (const fd of open) poller.closeFd(fd);
    open.clear();
    expect(poller.size).toBe(0);
  });
  function track<T extends readonly number[]>(fds: T): T {
    for (const fd of fds) open.add(fd);
    return fds;
  }
  const done = (fd: number) => {
    open.delete(fd);
    poller.closeFd(fd);
  };

  it("level: reports again in every turn until everything is read", async () => {
    const [a, b] = track(pair(poller));
    const sink = new Recorder(() => poller.read(b, bytes, 0, 4));
    const handle = poller.watch(b, READ, sink);
    poller.writev(a, ["0123456789"], 0);
    await until(() => sink.seen.length === 3);
    await turns();
    expect(sink.seen).toEqual([READ, READ, READ]);
    poller.unwatch(handle);
  });

  it("edge: a partial read gets no further event, new bytes do", async () => {
    const [a, b] = track(pair(poller));
    const sink = new Recorder(() => poller.read(b, bytes, 0, 4));
    const handle = poller.watch(b, READ, sink, { edge: true });
    poller.writev(a, ["0123456789"], 0);
    await turns();
    expect(sink.seen).toEqual([READ]);
    poller.writev(a, ["x"], 0);
    await turns();
    expect(sink.seen).toEqual([READ, READ]);
    poller.unwatch(handle);
  });

  it("edge: a descriptor that was readable before it was watched is reported", async () => {
    const [a, b] = track(pair(poller));
    poller.writev(a, ["x"], 0);
    const sink = new Recorder();
    const handle = poller.watch(b, READ | WRITE, sink, { edge: true });
    await turns();
    expect(sink.seen).toEqual([READ | WRITE]);
    poller.unwatch(handle);
  });

  it("edge: modify() reports what is ready once more", async () => {
    const [a, b] = track(pair(poller));
    const sink = new Recorder();
    const handle = poller.watch(b, READ, sink, { edge: true });
    poller.writev(a, ["x"], 0);
    await turns();
    expect(poller.modify(handle, READ | WRITE)).toBe(0);
    await turns();
    expect(sink.seen).toEqual([READ, READ | WRITE]);
    poller.unwatch(handle);
  });

  it("reports only what is asked for", async () => {
    const [a, b] = track(pair(poller));
    const sink = new Recorder((_, self) => poller.modify(self.handle, 0));
    sink.handle = poller.watch(b, READ, sink);
    await turns();
    expect(sink.seen).toEqual([]);
    poller.modify(sink.handle, WRITE);
    poller.writev(a, ["x"], 0);
    await turns();
    expect(sink.seen).toEqual([WRITE]);
    poller.modify(sink.handle, READ | WRITE | ERROR);
    await turns();
    expect(sink.seen).toEqual([WRITE, READ | WRITE]);
    poller.unwatch(sink.handle);
  });

  it("a half-close is READ and HANGUP, without ERROR", async () => {
    const [a, b] = track(pair(poller));
    const sink = new Recorder((_, self) => poller.unwatch(self.handle));
    sink.handle = poller.watch(b, READ, sink, { edge: true });
    expect(poller.shutdown(a)).toBe(0);
    await until(() => sink.seen.length > 0);
    expect(sink.seen).toEqual([READ | HANGUP]);
    expect(poller.read(b, bytes, 0, 1)).toBe(0);
  });

  it("a closed peer is READ, HANGUP and ERROR, on a socket and on a pipe", async () => {
    for (const [near, far] of [pair(poller), pipe(poller)]) {
      track([near]);
      const sink = new Recorder((_, self) => poller.unwatch(self.handle));
      sink.handle = poller.watch(near, READ, sink);
      poller.closeFd(far);
      await until(() => sink.seen.length > 0);
      expect(sink.seen).toEqual([READ | HANGUP | ERROR]);
      expect(poller.read(near, bytes, 0, 1)).toBe(0);
    }
  });

  it("a full pipe whose reader went away is WRITE and ERROR", async () => {
    const [reader, writer] = track(pipe(poller));
    poller.writev(writer, [new Uint8Array(1 << 20)], 0);
    const sink = new Recorder((_, self) => poller.unwatch(self.handle));
    sink.handle = poller.watch(writer, WRITE, sink);
    await turns();
    expect(sink.seen).toEqual([]);
    done(reader);
    await until(() => sink.seen.length > 0);
    expect(sink.seen).toEqual([WRITE | ERROR]);
  });

  it("mask 0: a hang-up is not reported, and spins nothing, before it is asked for again", async () => {
    const [a, b] = track(pair(poller));
    const sink = new Recorder((_, self) => poller.modify(self.handle, 0));
    sink.handle = poller.watch(b, READ, sink);
    poller.modify(sink.handle, 0);
    done(a);
    await turns(20);
    expect(sink.seen).toEqual([]);
    expect(poller.modify(sink.handle, 0)).toBe(0);
    poller.modify(sink.handle, READ);
    await until(() => sink.seen.length > 0);
    await turns();
    expect(sink.seen).toEqual([READ | HANGUP | ERROR]);
    poller.unwatch(sink.handle);
  });

  it("mask 0 at first: watched, counted, silent", async () => {
    const [a, b] = track(pair(poller));
    const sink = new Recorder();
    const handle = poller.watch(b, 0, sink);
    expect(poller.size).toBe(1);
    poller.writev(a, ["x"], 0);
    await turns();
    expect(sink.seen).toEqual([]);
    poller.modify(handle, READ);
    await turns(1);
    expect(sink.seen[0]).toBe(READ);
    poller.unwatch(handle);
  });

  it("unwatch() and close() inside the sink's own callback end its events", async () => {
    for (const end of ["unwatch", "close"] as const) {
      const [a, b] = track(pair(poller));
      const sink = new Recorder((_, self) => {
        poller[end](self.handle);
      });
      sink.handle = poller.watch(b, READ, sink);
      poller.writev(a, ["x"], 0);
      await turns();
      expect(sink.seen).toEqual([READ]);
      if (end === "close") open.delete(b);
    }
  });

  it("a handler that closes a neighbour of the same batch prevents its event", async () => {
    const [a, b] = track(pair(poller));
    const [c, d] = track(pair(poller));
    const other = new Map<Recorder, Recorder>();
    const act = (_: number, self: Recorder) => {
      poller.close((other.get(self) as Recorder).handle);
      poller.unwatch(self.handle);
    };
    const [left, right] = [new Recorder(act), new Recorder(act)];
    other.set(left, right).set(right, left);
    left.handle = poller.watch(b, READ, left);
    right.handle = poller.watch(d, READ, right);
    for (const fd of [a, c]) poller.writev(fd, ["x"], 0);
    await turns();
    expect(left.seen.length + right.seen.length).toBe(1);
    open.delete(left.seen.length === 1 ? d : b);
  });

  it("a number that is closed and given out again within a batch does not receive its predecessor's event", async () => {
    const [a, b] = track(pair(poller));
    const [c, d] = track(pair(poller));
    const heir = new Recorder();
    let heirHandle = -1;
    const other = new Map<Recorder, { sink: Recorder; fd: number }>();
    const act = (_: number, self: Recorder) => {
      const { sink, fd } = other.get(self) as { sink: Recorder; fd: number };
      poller.close(sink.handle);
      open.delete(fd);
      const fresh = track(pair(poller));
      expect(fresh).toContain(fd);
      heirHandle = poller.watch(fd, READ, heir);
      poller.unwatch(self.handle);
    };
    const [left, right] = [new Recorder(act), new Recorder(act)];
    other.set(left, { sink: right, fd: d }).set(right, { sink: left, fd: b });
    left.handle = poller.watch(b, READ, left);
    right.handle = poller.watch(d, READ, right);
    for (const fd of [a, c]) poller.writev(fd, ["x"], 0);
    await turns();
    expect(left.seen.length + right.seen.length).toBe(1);
    expect(heir.seen).toEqual([]);
    poller.unwatch(heirHandle);
  });

  it("at most 64 events enter JavaScript in one turn, and none is lost", async () => {
    const fds = Array.from({ length: 200 }, () => track(pair(poller)));
    let inTurn = 0;
    const perTurn: number[] = [];
    const sinks = fds.map(([, b]) => {
      const sink = new Recorder((_, self) => {
        inTurn++;
        poller.unwatch(self.handle);
      });
      sink.handle = poller.watch(b, READ, sink);
      return sink;
    });
    for (const [a] of fds) poller.writev(a, ["x"], 0);
    while (sinks.some((sink) => sink.seen.length === 0)) {
      await turns(1);
      perTurn.push(inTurn);
      inTurn = 0;
    }
    expect(Math.max(...perTurn)).toBe(64);
    expect(sinks.every((sink) => sink.seen.length === 1)).toBe(true);
  });

  it("ticks and microtasks of one handler run before the next handler of the batch", async () => {
    const log: string[] = [];
    const fds = [track(pair(poller)), track(pair(poller)), track(pair(poller))];
    for (const [i, [a, b]] of fds.entries()) {
      const sink = new Recorder((_, self) => {
        log.push(`handler ${i}`);
        process.nextTick(() => log.push(`tick ${i}`));
        void Promise.resolve().then(() => log.push(`microtask ${i}`));
        poller.unwatch(self.handle);
      });
      sink.handle = poller.watch(b, READ, sink);
      poller.writev(a, ["x"], 0);
    }
    await until(() => log.length === 9);
    for (let i = 0; i < 9; i += 3) {
      const one = (log[i] as string).slice(-1);
      expect(log.slice(i, i + 3)).toEqual([`handler ${one}`, `tick ${one}`, `microtask ${one}`]);
    }
  });
});
