import { onEveryEngine } from "@tw/tooling-testing";
import { afterEach, expect, it } from "vitest";
import { answer, Bench, codes } from "./harness.js";

onEveryEngine((engine) => {
  const bench = new Bench(engine);
  afterEach(() => bench.tearDown());

  it("a peer whose bytes had arrived is not punished for a loop that was blocked past its deadline", async () => {
    const server = await bench.serve((request) => answer(request.connection, "in time"), {
      headTimeoutMs: 1000,
    });
    const client = await bench.connect(server);
    await client.send("GET / HTTP/1.1\r\n");
    await new Promise((resolve) => server.loop.callLater(30, () => resolve(undefined)));
    await client.send("Host: a\r\n\r\n");
    // The rest of the head is in the kernel now; timers run before the next poll, and the deadline is long over.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
    const text = await client.until((text) => text.endsWith("in time"));
    expect(codes(text)).toEqual([200]);
  });
});
