// Files to send, in a folder of their own that goes away with the tests.
import { spawnSync } from "node:child_process";
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Bytes that tell where they are from: no period of a power of two. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = i % 251;
  return bytes;
}

export interface TemporaryFile {
  readonly fd: number;
  readonly path: string;
}

/** Makes files while a suite runs. */
export class TemporaryFiles {
  readonly folder: string = mkdtempSync(join(tmpdir(), "tw-iostream-"));
  readonly #fds = new Set<number>();
  #count = 0;

  constructor() {
    afterAll(() => {
      for (const fd of this.#fds) closeSync(fd);
      rmSync(this.folder, { recursive: true });
    });
  }

  /** An open file of these bytes. */
  make(bytes: Uint8Array): TemporaryFile {
    const path = join(this.folder, `file-${this.#count++}`);
    writeFileSync(path, bytes);
    return this.open(path);
  }

  /** One of zeros, which takes no room on the disk. */
  sparse(length: number): TemporaryFile {
    const file = this.make(new Uint8Array(0));
    truncateSync(file.path, length);
    return file;
  }

  open(path: string): TemporaryFile {
    const fd = openSync(path, "r");
    this.#fds.add(fd);
    return { fd, path };
  }

  /** The next to read it has to wait for the disk, where there is one, and a `dd` that can. */
  putOutOfMemory({ path }: TemporaryFile): void {
    const fd = openSync(path, "r+");
    fsyncSync(fd);
    closeSync(fd);
    spawnSync("dd", [`if=${path}`, "iflag=nocache", "count=0"], { stdio: "ignore" });
  }

  close(fd: number): void {
    if (this.#fds.delete(fd)) closeSync(fd);
  }
}
