// Answers with heads that were sent before, which on the native engine leave from memory that all connections of a thread
// share: pipelined, of all kinds, on several connections at once, they are byte for byte what they are without it.
import type { IOStream } from "@tw/iostream";
import { type NativeEngine, nativeEngine } from "@tw/iostream/transports";
import { nativeAvailable } from "@tw/tooling-testing";
import { dice } from "@tw/tooling-testing/dice";
import { fromLatin1 } from "@tw/util";
import { describe, expect, it, vi } from "vitest";
import { KINDS, loop, memory, native, startServing } from "./answer-kinds.js";

const CONNECTIONS = 5;
const REQUESTS = 64;
const TRANSPORTS = [
  ["native", native],
  ["memory", memory],
] as const;
const SIZES = [1, 20, 127, 128, 129, 500, 5000];

/** Requests of one connection, the last of which closes it. */
function requests(who: number, roll: (below: number) => number): string[] {
  return Array.from({ length: REQUESTS }, (_, i) => {
    const plain = roll(5) > 0; // of one length, so that its head is known
    const size = plain ? 20 : (SIZES[roll(SIZES.length)] as number);
    const path = `/${plain ? 0 : roll(KINDS.length)}/${`${who}.${i}.`.repeat(size).slice(0, size)}`;
    const last = i === REQUESTS - 1 ? "Connection: close\r\n" : "";
    const old = !plain && last === "" && roll(4) === 0;
    const line = `${plain || roll(4) > 0 ? "GET" : "HEAD"} ${path} HTTP/1.${old ? 0 : 1}\r\n`;
    return `${line}Host: a\r\n${old ? "Connection: keep-alive\r\n" : last}\r\n`;
  });
}

/** What each of the connections is answered. */
async function transcripts(make: () => [IOStream, IOStream], seed: number): Promise<string[]> {
  const roll = dice(seed);
  const clients = Array.from({ length: CONNECTIONS }, () => startServing(make()));
  const answers = clients.map((client) => client.readUntilClose());
  const wires = clients.map((_, who) => requests(who, roll).join(""));
  for (let at = 0; wires.some((wire) => at < wire.length); ) {
    const size = 1 + roll(3000);
    for (const [who, client] of clients.entries()) client.send((wires[who] as string).slice(at, at + size));
    at += size;
    if (roll(3) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const bytes = await Promise.all(answers);
  return bytes.map((all) => fromLatin1(all).replace(/Date: [^\r]*\r\n/g, ""));
}

describe.skipIf(!nativeAvailable)("answers with known heads", () => {
  it.each([1, 2, 3, 4])("are the same from shared memory as without it, seed %i", async (seed) => {
    const writePage = vi.spyOn((nativeEngine(loop) as NativeEngine).poller, "writePage");
    const expected = await transcripts(memory, seed);
    expect(writePage).not.toHaveBeenCalled();
    const got = await transcripts(native, seed);
    expect(got.map((text) => text.split("\r\n"))).toEqual(expected.map((text) => text.split("\r\n")));
    expect(writePage.mock.calls.length).toBeGreaterThan(10);
    writePage.mockRestore();
    expect((nativeEngine(loop) as NativeEngine).poller.page.owner).toBe(undefined);
  });

  it("are whole when somebody has given the bytes of a head away", async () => {
    const [near, far] = native();
    const sendCopies = vi.spyOn(near, "sendCopies");
    const client = startServing([near, far]);
    const ask = async (): Promise<string> => {
      client.send("GET /0/whole HTTP/1.1\r\nHost: a\r\n\r\n");
      return fromLatin1(await client.readUntil("whole"));
    };
    const head = /^HTTP\/1.1 200 OK\r\n.*\r\n\r\nwhole$/s;
    while (sendCopies.mock.calls.length === 0) expect(await ask()).toMatch(head);
    const [bytes] = sendCopies.mock.calls[0] as [Uint8Array<ArrayBuffer>, string];
    structuredClone(bytes, { transfer: [bytes.buffer] });
    for (let i = 0; i < 3; i++) expect(await ask()).toMatch(head);
    await Promise.all([client.close(), near.whenClosed]);
  });

  it.each(TRANSPORTS)("come behind the 100 that goes in front of them: %s", async (_, make) => {
    const [near, far] = make();
    const client = startServing([near, far]);
    const ask = async (expect: string): Promise<string> => {
      client.send(`POST /4/early HTTP/1.1\r\nHost: a\r\n${expect}Content-Length: 1\r\n\r\n`);
      const answer = fromLatin1(await client.readUntil("\r\n0\r\n\r\n"));
      client.send("x");
      return answer.replace(/Date: [^\r]*\r\n/, "");
    };
    const whole = await ask("");
    expect(whole).toMatch(/^HTTP\/1.1 200 OK\r\n.*\r\n5\r\nearly\r\n0\r\n\r\n$/s);
    for (let i = 0; i < 4; i++) {
      expect(await ask("Expect: 100-continue\r\n")).toBe(`HTTP/1.1 100 Continue\r\n\r\n${whole}`);
      expect(await ask("")).toBe(whole);
    }
    await Promise.all([client.close(), near.whenClosed]);
  });

  it.each(TRANSPORTS)(
    "come in front of an upgrade, and of what the next owner sends: %s",
    async (_, make) => {
      const [near, far] = make();
      const client = startServing([near, far]);
      const get = "GET /0/abc HTTP/1.1\r\nHost: a\r\n\r\n";
      client.send(`${get.repeat(5)}GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`);
      const all = fromLatin1(await client.readUntilClose());
      expect(
        all.split("\r\n\r\n").map((part) => part.replace(/HTTP.*/s, (head) => head.slice(0, 12))),
      ).toEqual([
        "HTTP/1.1 200",
        ...Array(4).fill("abcHTTP/1.1 200"),
        "abcHTTP/1.1 101",
        "from the next owner",
      ]);
      near.abort();
    },
  );
});
