// The standard descriptors of a child, and our ends of them.
//
// Native engine: real pipes, ours non-blocking on the poller. The child's ends are blocking in the child, as every
// program expects, and closed in our process once it has them: else its end would never be seen.
// Node engine: what node:child_process makes, which are pairs of sockets.

import type { ChildProcess, IOType } from "node:child_process";
import type { Duplex } from "node:stream";
import type { IOLoop, Poller } from "@tw/ioloop";
import { IOStream, PipeIOStream, type StreamOptions } from "@tw/iostream";
import { chooseEngine, nodeTransport, systemError } from "@tw/iostream/transports";
import type { Redirection } from "./subprocess-options.js";

/** Our end of a pipe, and what it is for us. */
interface Ours {
  readonly fd: number;
  readonly access: "read" | "write";
}

/** Both sides of descriptors 0 to 2. */
export class Stdio {
  /** What `spawn` is told. */
  readonly forChild: (IOType | number)[] = [];
  readonly #loop: IOLoop;
  readonly #poller: Poller | undefined;
  readonly #redirections: readonly Redirection[];
  readonly #ours: (Ours | undefined)[] = [];
  #theirs: number[] = [];

  /** @throws SystemError `EMFILE` where there are no descriptors left; nothing stays open then */
  constructor(loop: IOLoop, redirections: readonly Redirection[], engine: "native" | "node" | undefined) {
    this.#loop = loop;
    this.#redirections = redirections;
    const native = redirections.includes("stream") && chooseEngine(loop, engine) === "native";
    this.#poller = native ? loop.poller : undefined;
    try {
      for (const [at, redirection] of redirections.entries()) this.#add(at, redirection);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #add(at: number, redirection: Redirection): void {
    if (redirection !== "stream" || this.#poller === undefined) {
      this.forChild.push(redirection === "stream" ? "pipe" : redirection);
      return;
    }
    const made = this.#poller.pipe();
    if (typeof made === "number") throw systemError(this.#poller, made, "pipe");
    const [readEnd, writeEnd] = made;
    const [theirs, ours] = at === 0 ? [readEnd, writeEnd] : [writeEnd, readEnd];
    this.forChild.push(theirs);
    this.#theirs.push(theirs);
    this.#ours[at] = { fd: ours, access: at === 0 ? "write" : "read" };
  }

  /** The child has been started, or has not: its ends are its own from now on. */
  closeTheirs(): void {
    for (const fd of this.#theirs) this.#poller?.closeFd(fd);
    this.#theirs = [];
  }

  /** The stream on our end of one descriptor, which belongs to it then; `undefined` where none was asked for. */
  stream(at: number, child: ChildProcess, options: StreamOptions): IOStream | undefined {
    if (this.#redirections[at] !== "stream") return undefined;
    const withLoop = { ...options, loop: this.#loop };
    const ours = this.#ours[at];
    if (ours !== undefined) {
      this.#ours[at] = undefined;
      return new PipeIOStream(ours.fd, { ...withLoop, access: ours.access, engine: "native" });
    }
    // Out of descriptors Node makes nothing, not even the array, and says why in the next tick.
    const ends: (Duplex | null)[] | undefined = child.stdio as never;
    const end = ends?.[at];
    if (!end) throw Object.assign(new Error("There is no descriptor for a pipe"), { code: "EMFILE" });
    const stream = new IOStream(nodeTransport(this.#loop, end), withLoop);
    // Its other direction is of no use, and would keep the stream open at the program's end.
    if (at !== 0) stream.end();
    return stream;
  }

  /** Closes what has not become a stream. */
  close(): void {
    this.closeTheirs();
    for (const ours of this.#ours.splice(0)) if (ours !== undefined) this.#poller?.closeFd(ours.fd);
  }
}
