// Hundreds of connections with random faults in one process; tooling/bench/src/soak/faults.mjs has thousands in two.
// Invariants: what is answered is right, and nothing is left: no descriptor, no handler, no timer, no connection.
import { IOLoop } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { onEveryEngine } from "@tw/tooling-testing";
import { dice } from "@tw/tooling-testing/dice";
import type { Logger } from "@tw/util";
import { expect, it } from "vitest";
import { TCPClient, TCPServer } from "../src/index.js";
import { descriptorsBackTo, openDescriptors, settle, until } from "./helpers.js";

const CONNECTIONS = 400;
const SEED = Number(process.env.SOAK_SEED ?? 4711);
const BLOB = new Uint8Array(1 << 20);

async function pause(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await settle();
}

/** Does what the first byte says. */
async function serve(stream: IOStream): Promise<void> {
  const [act] = await stream.readBytes(1);
  if (act === 0x65) for (;;) await stream.write(await stream.readUntil("\n", { maxBytes: 4096 }));
  if (act === 0x74) throw new Error("provoked");
  if (act === 0x72) stream.abort();
  else {
    stream.write(BLOB).catch(() => {});
    await stream.close({ graceMs: 1000 });
  }
}

onEveryEngine((engine) => {
  it(`random faults on ${CONNECTIONS} connections leave nothing behind (seed ${SEED})`, {
    timeout: 60_000,
  }, async () => {
    const errors: string[] = [];
    const ignore = () => {};
    const error: Logger["error"] = (first: unknown, message = "") => {
      errors.push(`${message}: ${(first as { err?: Error }).err?.message}`);
    };
    const loop = new IOLoop({ logger: { debug: ignore, info: ignore, warn: ignore, error } });
    const server = new TCPServer(serve, { engine, loop });
    const client = new TCPClient({ engine, loop });
    const below = dice(SEED);
    const handlers = () => loop.poller?.size ?? 0;
    const baseline = { descriptors: openDescriptors(), handlers: handlers() };
    const outcomes = new Map<string, number>();

    const acts: Record<string, (stream: IOStream) => Promise<unknown>> = {
      async echo(stream) {
        stream.write("e").catch(ignore);
        const line = `${"x".repeat(below(2000))}\n`;
        await stream.write(line);
        expect(Buffer.from(await stream.readUntil("\n", { maxBytes: 4096 })).toString()).toBe(line);
        await stream.close();
      },
      async reset(stream) {
        stream.write(`e${"x".repeat(below(100_000))}`).catch(ignore);
        await pause(below(5));
        stream.abort();
      },
      async halfClose(stream) {
        stream.write("e").catch(ignore);
        stream.end();
        await stream.readBytes(1);
      },
      async slow(stream) {
        await stream.write("b");
        await stream.readBytes(1 + below(10_000), { partial: true });
        await pause(below(10));
        for (;;) await stream.readBytes(65_536, { partial: true });
      },
      async deaf(stream) {
        await stream.write("b");
        await pause(below(20));
        stream.abort();
      },
      async silent(stream) {
        await pause(below(20));
        await stream.close();
      },
      async beReset(stream) {
        await stream.write("r");
        await stream.readBytes(1);
      },
      async throwing(stream) {
        await stream.write("t");
        await stream.readBytes(1);
      },
    };
    const names = Object.keys(acts);

    async function connection(i: number): Promise<void> {
      const abort = new AbortController();
      const connecting = client.connect("127.0.0.1", server.port, { signal: abort.signal });
      if (below(8) === 0) pause(below(2)).then(() => abort.abort(new Error("gave up")));
      const name = names[i % names.length] as string;
      let outcome = `${name} done`;
      let stream: IOStream | undefined;
      try {
        stream = await connecting;
        await acts[name]?.(stream);
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        outcome = stream === undefined ? message : `${name} ${code ?? message}`;
        stream?.abort();
      }
      await stream?.whenClosed;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }

    await server.listen(0, "127.0.0.1");
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => connection(i)));
    await until(() => server.connectionCount === 0);
    await server.stop();
    await descriptorsBackTo(baseline.descriptors);
    expect(handlers()).toBe(baseline.handlers);
    await until(() => !process.getActiveResourcesInfo().some((name) => name.startsWith("TCP")));
    expect([...new Set(errors)]).toEqual(["Exception in handleStream: provoked"]);
    expect(outcomes.get("echo done")).toBeGreaterThan(CONNECTIONS / names.length / 2);
    const unexpected = [...outcomes.keys()].filter(
      (outcome) => !/ done$|ERR_TW_STREAM_CLOSED$|^gave up$|ECONNRESET/.test(outcome),
    );
    expect(unexpected).toEqual([]);
  });
});
