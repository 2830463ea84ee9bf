/** What Node's network modules say of writing to who does not read any more; so do all transports. */
export function brokenPipe(): Error {
  return Object.assign(new Error("write EPIPE"), { code: "EPIPE", syscall: "write" });
}
