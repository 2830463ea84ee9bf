// Names the prebuilt file of this host. musl has a name of its own: a file built for the other libc may load and then fail.
const { closeSync, openSync, readSync } = require("node:fs");

/** `linux-x64`, `linux-x64-musl`, `darwin-arm64` … */
exports.target = () =>
  `${process.platform}-${process.arch}${process.platform === "linux" && usesMusl() ? "-musl" : ""}`;

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
