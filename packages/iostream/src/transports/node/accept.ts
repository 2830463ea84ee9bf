// Accepted sockets that read into memory of ours. Node offers that (`onread`) for sockets that connect, and has no name for
// it elsewhere: what it does for those is done here for others. Otherwise Node allocates 64 KiB for each read, however
// short, which costs a small request a tenth.

import { Socket } from "node:net";
import type { IOLoop } from "@tw/ioloop";
import { SocketReads } from "./onread.js";
import { NodeTransport } from "./transport.js";

/** Makes a transport of a socket that was accepted, and paused since (`pauseOnConnect`). */
export function acceptNodeSocket(loop: IOLoop, socket: Socket): NodeTransport {
  const transport = new NodeTransport(loop, socket);
  const reads = new SocketReads(loop);
  if (readInto(socket, reads)) reads.transport = transport;
  return transport;
}

/** What a socket has that was made with `onread`. */
type ReadingSocket = Record<symbol, unknown> & {
  readonly _handle?: { useUserBuffer?(buffer: Uint8Array): void; readonly reading?: boolean } | null;
};

/** Has it read as one with that `onread` does. False, and nothing is changed, where Node does so in another way. */
function readInto(socket: Socket, onread: Pick<SocketReads, "buffer" | "callback">): boolean {
  const reading = socket as unknown as ReadingSocket;
  const handle = reading._handle;
  if (FIELDS === undefined || typeof handle?.useUserBuffer !== "function" || handle.reading === true)
    return false;
  const first = onread.buffer();
  const [buffer, next, callback] = FIELDS;
  reading[buffer] = first;
  reading[next] = onread.buffer;
  reading[callback] = onread.callback;
  handle.useUserBuffer(first);
  return true;
}

/** The fields in which a socket keeps its `onread`: the buffer, what gives the next one, and who is called. */
const FIELDS: readonly [symbol, symbol, symbol] | undefined = findFields();

function findFields(): readonly [symbol, symbol, symbol] | undefined {
  const buffer = new Uint8Array(1);
  const onread = { buffer: () => buffer, callback: () => true };
  // Told by what stands in them, and not by their names alone.
  const made = new Socket({ onread } as ConstructorParameters<typeof Socket>[0]) as unknown as ReadingSocket;
  const field = (name: string, value: unknown): symbol | undefined =>
    Object.getOwnPropertySymbols(made).find((key) => key.description === name && made[key] === value);
  const fields = [
    field("kBuffer", true),
    field("kBufferGen", onread.buffer),
    field("kBufferCb", onread.callback),
  ];
  return fields.includes(undefined) ? undefined : (fields as unknown as readonly [symbol, symbol, symbol]);
}
