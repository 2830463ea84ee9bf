// A connection that a server has accepted keeps what came before its client was lost, as any other stream does.

import { IOLoop } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { nativeAvailable } from "@tw/tooling-testing";
import { Deferred } from "@tw/util";
import { describe, expect, it } from "vitest";
import { TCPClient, TCPServer, useNetwork } from "../src/index.js";
import { MemoryNetwork } from "../src/testing.js";

for (const carrier of ["native", "memory"] as const) {
  describe.skipIf(carrier === "native" && !nativeAvailable)(`an accepted stream, ${carrier}`, () => {
    it("gives what came before a reset to reads that begin behind it", async () => {
      const loop = new IOLoop({ logger: nullLogger });
      if (carrier === "memory") useNetwork(loop, new MemoryNetwork(loop));
      const engine = carrier === "native" ? { engine: carrier } : {};
      const accepted = new Deferred<IOStream>();
      const reset = new Deferred();
      const result = new Deferred<number>();
      const server = new TCPServer(
        async (stream) => {
          await stream.readUntil("\n");
          accepted.resolve(stream);
          await reset.promise;
          result.resolve((await stream.readBytes(50_001)).length);
        },
        { loop, ...engine },
      );
      await server.listen(0, "127.0.0.1");
      const client = await new TCPClient({ loop, ...engine }).connect("127.0.0.1", server.port);
      await client.write("a\nb");
      await accepted.promise;
      await client.write("c".repeat(50_000));
      client.abort();
      await (await accepted.promise).whenClosed;
      reset.resolve();
      expect(await result.promise).toBe(50_001);
      await server.stop();
    });
  });
}
