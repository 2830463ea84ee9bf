// Contract 6, of files, for transports that have `sendFile`: what the kernel sends of a file by itself.

import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { READ_FILE } from "../transport.js";
import { check, type Examiner, same } from "./examiner.js";
import type { Side } from "./side.js";
import type { Define } from "./suite.js";

const MIB = 1024 * 1024;

export const files: Define = (test) => {
  /** Runs `examine` with an open file of `size` bytes. */
  const fileTest = (
    name: string,
    size: number,
    examine: (x: Examiner, file: SentFile) => Promise<void>,
  ): void =>
    test(`6: sendFile() ${name}`, async (x) => {
      const file = new SentFile(size);
      try {
        await examine(x, file);
      } finally {
        file.close();
      }
    });

  fileTest("takes the bytes of the range, in order with what is written around it", 1000, async (x, file) => {
    x.startBoth();
    same(x.a.transport.write(["head "], true), 5, "the head is taken");
    file.pump(x.a, 10, 20);
    await x.until("the head and the range", () => x.b.receivedBytes === 25);
    x.a.say(" tail");
    await x.until("all bytes", () => x.b.receivedBytes === 30);
    same(x.b.text, `head ${file.text(10, 20)} tail`, "bytes received");
  });

  fileTest(
    "takes what there is room for, then 0, and onDrain tells when to go on",
    24 * MIB,
    async (x, file) => {
      x.b.pause();
      x.startBoth();
      let sent = 0;
      const pump = (): void => {
        sent += file.pump(x.a, sent, file.size - sent);
      };
      x.a.script.onDrain = pump;
      pump();
      for (let before = -1; before !== sent; await x.quiet()) before = sent;
      check(sent < file.size, "a peer that does not read stops the sender");
      same(x.a.sendFile(file.fd, sent, 1), 0, "taken while it is stopped");
      same(x.a.write("x"), 0, "written while it is stopped");
      const { drains } = x.a;
      x.b.resume();
      await x.until("all bytes", () => x.b.receivedBytes === file.size);
      check(x.a.drains > drains, "onDrain came");
      same([sent, x.b.hash()], [file.size, file.hash()], "integrity");
    },
  );

  fileTest("leaves to be read what cannot be sent so, and sends nothing of it", 10, async (x, file) => {
    x.startBoth();
    for (const [what, fd, offset] of [
      ["a descriptor that is none", 2 ** 31 - 1, 0],
      ["a folder", file.folderFd, 0],
      ["the end of the file", file.fd, 10],
      ["what is behind the end", file.fd, 2 ** 40],
    ] as const)
      same(x.a.sendFile(fd, offset, 1), READ_FILE, what);
    same(x.a.sendFile(file.fd, 8, 10), 2, "what there is of a range that reaches behind the end");
    x.a.say("alive");
    await x.until("what could be sent", () => x.b.receivedBytes === 7);
    same(x.b.text, `${file.text(8, 2)}alive`, "bytes received");
  });

  fileTest("takes nothing after end() and after abort()", 10, async (x, file) => {
    x.startBoth();
    x.a.end();
    same(x.a.sendFile(file.fd, 0, 10), 0, "taken after end");
    x.b.abort();
    same(x.b.sendFile(file.fd, 0, 10), 0, "taken after abort");
    await x.until("the close", () => x.b.closed);
    same(x.b.sendFile(file.fd, 0, 10), 0, "taken after close");
  });

  fileTest("to a peer that is gone ends in onClose(error) with a code", 24 * MIB, async (x, file) => {
    x.startBoth();
    x.a.abort();
    await x.until("the close of a", () => x.a.closed);
    for (let i = 0; i < 100 && !x.b.closed; i++) {
      x.b.sendFile(file.fd, 0, file.size);
      await x.quiet();
    }
    check(["ECONNRESET", "EPIPE"].includes((x.b.error as { code: string }).code), "ECONNRESET or EPIPE");
  });
};

/** A file that was deleted when it was opened. */
class SentFile {
  readonly fd: number;
  readonly folderFd: number;
  readonly #bytes: Buffer;

  constructor(size: number) {
    this.#bytes = Buffer.alloc(size).map((_, i) => (i * 31 + (i >> 9)) & 0xff) as Buffer;
    const folder = mkdtempSync(join(tmpdir(), "tw-conformance-"));
    const path = join(folder, "file");
    writeFileSync(path, this.#bytes);
    this.fd = openSync(path, "r");
    this.folderFd = openSync(folder, "r");
    rmSync(folder, { recursive: true });
  }

  get size(): number {
    return this.#bytes.length;
  }

  text(offset: number, length: number): string {
    return this.#bytes.toString("latin1", offset, offset + length);
  }

  hash(): string {
    return createHash("sha256").update(this.#bytes).digest("hex");
  }

  /** Sends until nothing more is taken; returns how much was. What is not in memory is read here, as a stream would. */
  pump(side: Side, offset: number, length: number): number {
    let sent = 0;
    while (sent < length) {
      let taken = side.sendFile(this.fd, offset + sent, length - sent);
      if (taken === READ_FILE) {
        const from = offset + sent;
        taken = side.write(this.#bytes.subarray(from, Math.min(from + 65_536, offset + length)));
      }
      if (taken === 0) break;
      sent += taken;
    }
    return sent;
  }

  close(): void {
    closeSync(this.fd);
    closeSync(this.folderFd);
  }
}
