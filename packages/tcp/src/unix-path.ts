// The file of a Unix socket. A server that died leaves it behind, and binding fails with EADDRINUSE ever after; so a
// dead one is replaced. Dead means: it is a socket, nobody answers, and it is still the same file when it is removed.
// What is no socket is never touched, nor what somebody listens on.

import { lstatSync, type Stats, unlinkSync } from "node:fs";
import { lstat, unlink } from "node:fs/promises";
import { createConnection } from "node:net";
import { addressInUse, codeOf, ListenError } from "./errors.js";

/**
 * Removes the socket that a dead server left at `path`, if there is one.
 *
 * @throws ListenError `ERR_TW_NOT_A_SOCKET` when something else is there
 * @throws SystemError `EADDRINUSE` when somebody listens, or may (permission to ask was denied)
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(absent);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new ListenError("ERR_TW_NOT_A_SOCKET", `Cannot listen on ${path}: it exists and is not a socket`);
  }
  if (await isAnswering(path)) throw addressInUse(path);
  const now = await lstat(path).catch(absent);
  if (now !== undefined && isSame(found, now)) await unlink(path).catch(absent);
}

/** Which file is at `path` now: what {@link removeOwnSocket} is to remove later. `undefined` when somebody was quicker. */
export function fileAt(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Removes the file at `path` if it is still `own`: somebody else's socket may have taken its place. */
export function removeOwnSocket(path: string, own: Stats | undefined): void {
  if (own === undefined) return;
  try {
    if (isSame(lstatSync(path), own)) unlinkSync(path);
  } catch {
    // It is gone already, or its folder is not ours any more: nothing is lost by leaving a dead socket there.
  }
}

/** A socket that is bound and not listening refuses, like a dead one; no system call tells the two apart. */
function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", (error) => {
      const code = codeOf(error);
      resolve(code !== "ECONNREFUSED" && code !== "ENOENT");
    });
  });
}

function isSame(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.birthtimeMs === b.birthtimeMs;
}

function absent(error: unknown): undefined {
  if (codeOf(error) === "ENOENT") return undefined;
  throw error;
}
