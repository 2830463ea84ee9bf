// What a descriptor may be used for. Node has no `fcntl(F_GETFL)`; Linux tells by a file.

import { fstatSync, readFileSync } from "node:fs";
import { checkInteger } from "@tw/util";

/** Which directions a descriptor has. */
export type PipeAccess = "read" | "write" | "both";

const ACCESS: readonly PipeAccess[] = ["read", "write", "both"];

/** O_ACCMODE */
const ACCESS_MODE = 3;

/**
 * What `fd` was opened for; "both" where there is no finding out.
 *
 * @throws TypeError for what cannot be waited on; SystemError `EBADF`
 */
export function pipeAccess(fd: number): PipeAccess {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1];
    return ACCESS[Number.parseInt(flags ?? "2", 8) & ACCESS_MODE] ?? "both";
  } catch {
    return "both";
  }
}

/** @throws TypeError when `fd` is none, or what it names is always ready; SystemError `EBADF` */
export function checkPipe(fd: number, access: PipeAccess): void {
  checkInteger("fd", fd);
  if (!ACCESS.includes(access))
    throw new TypeError(`access must be "read", "write" or "both", got ${access}`);
  const stat = fstatSync(fd);
  if (stat.isFile() || stat.isDirectory() || stat.isBlockDevice()) {
    throw new TypeError(`Descriptor ${fd} is a file, which never blocks: use node:fs`);
  }
}
