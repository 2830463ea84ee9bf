import { execFileSync } from "node:child_process";
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EAGAIN, EBADF, native, pair, pipe, tcpPair } from "./helpers.js";

/** File systems that are memory, of which nothing can be put out: tmpfs, ramfs. */
const IN_MEMORY = [0x01021994, 0x858458f6];

const SIZE = 1024 * 1024;

native("files", (poller) => {
  let folder = "";
  let path = "";
  let file = -1;
  const room = new Uint8Array(SIZE);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tw-poller-"));
    path = join(folder, "file");
    writeFileSync(
      path,
      Buffer.alloc(SIZE).map((_, i) => i % 253),
    );
    file = openSync(path, "r+");
  });

  afterAll(() => {
    closeSync(file);
    rmSync(folder, { recursive: true });
  });

  const drain = (fd: number): Buffer => {
    const parts: Buffer[] = [];
    for (let n = poller.read(fd, room, 0, SIZE); n > 0; n = poller.read(fd, room, 0, SIZE))
      parts.push(Buffer.from(room.subarray(0, n)));
    return Buffer.concat(parts);
  };

  for (const [offset, length] of [
    [0, 1],
    [1, 1],
    [4095, 2],
    [4096, 4096],
    [SIZE - 1, 1],
    [SIZE - 10, 10],
  ] as const) {
    it(`sendfile() sends ${length} bytes from ${offset} on, and no others`, () => {
      const [a, b] = pair(poller);
      expect(poller.sendfile(a, file, offset, length)).toBe(length);
      expect([...drain(b)]).toEqual(Array.from({ length }, (_, i) => (offset + i) % 253));
      for (const fd of [a, b]) poller.closeFd(fd);
    });
  }

  it("sendfile() sends what there is of a range that reaches behind the end, and nothing of one that begins there", () => {
    const [a, b] = pair(poller);
    expect(poller.sendfile(a, file, SIZE - 3, 10)).toBe(3);
    expect(poller.sendfile(a, file, SIZE, 1)).toBe(0);
    expect(poller.sendfile(a, file, 2 ** 53 - 1, 1)).toBeLessThanOrEqual(0);
    expect(drain(b).length).toBe(3);
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("sendfile() stops at what the peer has room for, and then says EAGAIN", () => {
    const [a, b] = pair(poller);
    let sent = 0;
    let last = 0;
    for (let i = 0; i < 100; i++) {
      last = poller.sendfile(a, file, sent % SIZE, SIZE - (sent % SIZE));
      if (last < 0) break;
      expect(last).toBeLessThanOrEqual(256 * 1024);
      sent += last;
    }
    expect(last).toBe(-EAGAIN);
    expect(drain(b).length).toBe(sent);
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("sendfile() refuses what is no file", () => {
    const [a, b] = pair(poller);
    const [reader, writer] = pipe(poller);
    const directory = openSync(folder, "r");
    for (const bad of [reader, directory, b]) expect(poller.sendfile(a, bad, 0, 1)).toBeLessThan(0);
    expect(poller.sendfile(a, 19_990, 0, 1)).toBe(-EBADF);
    expect(drain(b).length).toBe(0);
    closeSync(directory);
    for (const fd of [a, b, reader, writer]) poller.closeFd(fd);
  });

  // What the kernel keeps in memory, and what it reads ahead, is its own business: a page that somebody is at work on stays.
  // So each of these is tried a few times, on a file that nobody else has.
  const tries = { retry: 10 };
  let files = 0;

  /** A file of `size` bytes that is on the disk. */
  function written(size: number): { readonly name: string; readonly fd: number } {
    const name = join(folder, `written-${++files}`);
    writeFileSync(name, Buffer.alloc(size, "text"));
    const fd = openSync(name, "r+");
    fsyncSync(fd);
    return { name, fd };
  }

  function putOutOfMemory(name: string): void {
    execFileSync("dd", [`if=${name}`, "iflag=nocache", "count=0"], { stdio: "ignore" });
  }

  it(
    "cached() tells a file that was just written from one that was put out of memory, and brings that back",
    tries,
    () => {
      const { name, fd } = written(SIZE);
      if (process.platform !== "linux") return expect(poller.cached(fd, 0, SIZE)).toBeLessThan(0);
      expect(poller.cached(fd, 0, SIZE)).toBe(1);
      putOutOfMemory(name);
      expect(poller.cached(fd, 0, SIZE)).toBe(IN_MEMORY.includes(statfsSync(folder).type) ? 1 : 0);
      execFileSync("cat", [name]);
      expect(poller.cached(fd, 0, SIZE)).toBe(1);
      expect(poller.cached(fd, 4095, 2)).toBe(1);
      expect(poller.cached(fd, SIZE - 1, 1)).toBe(1);
      closeSync(fd);
    },
  );

  it("cached() looks at the beginning of a range too", tries, () => {
    const { name, fd } = written(SIZE);
    if (process.platform !== "linux") return expect(poller.cached(fd, 0, SIZE)).toBeLessThan(0);
    putOutOfMemory(name);
    execFileSync("tail", ["-c", "4096", name]);
    expect(poller.cached(fd, SIZE - 4096, 4096)).toBe(1);
    expect(poller.cached(fd, 0, SIZE)).toBe(IN_MEMORY.includes(statfsSync(folder).type) ? 1 : 0);
    closeSync(fd);
  });

  it("cached() looks at the end of a range too", tries, () => {
    const { name, fd } = written(16 * SIZE);
    if (process.platform !== "linux") return expect(poller.cached(fd, 0, SIZE)).toBeLessThan(0);
    putOutOfMemory(name);
    execFileSync("head", ["-c", "1", name]); // and what is read ahead of that
    expect(poller.cached(fd, 0, 4096)).toBe(1);
    expect(poller.cached(fd, 0, 16 * SIZE)).toBe(IN_MEMORY.includes(statfsSync(folder).type) ? 1 : 0);
    closeSync(fd);
  });

  it("cached() does not wait for what is not there, answers for no descriptor and no file, and reads nothing away", () => {
    const [reader, writer] = pipe(poller);
    poller.writev(writer, ["x"], 0);
    expect(poller.cached(reader, 0, 1)).toBeLessThan(0);
    expect(poller.read(reader, room, 0, 1)).toBe(1);
    expect(poller.cached(19_990, 0, 1)).toBeLessThan(0);
    for (const fd of [reader, writer]) poller.closeFd(fd);
  });

  it("sendfile() of a file that was cut short sends what is left", () => {
    const [a, b] = pair(poller);
    const short = join(folder, "short");
    writeFileSync(short, "0123456789");
    const fd = openSync(short, "r");
    truncateSync(short, 4);
    expect([poller.sendfile(a, fd, 0, 10), poller.sendfile(a, fd, 4, 6)]).toEqual([4, 0]);
    expect(drain(b).toString()).toBe("0123");
    closeSync(fd);
    for (const each of [a, b]) poller.closeFd(each);
  });

  for (const [kind, head] of [
    ["a string", ["head +"]],
    ["a few chunks", ["head ", new Uint8Array([0x2b])]],
    ["many chunks", ["h", "e", "a", "d", " ", "+"]],
  ] as const)
    it(`writev() of ${kind} with more waits for what follows, and without does not`, async () => {
      const [client, server] = await tcpPair(poller);
      expect(poller.writev(server, head, 0)).toBe(6);
      expect(drain(client).toString()).toBe("head +");
      expect(poller.writev(server, head, 0, true)).toBe(6);
      if (process.platform === "linux") expect(drain(client).length).toBe(0);
      expect(poller.sendfile(server, file, 65, 2)).toBe(2);
      if (process.platform === "linux") expect(drain(client).toString()).toBe("head +AB");
      for (const each of [client, server]) poller.closeFd(each);
    });
});
