// A descriptor that is no socket, as the Node stream that fits it.

import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isatty, ReadStream, WriteStream } from "node:tty";
import type { IOLoop } from "@tw/ioloop";
import type { PipeAccess } from "../pipe-access.js";
import { DeviceStream } from "./device.js";
import { NodeTransport } from "./transport.js";

/** Takes `fd` over. */
export function nodePipe(loop: IOLoop, fd: number, access: PipeAccess): NodeTransport {
  return new NodeTransport(loop, duplexOf(fd, access));
}

function duplexOf(fd: number, access: PipeAccess): Duplex {
  const readable = access !== "write";
  const writable = access !== "read";
  if (isatty(fd)) return readable ? new ReadStream(fd) : new WriteStream(fd);
  if (fstatSync(fd).isCharacterDevice()) return new DeviceStream(fd, readable, writable);
  const socket = new Socket({ fd, readable, writable, allowHalfOpen: true });
  socket.pause();
  return socket;
}
