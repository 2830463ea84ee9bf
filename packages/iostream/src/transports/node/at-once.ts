// Writing to a socket as Node does it, without what Node does around it: an object for each write, and a stream's books,
// which cost a small answer a twentieth. Nearly every write is taken by the kernel at once, and Node does not look at the
// object of such a one, so that one serves them all. Node has no name for its class: it is that of the object which a
// socket hands to its handle, and is asked for with a handle of ours.
//
// Of a full kernel Node asks a second time before it waits, and somebody may have read in between: then all has gone, and
// yet Node has taken the object, and ends the process if it is given that one again. Only the object knows: it has an id.

import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { getSystemErrorName, types } from "node:util";
import { isPlainSocket } from "./duplex.js";

/** What a socket writes to. */
interface SocketHandle {
  writeLatin1String(request: WriteRequest, text: string): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  /** Bytes that the kernel has not taken; the handles of streams that are not libuv's have none. */
  readonly writeQueueSize: number;
}

/** One write, as Node knows it. */
interface WriteRequest {
  /** Less than 0 as long as Node has not taken it. */
  getAsyncId(): number;
  oncomplete(status: number): void;
  /** Keeps the bytes that the kernel has yet to read. */
  buffer: unknown;
}

/** What is read of a socket for each write. */
interface WritingSocket extends Pick<Socket, "connecting" | "timeout" | "writableLength" | "destroy"> {
  readonly _handle: SocketHandle | null;
}

/**
 * Writes to a socket for which {@link canWriteAtOnce}, where it is connected and has nothing to send. Returns whether the
 * kernel took all of it; what it did not take leaves later, before all that the socket is given from then on. A socket
 * that cannot be written to is destroyed with the error. Undefined, and nothing is done, where Node has to write: then, or
 * because the socket has a timeout, which each write puts off, or for what only looks like bytes (a Proxy of some), over
 * which a handle may end the process.
 */
export function writeAtOnce(socket: Socket, piece: Uint8Array | string): boolean | undefined {
  const { _handle: handle, connecting, timeout, writableLength } = socket as unknown as WritingSocket;
  if (handle === null || connecting || timeout || writableLength > 0) return undefined;
  const text = typeof piece === "string";
  if (!text && !types.isUint8Array(piece)) return undefined;
  spare ??= new (Request as RequestClass)();
  const request = spare;
  const failed = text ? handle.writeLatin1String(request, piece) : handle.writeBuffer(request, piece);
  if (failed === 0 && request.getAsyncId() < 0) return true;
  spare = undefined;
  if (failed !== 0) socket.destroy(writeError(failed));
  else {
    request.buffer = piece;
    request.oncomplete = (status) => {
      if (status < 0) socket.destroy(writeError(status));
    };
  }
  return false;
}

/**
 * Whether Node writes to this socket as {@link writeAtOnce} does. Not where somebody writes in his own way, who may count,
 * change or encrypt what goes: a class made of `Socket`, or Node itself for the standard streams of Windows.
 */
export function canWriteAtOnce(socket: Socket): boolean {
  const { _handle: handle } = socket as unknown as WritingSocket;
  return (
    Request !== undefined &&
    socket.write === Duplex.prototype.write &&
    socket._write === Socket.prototype._write &&
    socket._writev === Socket.prototype._writev &&
    typeof handle?.writeLatin1String === "function" &&
    typeof handle.writeBuffer === "function" &&
    typeof handle.writeQueueSize === "number"
  );
}

/** Whether the kernel has yet to take bytes that a stream was given, by its own methods or at once, and by whomever. */
export function isSending(duplex: Duplex): boolean {
  if (duplex.writableLength > 0) return true;
  return isPlainSocket(duplex) && ((duplex as unknown as WritingSocket)._handle?.writeQueueSize ?? 0) > 0;
}

type RequestClass = new () => WriteRequest;

const Request: RequestClass | undefined = findRequest();

/** Given to Node for each write that the kernel takes at once; with one that it does not, Node keeps it. */
let spare: WriteRequest | undefined;

/** The class of what a socket hands to its handle with a write. */
function findRequest(): RequestClass | undefined {
  let request: WriteRequest | undefined;
  const handle = {
    reading: true,
    writeLatin1String(given: WriteRequest): number {
      request = given;
      return 0;
    },
    close(closed: () => void): void {
      closed();
    },
  };
  try {
    const socket = new Socket({ handle, manualStart: true } as ConstructorParameters<typeof Socket>[0]);
    socket.write("-", "latin1");
    socket.destroy();
    return request !== undefined && request.getAsyncId() < 0
      ? (request.constructor as RequestClass)
      : undefined;
  } catch {
    return undefined;
  }
}

function writeError(errno: number): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`write ${code}`), { errno, code, syscall: "write" });
}
