// Compressed request bodies: handlers never notice, and a peer gains nothing by them.
import { AsyncLocalStorage } from "node:async_hooks";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { contentCodings } from "@tw/http1connection";
import type { HTTPConnection, HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest } from "@tw/httputil";
import { onEveryEngine } from "@tw/tooling-testing";
import { concatBytes, Deferred, fromLatin1, type Logger, latin1 } from "@tw/util";
import { afterEach, describe, expect, it } from "vitest";
import { HTTPServer, type HTTPServerOptions } from "../src/index.js";
import { answer, Bench, codes, onEveryCarrier, withoutDates } from "./harness.js";

const run = promisify(execFile);
const ON = { decompressRequest: true } as const;
const text = "Twenty tornadoes turned towards Tulsa. ".repeat(50);

/** A request with a body in some coding. */
function post(body: Uint8Array, encoding: string | undefined, path = "/", more = ""): Uint8Array {
  const coding = encoding === undefined ? "" : `Content-Encoding: ${encoding}\r\n`;
  const head = `POST ${path} HTTP/1.1\r\nHost: a\r\n${coding}${more}Content-Length: ${body.length}\r\n\r\n`;
  return concatBytes([latin1(head), body]);
}

/** The same, in chunks of `size`. */
function chunked(body: Uint8Array, encoding: string, size: number, trailer = ""): Uint8Array {
  const parts = [
    latin1(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: ${encoding}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    ),
  ];
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size);
    parts.push(latin1(`${piece.length.toString(16)}\r\n`), piece, latin1("\r\n"));
  }
  parts.push(latin1(`0\r\n${trailer}\r\n`));
  return concatBytes(parts);
}

/** Says what a handler sees. */
function tell(request: HTTPServerRequest): void {
  const { headers } = request;
  const of = (name: string) => headers.get(name) ?? "-";
  const facts = ["Content-Encoding", "X-Consumed-Content-Encoding", "Content-Length"].map(of).join(" ");
  answer(request.connection, `${facts} ${fromLatin1(request.body)}`);
}

/** Keeps what is logged. */
class Log implements Logger {
  readonly lines: string[] = [];
  readonly debug: Logger["debug"] = this.#keep("debug");
  readonly info: Logger["info"] = this.#keep("info");
  readonly warn: Logger["warn"] = this.#keep("warn");
  readonly error: Logger["error"] = this.#keep("error");

  #keep(level: string): (first: unknown, message?: string) => void {
    return (first, message) => void this.lines.push(`${level} ${message ?? String(first)}`);
  }
}

/** A delegate that notes its calls. */
class Notes implements HTTPMessageDelegate {
  readonly calls: string[] = [];
  connection: HTTPConnection | undefined;
  readonly onData: ((chunk: Uint8Array) => void | Promise<void>) | undefined;

  constructor(onData?: (chunk: Uint8Array) => void | Promise<void>) {
    this.onData = onData;
  }

  startRequest(connection: HTTPConnection): HTTPMessageDelegate {
    this.calls.push("start");
    this.connection = connection;
    return this;
  }

  headersReceived(): void {
    this.calls.push("headers");
  }

  dataReceived(chunk: Uint8Array): void | Promise<void> {
    this.calls.push("data");
    return this.onData?.(chunk);
  }

  trailersReceived(trailers: HTTPHeaders): void {
    this.calls.push(`trailers ${trailers.get("T")}`);
  }

  finish(): void {
    this.calls.push("finish");
    if (this.connection !== undefined) answer(this.connection, "done");
  }

  onAnswerEnd(): void {
    this.calls.push("answer end");
  }

  onConnectionClose(error?: unknown): void {
    this.calls.push(`close ${(error as { code?: string } | undefined)?.code ?? ""}`.trim());
  }
}

describe("new HTTPServer() with decompressRequest", () => {
  it.each([
    [1, TypeError],
    [null, TypeError],
    [{ encodings: "gzip" }, TypeError],
    [{ encodings: ["gzip", "compress"] }, RangeError],
    [{ maxSize: "1" }, TypeError],
    [{ maxSize: -1 }, RangeError],
    [{ maxSize: 0.5 }, RangeError],
  ])("refuses %j", (decompressRequest, error) => {
    expect(() => new HTTPServer(() => {}, { decompressRequest } as HTTPServerOptions)).toThrow(error);
  });
});

onEveryCarrier((bench) => {
  /** Sends the pieces and gives the body of the one answer. */
  async function ask(options: HTTPServerOptions, ...pieces: Uint8Array[]): Promise<string> {
    const server = await bench.serve(tell, options);
    const client = await bench.connect(server);
    for (const piece of pieces) await client.send(piece);
    await client.send("GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    return await client.untilClosed();
  }

  const encoders = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };

  it.each([
    ["gzip", ["gzip"]],
    ["GZIP", ["gzip"]],
    ["x-gzip", ["gzip"]],
    ["deflate", ["deflate"]],
    ["br", ["br"]],
    ["gzip, br", ["gzip", "br"]],
    ["deflate,gzip", ["deflate", "gzip"]],
  ] as const)(
    "B24: a body in %s is delivered decoded, and the request says what was consumed",
    async (name, chain) => {
      const coded = chain.reduce<Uint8Array>((bytes, each) => encoders[each](bytes), latin1(text));
      const seen = await ask(ON, post(coded, name));
      expect(codes(seen)).toEqual([200, 200]);
      expect(seen).toContain(`- ${name} - ${text}`);
      const again = await ask(ON, chunked(coded, name, 9));
      expect(again).toContain(`- ${name} - ${text}`);
    },
  );

  it("B24: without the option bytes and Content-Encoding are as they came", async () => {
    const coded = gzipSync(text);
    let seen: HTTPServerRequest | undefined;
    const server = await bench.serve((request) => {
      seen = request;
      answer(request.connection, "ok");
    });
    const client = await bench.connect(server);
    await client.send(post(coded, "gzip"));
    await client.until((all) => all.endsWith("ok"));
    expect(coded.equals(seen?.body ?? new Uint8Array(0))).toBe(true);
    expect(seen?.headers.get("Content-Encoding")).toBe("gzip");
    expect(seen?.headers.has("X-Consumed-Content-Encoding")).toBe(false);
  });

  it("bodies that are not coded, or identity, pass as they are; what a client calls consumed does not", async () => {
    expect(await ask(ON, post(latin1("plain"), undefined))).toContain("- - 5 plain");
    expect(await ask(ON, post(latin1("plain"), "identity"))).toContain("- - 5 plain");
    const lie = post(latin1("plain"), undefined, "/", "X-Consumed-Content-Encoding: gzip\r\n");
    expect(await ask(ON, lie)).toContain("- - 5 plain");
    expect(await ask(ON, post(new Uint8Array(0), "gzip"))).toContain("- gzip - ");
    expect(
      codes(await ask(ON, latin1("GET / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n\r\n"))),
    ).toEqual([200, 200]);
  });

  it("the same whatever the pieces", async () => {
    const wire = concatBytes([
      post(gzipSync(text), "gzip"),
      chunked(brotliCompressSync(text), "br", 7),
      post(deflateSync("x"), "deflate"),
    ]);
    const whole = withoutDates(await ask(ON, wire));
    expect(codes(whole)).toEqual([200, 200, 200, 200]);
    const server = await bench.serve(tell, ON);
    const splits = Array.from({ length: wire.length - 1 }, (_, i) => i + 1).filter((i) => i % 5 === 0);
    const last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for (const at of splits) {
      const seen = await bench.transcript(server, [wire.subarray(0, at), wire.subarray(at), last]);
      expect(withoutDates(seen), `split at ${at}`).toBe(whole);
    }
    const bytes = Array.from(wire, (byte) => Uint8Array.of(byte));
    expect(withoutDates(await bench.transcript(server, [...bytes, last]))).toBe(whole);
  });

  it.each(["compress", "gzip, compress", "gzip;q=1", "br, br, br", '"gzip"'])(
    "a coding that is not known (%j) is a 415 that says which are, and nobody hears of the request",
    async (encoding) => {
      const notes = new Notes();
      const server = await bench.serve(notes, ON);
      const seen = await bench.transcript(server, [
        post(latin1("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"), encoding),
      ]);
      expect(codes(seen)).toEqual([415]);
      expect(seen).toContain(`Accept-Encoding: ${contentCodings.join(", ")}\r\n`);
      expect(notes.calls).toEqual([]);
    },
  );

  it.each([
    ["gzip,", gzipSync(text)],
    [",,gzip", gzipSync(text)],
    ["", latin1(text)],
    [",", latin1(text)],
  ])("empty members of a Content-Encoding (%j) are none", async (encoding, body) => {
    const seen = await ask(ON, post(body, encoding));
    expect(codes(seen)).toEqual([200, 200]);
    expect(seen).toContain(text);
  });

  it("encodings says which codings are known", async () => {
    const server = await bench.serve(tell, { decompressRequest: { encodings: ["br"] } });
    const seen = await bench.transcript(server, [post(gzipSync("a"), "gzip")]);
    expect(seen).toContain("Accept-Encoding: br\r\n");
    expect(codes(seen)).toEqual([415]);
  });

  it("S-08: the decoded size counts against maxBodySize: allowed at the limit, 413 one byte above", async () => {
    const maxBodySize = 1000;
    for (const encoding of ["gzip", "deflate", "br"] as const) {
      const at = encoders[encoding](new Uint8Array(maxBodySize));
      expect(codes(await ask({ ...ON, maxBodySize }, post(at, encoding)))).toEqual([200, 200]);
      const above = encoders[encoding](new Uint8Array(maxBodySize + 1));
      expect(above.length).toBeLessThan(maxBodySize);
      expect(codes(await ask({ ...ON, maxBodySize }, post(above, encoding)))[0]).toBe(413);
      const own = { decompressRequest: { maxSize: 10 }, maxBodySize };
      expect(codes(await ask(own, post(encoders[encoding](new Uint8Array(11)), encoding)))[0]).toBe(413);
    }
  });

  it("setMaxBodySize() in headersReceived binds what comes out, for that request only", async () => {
    const sizes: number[] = [];
    const server = await bench.serve(
      {
        startRequest(connection) {
          let size = 0;
          return {
            headersReceived(startLine) {
              if ("path" in startLine && startLine.path === "/large") connection.setMaxBodySize?.(5000);
              if ("path" in startLine && startLine.path === "/small") connection.setMaxBodySize?.(50);
            },
            dataReceived(chunk) {
              size += chunk.length;
            },
            finish() {
              sizes.push(size);
              answer(connection, "ok");
            },
            onConnectionClose() {},
          };
        },
      },
      { ...ON, maxBodySize: 1000 },
    );
    const body = (size: number) => gzipSync(new Uint8Array(size));
    const client = await bench.connect(server);
    await client.send(post(body(5000), "gzip", "/large"));
    await client.send(post(body(50), "gzip", "/small"));
    await client.send(post(body(1000), "gzip", "/"));
    await client.until((seen) => codes(seen).length === 3);
    await client.send(post(body(51), "gzip", "/small"));
    expect(codes(await client.until((seen) => codes(seen).length === 4))).toEqual([200, 200, 200, 413]);
    expect(sizes).toEqual([5000, 50, 1000]);
    for (const [size, path] of [
      [5001, "/large"],
      [1001, "/"],
    ] as const)
      expect(codes(await bench.transcript(server, [post(body(size), "gzip", path)], true))).toEqual([413]);
  });

  it.each([
    ["a truncated body", gzipSync(text).subarray(0, -1), "gzip"],
    ["one byte", gzipSync(text).subarray(0, 1), "gzip"],
    ["another format", latin1(text), "gzip"],
    ["bytes behind its end", concatBytes([gzipSync(text), latin1("GET / HTTP/1.1\r\n\r\n")]), "gzip"],
    ["zeros behind its end", concatBytes([gzipSync(text), new Uint8Array(10)]), "gzip"],
    ["bytes behind its end", concatBytes([brotliCompressSync(text), Uint8Array.of(1)]), "br"],
    ["a truncated body", brotliCompressSync(text).subarray(0, -1), "br"],
    ["no wrapper", deflateRawSync(text), "deflate"],
    ["a coding too few", gzipSync(text), "gzip, gzip"],
    ["codings in the wrong order", brotliCompressSync(gzipSync(text)), "br, gzip"],
  ] as const)("%s is a 400 for the peer and no error of ours", async (_what, body, encoding) => {
    for (const send of [post(body, encoding), chunked(body, encoding, 3)]) {
      const log = new Log();
      let called = 0;
      const server = await bench.serve(() => void called++, { ...ON, logger: log });
      const seen = await bench.transcript(server, [send], true);
      expect([codes(seen), called]).toEqual([[400], 0]);
      expect(log.lines).toHaveLength(1);
      expect(log.lines[0]).toMatch(/^warn Refused POST "\/" \(127\.0\.0\.1\): ERR_TW_CONTENT_CODING /);
    }
  });

  it("a delegate hears of a body that is none once, after the peer was told, and may not answer any more", async () => {
    const notes = new Notes();
    const log = new Log();
    const server = await bench.serve(notes, { ...ON, logger: log });
    const seen = await bench.transcript(
      server,
      [post(concatBytes([gzipSync(text), latin1("x")]), "gzip")],
      true,
    );
    expect(codes(seen)).toEqual([400]);
    expect(notes.calls.filter((call) => call !== "data")).toEqual([
      "start",
      "headers",
      "close ERR_TW_CONTENT_CODING",
    ]);
    if (notes.connection !== undefined) answer(notes.connection, "too late");
    expect(log.lines).toHaveLength(1);
  });

  it("calls come in order: head, data, trailers, finish", async () => {
    const notes = new Notes();
    const server = await bench.serve(notes, ON);
    const client = await bench.connect(server);
    await client.send(chunked(gzipSync(randomBytes(200_000)), "gzip", 50_000, "T: v\r\n"));
    await client.until((seen) => seen.endsWith("done"));
    const once = notes.calls.filter((call, i) => call !== notes.calls[i - 1]);
    expect(once).toEqual(["start", "headers", "data", "trailers v", "finish"]);
  });

  it("pipelined requests, coded and not, are answered in order", async () => {
    const server = await bench.serve(
      (request) => answer(request.connection, `<${fromLatin1(request.body)}>`),
      ON,
    );
    const wire = Array.from({ length: 20 }, (_, i) =>
      i % 3 === 0
        ? post(latin1(`${i}`), undefined)
        : post(i % 3 === 1 ? gzipSync(`${i}`) : brotliCompressSync(`${i}`), i % 3 === 1 ? "gzip" : "br"),
    );
    const client = await bench.connect(server);
    await client.send(concatBytes(wire));
    const seen = await client.until((all) => all.includes("<19>"));
    expect([...seen.matchAll(/<(\d+)>/g)].map(([, i]) => Number(i))).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  it("waits for the delegate, whose promise holds back what follows", async () => {
    const gates: Deferred[] = [];
    let sizes = 0;
    const notes = new Notes((chunk) => {
      sizes += chunk.length;
      const gate = new Deferred();
      gates.push(gate);
      return gate.promise;
    });
    const server = await bench.serve(notes, ON);
    const client = await bench.connect(server);
    const size = 500_000;
    await client.send(post(gzipSync(new Uint8Array(size)), "gzip"));
    for (let i = 0; sizes < size; i++) {
      while (gates.length <= i) await new Promise(setImmediate);
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      expect(gates.length).toBe(i + 1);
      expect(notes.calls).not.toContain("finish");
      gates[i]?.resolve();
    }
    await client.until((seen) => seen.endsWith("done"));
    expect(gates.length).toBeGreaterThan(5);
  });

  it("streamRequestBody reads decoded chunks as they come, and answers before the end of them", async () => {
    const server = await bench.serve(
      async (request) => {
        let size = 0;
        if (request.path === "/part") {
          for await (const chunk of request.chunks()) {
            size += chunk.length;
            break;
          }
        } else for await (const chunk of request.chunks()) size += chunk.length;
        answer(request.connection, `${size > 0} ${request.path === "/part" ? "" : size}`);
      },
      { ...ON, streamRequestBody: true },
    );
    const body = gzipSync(randomBytes(300_000));
    const client = await bench.connect(server);
    await client.send(post(body, "gzip", "/all"));
    expect(await client.until((seen) => seen.includes("true"))).toContain("true 300000");
    const early = await bench.connect(server);
    await early.send(post(body, "gzip", "/part"));
    expect(await early.until((seen) => seen.includes("true"))).toContain("true ");
  });

  it("a streamed multipart body may be compressed, and a broken one is a 400", async () => {
    const log = new Log();
    const server = await bench.serve(
      async (request) => {
        const names: string[] = [];
        for await (const part of request.multipart()) names.push(`${part.name}=${await part.text()}`);
        answer(request.connection, names.join("&"));
      },
      { ...ON, streamRequestBody: true, logger: log },
    );
    const form =
      "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name=b\r\n\r\n2\r\n--b--\r\n";
    const type = "Content-Type: multipart/form-data; boundary=b\r\n";
    const client = await bench.connect(server);
    await client.send(post(gzipSync(form), "gzip", "/", type));
    await client.until((seen) => seen.includes("a=1&b=2"));
    const broken = await bench.transcript(
      server,
      [post(gzipSync(form).subarray(0, -4), "gzip", "/", type)],
      true,
    );
    expect(codes(broken)).toEqual([400]);
    expect(log.lines.filter((line) => !line.startsWith("warn Refused"))).toEqual([]);
  });

  it("a client that waits for 100 is told to go on, and its coded body is read", async () => {
    const server = await bench.serve(tell, ON);
    const client = await bench.connect(server);
    const body = gzipSync("abc");
    await client.send(post(body, "gzip", "/", "Expect: 100-continue\r\n").subarray(0, -body.length));
    await client.until((seen) => seen.includes("HTTP/1.1 100"));
    await client.send(body);
    expect(await client.until((seen) => seen.includes("abc"))).toContain("- gzip - abc");
  });

  it("a client that finishes sending behind its request gets its answer", async () => {
    const server = await bench.serve(tell, ON);
    const seen = await bench.transcript(server, [post(gzipSync(text), "gzip")], true);
    expect(codes(seen)).toEqual([200]);
    expect(seen).toContain(text);
  });

  it("what a delegate throws, or rejects with, is a 500 and is logged as ever", async () => {
    for (const fault of [
      () => {
        throw new Error("the handler's own");
      },
      () => Promise.reject(new Error("the handler's own")),
    ]) {
      const log = new Log();
      const server = await bench.serve(new Notes(fault), { ...ON, logger: log });
      const seen = await bench.transcript(server, [post(gzipSync(text), "gzip")], true);
      expect(codes(seen)).toEqual([500]);
      expect(log.lines).toHaveLength(1);
      expect(log.lines[0]).toMatch(/^error Uncaught exception POST/);
    }
  });

  it("what a delegate returns is waited for where it can be, a thenable too, and is nothing where it cannot", async () => {
    const settled: string[] = [];
    /** Settles a turn later. */
    class Later {
      // biome-ignore lint/suspicious/noThenProperty: that is what it is about
      then(resolve: () => void): void {
        setImmediate(() => {
          settled.push("settled");
          resolve();
        });
      }
    }
    for (const value of [3, {}, new Later()]) {
      const log = new Log();
      const notes = new Notes(() => value as never);
      const server = await bench.serve(notes, { ...ON, logger: log });
      const seen = await bench.transcript(server, [post(gzipSync(text), "gzip")], true);
      expect(codes(seen)).toEqual([200]);
      expect(log.lines).toEqual([]);
    }
    expect(settled).toEqual(["settled"]);
  });

  it("a peer that goes away while its body is decoded: one onConnectionClose, and nothing after it", async () => {
    for (const held of [true, false]) {
      const gate = new Deferred();
      const arrived = new Deferred();
      const notes = new Notes(() => {
        arrived.resolve();
        if (held) return gate.promise;
      });
      const server = await bench.serve(notes, ON);
      const client = await bench.connect(server);
      const wire = chunked(gzipSync(randomBytes(200_000)), "gzip", 60_000);
      client.send(wire.subarray(0, -100));
      await arrived.promise;
      client.stream.abort();
      while (!notes.calls.some((call) => call.startsWith("close")))
        await new Promise((resolve) => setTimeout(resolve, 1));
      const { length } = notes.calls;
      gate.resolve();
      for (let i = 0; i < 20; i++) await new Promise(setImmediate);
      expect(notes.calls).toHaveLength(length);
      expect(notes.calls).not.toContain("finish");
    }
  });

  it("an answer before the end of the body lets the decoder go", async () => {
    const notes = new Notes(() => {
      if (!notes.calls.includes("answer end") && notes.connection !== undefined)
        answer(notes.connection, "early");
    });
    const server = await bench.serve(notes, ON);
    const client = await bench.connect(server);
    await client.send(chunked(gzipSync(randomBytes(100_000)), "gzip", 60_000).subarray(0, -10));
    await client.until((seen) => seen.includes("early"));
    expect(notes.calls.slice(0, 3)).toEqual(["start", "headers", "data"]);
    expect(notes.calls.at(-1)).toBe("answer end");
  });

  it("keeps the async context of the request", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const server = await bench.serve(
      {
        startRequest(connection) {
          return {
            headersReceived(startLine) {
              if ("path" in startLine) storage.enterWith(startLine.path);
            },
            dataReceived() {
              seen.push(storage.getStore());
            },
            finish() {
              seen.push(storage.getStore());
              answer(connection, "ok");
            },
            onConnectionClose() {},
          };
        },
      },
      ON,
    );
    const client = await bench.connect(server);
    await client.send(
      concatBytes([
        post(gzipSync("1"), "gzip", "/1"),
        post(gzipSync("2"), "gzip", "/2"),
        post(latin1("3"), undefined, "/3"),
      ]),
    );
    await client.until((all) => codes(all).length === 3);
    expect(seen).toEqual(["/1", "/1", "/2", "/2", "/3", "/3"]);
  });
});

onEveryEngine((engine) => {
  const bench = new Bench(engine);
  afterEach(() => bench.tearDown());

  it("S-08: a megabyte that would be a gigabyte is a 413, and takes no more memory than the limit and some pieces", async () => {
    const piece = gzipSync(new Uint8Array(2 ** 27));
    const bomb = concatBytes(new Array<Uint8Array>(8).fill(piece));
    expect(bomb.length).toBeLessThan(1_100_000);
    const server = await bench.serve(tell, ON);
    let held = 0;
    const { arrayBuffers: before } = process.memoryUsage();
    const watching = setInterval(() => {
      held = Math.max(held, process.memoryUsage().arrayBuffers - before);
    }, 1);
    const client = await bench.connect(server);
    await client.send(post(bomb, "gzip"));
    expect(codes(await client.until((seen) => seen.includes("\r\n\r\n")))).toEqual([413]);
    clearInterval(watching);
    expect(held).toBeLessThan(64 * 1024 * 1024);
  });

  it("a sender is held back while nobody takes what its body decodes to", async () => {
    let taken = 0;
    const gate = new Deferred();
    const server = await bench.serve(
      async (request) => {
        for await (const chunk of request.chunks()) {
          taken += chunk.length;
          await gate.promise;
        }
        answer(request.connection, `${taken}`);
      },
      { ...ON, streamRequestBody: true, maxBodySize: 100_000_000 },
    );
    const size = 40_000_000;
    const wire = post(gzipSync(randomBytes(size), { level: 1 }), "gzip");
    const client = await bench.connect(server);
    let sent = false;
    const sending = client.send(wire).then(() => {
      sent = true;
    });
    const { arrayBuffers: before } = process.memoryUsage();
    for (let i = 0; i < 100; i++) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(sent).toBe(false);
    expect(taken).toBeLessThan(100_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    gate.resolve();
    await sending;
    expect(await client.until((seen) => seen.endsWith(String(size)))).toContain(String(size));
  });

  it("curl sends what gzip made", async () => {
    const server = await bench.serve(tell, ON);
    const { stdout } = await run("sh", [
      "-c",
      `printf 'hello %s' world | gzip -c | curl -sS -H 'Content-Encoding: gzip' --data-binary @- http://127.0.0.1:${server.port}/`,
    ]);
    expect(stdout).toBe("- gzip - hello world");
  });

  it("two hundred bodies that break off leave no decoder behind", async () => {
    const server = await bench.serve(tell, ON);
    const wire = chunked(gzipSync(randomBytes(5000)), "gzip", 1000).subarray(0, -2000);
    const before = process.getActiveResourcesInfo().length;
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 20 }, () => bench.connect(server)));
      await Promise.all(clients.map((client) => client.send(wire)));
      for (const client of clients) client.stream.abort();
    }
    for (let i = 0; i < 5000 && process.getActiveResourcesInfo().length > before + 5; i++)
      await new Promise((resolve) => setTimeout(resolve, 2));
    expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before + 5);
  });
});
