// One server and one client over memory in virtual time, for what takes long.

import type { HTTPMessageDelegate, HTTPServerConnectionDelegate } from "@tw/httputil";
import { type VirtualHost, virtualLoop } from "@tw/ioloop/testing";
import type { MemoryPairOptions } from "@tw/iostream/transports";
import { nullLogger } from "@tw/log";
import { TCPClient, useNetwork } from "@tw/tcp";
import { MemoryNetwork } from "@tw/tcp/testing";
import { HTTPServer, type HTTPServerOptions, type RequestCallback } from "../src/index.js";
import { RawClient } from "./harness.js";

export interface World {
  readonly client: RawClient;
  readonly host: VirtualHost;
  readonly server: HTTPServer;
  /** Resolves after so much virtual time. */
  pass(ms: number): Promise<void>;
}

/** Runs `test` with a server of `target` on port 80, and a client that is connected. */
export async function inVirtualTime(
  target: RequestCallback | HTTPServerConnectionDelegate,
  test: (world: World) => Promise<void>,
  options: HTTPServerOptions & { readonly pair?: MemoryPairOptions } = {},
): Promise<void> {
  const { loop, host } = virtualLoop();
  useNetwork(loop, new MemoryNetwork(loop, options.pair));
  await host.run(async () => {
    const server = new HTTPServer(target, { logger: nullLogger, ...options, loop });
    await server.listen(80);
    const client = new RawClient(await new TCPClient({ loop }).connect("x", 80));
    const pass = (ms: number) => new Promise<void>((resolve) => void loop.callLater(ms, resolve));
    await test({ client, host, server, pass });
    client.stream.abort();
    await server.close();
  });
}

/** A delegate of one message, made of the parts that matter. */
export function delegate(
  make: (
    connection: Parameters<HTTPServerConnectionDelegate["startRequest"]>[0],
  ) => Partial<HTTPMessageDelegate>,
): HTTPServerConnectionDelegate {
  return {
    startRequest: (connection) => ({
      headersReceived() {},
      dataReceived() {},
      finish() {},
      onConnectionClose() {},
      ...make(connection),
    }),
  };
}

/** Reads what is there every `everyMs`, as a peer on a thin line does. */
export async function readSlowly({ client, pass }: World, everyMs: number): Promise<void> {
  while (!client.isClosed) {
    client.stream.pause();
    await pass(everyMs);
    client.stream.resume();
    await pass(0);
  }
}
