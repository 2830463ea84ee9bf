// A descriptor that is no socket, as the Node stream that fits it.

import { createReadStream, createWriteStream, fstatSync } from "node:fs";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { isatty, ReadStream, WriteStream } from "node:tty";
import type { IOLoop } from "@tw/ioloop";
import type { PipeAccess } from "../pipe-access.js";
import { NodeTransport } from "./transport.js";

/** Takes `fd` over. */
export function nodePipe(loop: IOLoop, fd: number, access: PipeAccess): NodeTransport {
  return new NodeTransport(loop, duplexOf(fd, access));
}

function duplexOf(fd: number, access: PipeAccess): Duplex {
  const readable = access !== "write";
  const writable = access !== "read";
  if (isatty(fd)) return readable ? new ReadStream(fd) : new WriteStream(fd);
  // libuv waits for pipes and sockets only; a device is read by threads.
  if (fstatSync(fd).isCharacterDevice()) return deviceDuplex(fd, readable, writable);
  const socket = new Socket({ fd, readable, writable, allowHalfOpen: true });
  socket.pause();
  return socket;
}

function deviceDuplex(fd: number, readable: boolean, writable: boolean): Duplex {
  const both = readable && writable;
  return Duplex.from({
    ...(readable && { readable: createReadStream("", { fd, autoClose: !both }) }),
    ...(writable && { writable: createWriteStream("", { fd, autoClose: true }) }),
  });
}
