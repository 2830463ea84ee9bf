// Who is refused, or answered before having sent everything, sees the answer all the same. Over real sockets, with
// clients that write everything before they read anything, however small their buffers are.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { TCPClient } from "@tw/tcp";
import { onEveryEngine } from "@tw/tooling-testing";
import { Authority } from "@tw/tooling-testing/certificates";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { HTTPServer, RequestCallback } from "../src/index.js";
import { answer, Bench, codes, RawClient } from "./harness.js";
import { delegate, inVirtualTime, type World } from "./world.js";

const run = promisify(execFile);
const MIB = 1024 * 1024;
const authority = new Authority("Tests");
const here = authority.issue("localhost", { names: ["localhost", "127.0.0.1"] });

/** Blocking, so that it cannot read while it writes. Prints what came, and what went wrong. */
const CLIENT = `
import socket, ssl, sys
port, length, buffer = map(int, sys.argv[1:4])
ca = sys.argv[5]
head = sys.argv[4].encode().decode("unicode_escape").encode("latin1")
s = socket.socket()
if buffer:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
s.connect(("127.0.0.1", port))
if ca:
    s = ssl.create_default_context(cafile=ca).wrap_socket(s, server_hostname="127.0.0.1")
s.settimeout(20)
s.sendall(head)
piece = b"x" * 65536
while length > 0:
    s.sendall(piece[:length])
    length -= len(piece)
answer = b""
while True:
    part = s.recv(65536)
    if not part:
        break
    answer += part
print(answer.decode("latin1"))
`;

async function blocking(
  server: HTTPServer,
  length: number,
  head: string,
  buffer = 0,
  ca = "",
): Promise<string> {
  const args = ["-c", CLIENT, String(server.port), String(length), String(buffer), head, ca];
  const { stdout } = await run("/usr/bin/python3", args);
  return stdout;
}

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tw-lingering-"));
  writeFileSync(join(folder, "big"), Buffer.alloc(50 * MIB, "x"));
  writeFileSync(join(folder, "ca.pem"), authority.cert);
});
afterAll(() => rmSync(folder, { recursive: true }));

onEveryEngine((engine) => {
  const bench = new Bench(engine);
  afterEach(() => bench.tearDown());

  const post = (length: number) => `POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: ${length}\\r\\n\\r\\n`;

  describe("a client that writes 50 MB before it reads sees", () => {
    for (const [buffer, length] of [
      [0, 50 * MIB],
      [4096, 4 * MIB],
    ] as const) {
      const how = buffer === 0 ? "" : ", 4 MB where its buffers are small";
      it(`413 to a length that is too large${how}`, async () => {
        const server = await bench.serve(() => expect.fail("called"));
        const text = await blocking(server, length, post(50 * MIB), buffer);
        expect(codes(text)).toEqual([413]);
        expect(text).toMatch(/\r\n\r\nContent Too Large\n/);
      });

      it(`413 to chunks that become too many${how}`, async () => {
        const server = await bench.serve(() => expect.fail("called"), { maxBodySize: MIB });
        const head = "POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n3000000\\r\\n";
        expect(codes(await blocking(server, length, head, buffer))).toEqual([413]);
      });

      it(`431 to a head without end${how}`, async () => {
        const server = await bench.serve(() => expect.fail("called"));
        const head = "GET / HTTP/1.1\\r\\nHost: a\\r\\nX: ";
        expect(codes(await blocking(server, length, head, buffer))).toEqual([431]);
      });

      it(`400 to garbage${how}`, async () => {
        const server = await bench.serve(() => expect.fail("called"));
        expect(codes(await blocking(server, length, "garbage\\r\\n\\r\\n", buffer))).toEqual([400]);
      });

      it(`an answer that was given when the head was in${how}`, async () => {
        const body = "y".repeat(300_000);
        const server = await bench.serve(
          delegate((connection) => ({ headersReceived: () => answer(connection, body) })),
          { maxBodySize: 100 * MIB },
        );
        const text = await blocking(server, length, post(50 * MIB), buffer);
        expect(codes(text)).toEqual([200]);
        expect(text).toContain("Connection: close\r\n");
        expect(text.trimEnd().endsWith(body)).toBe(true);
      });
    }
  });

  for (const secure of [false, true])
    it(`a client that writes 200 MB before it reads sees 413${secure ? " over TLS, too" : ""}`, async () => {
      const server = await bench.serve(() => expect.fail("called"), secure ? { tls: here } : {});
      const ca = secure ? join(folder, "ca.pem") : "";
      expect(codes(await blocking(server, 200 * MIB, post(200 * MIB), 0, ca))).toEqual([413]);
    });

  it("curl sees 413, with and without waiting for 100", async () => {
    const server = await bench.serve(() => expect.fail("called"));
    for (const expectation of ["Expect:", "Expect: 100-continue"]) {
      const { stdout } = await run("curl", [
        ...["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", expectation],
        ...["--data-binary", `@${join(folder, "big")}`, `http://127.0.0.1:${server.port}/`],
      ]);
      expect(stdout).toBe("413");
    }
  });

  it("an answer on its way is not taken back from a client that reads it late", async () => {
    const body = "y".repeat(200_000);
    const server = await bench.serve((request) => answer(request.connection, body));
    const client = await bench.connect(server);
    client.stream.pause();
    await client.send("GET / HTTP/1.0\r\n\r\n");
    // Longer than the server listens to a peer that is silent.
    await new Promise((resolve) => setTimeout(resolve, 4500));
    client.stream.resume();
    const text = await client.untilClosed();
    expect(text.endsWith(body)).toBe(true);
    expect(client.closeError).toBeUndefined();
  });
});

describe("lingering has an end", () => {
  const refused = (request: { connection: Parameters<typeof answer>[0] }) => answer(request.connection, "x");
  const TOO_LARGE = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n";

  /** Sends `bytes` every `everyMs` after a request that is refused; gives how long that went on. */
  async function flood({ client, host, pass }: World, bytes: number, everyMs: number): Promise<number> {
    await client.send(TOO_LARGE);
    const before = host.now();
    const chunk = new Uint8Array(bytes);
    while (!client.isClosed && host.now() - before < 120_000) {
      client.stream.send(chunk);
      await pass(everyMs);
    }
    expect(codes(client.text)).toEqual([413]);
    return host.now() - before;
  }

  /** Notes when the server's connection is gone. */
  function noting() {
    const noted = { closedAt: 0, now: () => 0 };
    const onClose = () => {
      noted.closedAt = noted.now();
    };
    return { noted, target: { ...delegate(() => ({})), onClose } };
  }

  it("5 s after a client that was refused in the middle has fallen silent", async () => {
    const { noted, target } = noting();
    await inVirtualTime(target, async ({ client, host, pass }) => {
      noted.now = () => host.now();
      client.isHalfOpen = true;
      await client.send(TOO_LARGE);
      await pass(20_000);
      expect(codes(client.text)).toEqual([413]);
      expect(noted.closedAt).toBeGreaterThanOrEqual(5000);
      expect(noted.closedAt).toBeLessThan(8000);
    });
  });

  it("30 s after the answer, however the client goes on sending", async () => {
    await inVirtualTime(refused, async (world) => {
      world.client.isHalfOpen = true;
      const lasted = await flood(world, 1000, 1000);
      expect(lasted).toBeGreaterThan(29_000);
      expect(lasted).toBeLessThan(34_000);
    });
  });

  it("as soon as the client ends, however much it has sent: all of it was taken when it came", async () => {
    const { noted, target } = noting();
    await inVirtualTime(target, async ({ client, host, pass }) => {
      noted.now = () => host.now();
      client.isHalfOpen = true;
      await client.send(TOO_LARGE);
      for (let i = 0; i < 200; i++) {
        await client.send(new Uint8Array(MIB));
        await pass(10);
      }
      const before = host.now();
      client.stream.end();
      while (noted.closedAt === 0) await pass(1);
      expect(noted.closedAt - before).toBeLessThan(100);
      expect(codes(client.text)).toEqual([413]);
      expect(client.closeError).toBeUndefined();
    });
  });

  it("30 s after the answer for as many as like: the server keeps nobody longer, and nothing of theirs", async () => {
    await inVirtualTime(refused, async (world) => {
      const { client, server } = world;
      const tcp = new TCPClient({ loop: server.loop });
      const more = Array.from({ length: 20 }, async () => new RawClient(await tcp.connect("x", 80)));
      const clients = [client, ...(await Promise.all(more))];
      const lasted = await Promise.all(
        clients.map((one) => {
          one.isHalfOpen = true;
          return flood({ ...world, client: one }, 4 * MIB, 1000);
        }),
      );
      expect(Math.max(...lasted)).toBeLessThan(34_000);
      expect(server.connectionCount).toBe(0);
    });
  });

  it("never before a slow client has the whole of its answer", async () => {
    const body = "y".repeat(MIB);
    await inVirtualTime(
      delegate((connection) => ({ headersReceived: () => answer(connection, body) })),
      async ({ client, host, pass }) => {
        client.isHalfOpen = true;
        await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
        while (!client.isClosed) {
          client.stream.pause();
          client.stream.send("z");
          await pass(5000);
          client.stream.resume();
          await pass(0);
        }
        expect(host.now()).toBeGreaterThan(60_000);
        expect(client.text.endsWith(body)).toBe(true);
      },
    );
  });

  it("is not stretched by requests that come behind a refusal: none of them is read", async () => {
    let called = 0;
    await inVirtualTime(
      () => void called++,
      async ({ client }) => {
        await client.send("GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
        await client.until((text) => text !== "");
        await client.send("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        expect(codes(await client.untilClosed())).toEqual([400]);
        expect(called).toBe(0);
      },
    );
  });

  const FIRST = '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n';
  const form = (length: number) =>
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=B\r\n" +
    `Content-Length: ${FIRST.length + length}\r\n\r\n${FIRST}`;
  const abandoning: [string, RequestCallback][] = [
    [
      "a piece of the body",
      async (request) => {
        await request.chunks().next();
        answer(request.connection, "early");
      },
    ],
    [
      "a part of a form",
      async (request) => {
        await request.multipart().next();
        answer(request.connection, "early");
      },
    ],
  ];
  for (const [what, callback] of abandoning)
    it(`as soon as the client ends, where a callback took ${what}, answered, and never came again`, async () => {
      const options = { streamRequestBody: true, maxBodySize: 64 * MIB };
      await inVirtualTime(
        callback,
        async ({ client, server, host, pass }) => {
          client.isHalfOpen = true;
          await client.send(form(20 * MIB));
          await client.until((text) => text.endsWith("early"));
          // What it still sends is taken.
          for (let i = 0; i < 20; i++) await client.send(new Uint8Array(MIB));
          const before = host.now();
          client.stream.end();
          await client.untilClosed();
          while (server.connectionCount > 0) await pass(1);
          expect(host.now() - before).toBeLessThan(100);
          expect(client.closeError).toBeUndefined();
        },
        options,
      );
    });
});
