// Names the compiled file of this host. Plain JavaScript, because native/build.mjs needs it before anything is built.

import { closeSync, openSync, readSync } from "node:fs";

/**
 * `linux-x64`, `linux-x64-musl`, `darwin-arm64` … musl has a name of its own: a file that was built for the other libc
 * may load and then fail.
 */
export function target() {
  return `${process.platform}-${process.arch}${process.platform === "linux" && usesMusl() ? "-musl" : ""}`;
}

/** The interpreter that an ELF executable names stands in its first page. */
function usesMusl() {
  try {
    const file = openSync(process.execPath, "r");
    try {
      const page = Buffer.alloc(4096);
      return page.toString("latin1", 0, readSync(file, page, 0, page.length, 0)).includes("/ld-musl-");
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
