// The transport of a descriptor that is no socket, on either engine.

import { fstatSync } from "node:fs";
import type { IOLoop } from "@tw/ioloop";
import type { Transport } from "../transport.js";
import { chooseEngine } from "./choose-engine.js";
import {
  type DescriptorKind,
  type NativeEngine,
  NativeTransport,
  nativeEngine,
  systemError,
} from "./native/index.js";
import { nodePipe } from "./node/pipe.js";
import { checkPipe, type PipeAccess } from "./pipe-access.js";

const KINDS: Readonly<Record<PipeAccess, DescriptorKind>> = { read: "source", write: "sink", both: "pipe" };

/** Takes `fd` over. @throws TypeError for what is no pipe; SystemError; TwError `ERR_TW_NO_POLLER` */
export function pipeTransport(
  loop: IOLoop,
  fd: number,
  access: PipeAccess,
  engine: "native" | "node" | undefined,
): Transport {
  checkPipe(fd, access);
  const native = chooseEngine(loop, engine) === "native" ? nativeEngine(loop) : undefined;
  if (native === undefined || !isPollable(native, fd)) return nodePipe(loop, fd, access);
  const adopted = native.poller.adopt(fd);
  if (adopted < 0) throw systemError(native.poller, adopted, "fcntl");
  const kind = fstatSync(fd).isSocket() ? "unix" : KINDS[access];
  return new NativeTransport(native, fd, kind);
}

/** Some devices are always ready (`/dev/null`): the kernel refuses to wait for them. */
function isPollable({ poller }: NativeEngine, fd: number): boolean {
  const handle = poller.watch(fd, 0, { onEvents() {} });
  if (handle >= 0) poller.unwatch(handle);
  else if (poller.errnoName(handle) !== "EPERM") throw systemError(poller, handle, "watch");
  return handle >= 0;
}
