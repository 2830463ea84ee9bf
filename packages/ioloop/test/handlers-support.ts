// What the tests of handlers share: descriptors that are closed after each test, and turns of the real loop.

import { loadPoller, type Poller } from "@tw/poller";
import { afterEach } from "vitest";

export const poller = loadPoller() as Poller;

const open = new Set<number>();

afterEach(() => {
  for (const fd of open) poller.closeFd(fd);
  open.clear();
});

function keep(made: readonly [number, number] | number): readonly [number, number] {
  if (typeof made === "number") throw new Error(poller.errnoName(made));
  for (const fd of made) open.add(fd);
  return made;
}

export const pair = (): readonly [number, number] => keep(poller.socketpair());
export const pipe = (): readonly [reader: number, writer: number] => keep(poller.pipe());

/** Closes it after the test, if nobody did before. */
export function own(fd: number): number {
  open.add(fd);
  return fd;
}

export function close(fd: number): void {
  open.delete(fd);
  poller.closeFd(fd);
}

export const send = (fd: number, text: string): number => poller.writev(fd, [text], 0);

/** What could be read, at most `most` bytes of it; `""` at the end, `undefined` when there is nothing, or an error. */
export function receive(fd: number, most = 64): string | undefined {
  const bytes = new Uint8Array(most);
  const count = poller.read(fd, bytes, 0, most);
  return count < 0 ? undefined : Buffer.from(bytes.subarray(0, count)).toString("latin1");
}

/** Writes until the kernel takes no more; the number of bytes it took. */
export function fill(fd: number): number {
  const chunk = new Uint8Array(1 << 16);
  let total = 0;
  for (let taken = 1; taken > 0; total += Math.max(taken, 0)) taken = poller.writev(fd, [chunk], 0);
  return total;
}

/** A turn of Node's loop: the poller has looked once. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

/** A connected pair of TCP sockets. */
export async function tcpPair(): Promise<readonly [client: number, server: number]> {
  const listener = own(poller.socket(4));
  poller.bind(listener, "127.0.0.1", 0);
  poller.listen(listener, 1);
  const name = poller.getsockname(listener);
  if (typeof name === "number") throw new Error(poller.errnoName(name));
  const client = own(poller.socket(4));
  poller.connect(client, "127.0.0.1", name.port);
  for (;;) {
    const accepted = poller.accept(listener);
    if (typeof accepted !== "number") return [client, own(accepted.fd)];
    await turn();
  }
}
