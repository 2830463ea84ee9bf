import type { IOLoop } from "@tw/ioloop";
import type { VirtualHost } from "@tw/ioloop/testing";
import type { IOStream } from "@tw/iostream";
import { TCPClient, TCPServer } from "@tw/tcp";
import { fromUtf8 } from "@tw/util";
import type { SimulatedHost } from "../src/index.js";

/** A server that sends back what it gets, and the end after the end. */
export async function echoServer(loop: IOLoop, port: number, address = ""): Promise<TCPServer> {
  const server = new TCPServer(echo, { loop });
  await server.listen(port, address);
  return server;
}

async function echo(stream: IOStream): Promise<void> {
  try {
    for (;;) await stream.write(await stream.readBytes(4096, { partial: true }));
  } catch {
    await stream.close();
  }
}

export function connect(
  from: SimulatedHost,
  host: string,
  port: number,
  timeoutMs = 20_000,
): Promise<IOStream> {
  return new TCPClient({ loop: from.loop }).connect(host, port, { timeoutMs });
}

export async function ask(stream: IOStream, question: string): Promise<string> {
  stream.write(question).catch(() => undefined);
  return fromUtf8(await stream.readBytes(question.length));
}

/** What it ends in, and when. */
export async function outcome(clock: VirtualHost, promise: Promise<unknown>): Promise<[unknown, number]> {
  const result = await promise.then(
    () => "fine",
    (error: { code?: unknown; cause?: { code?: unknown } }) => error.cause?.code ?? error.code ?? error,
  );
  return [result, clock.now()];
}
