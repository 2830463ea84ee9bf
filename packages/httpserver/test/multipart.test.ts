// Forms and uploads over sockets: the S-rules by name, bodies cut anywhere, readers that leave, and clients of others.

import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import type { HTTPServerRequest, MultipartPart } from "@tw/httputil";
import { onEveryEngine } from "@tw/tooling-testing";
import { Deferred, fromUtf8 } from "@tw/util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HTTPServerOptions, type RequestCallback, saveTo } from "../src/index.js";
import { answer, Bench, codes, onEveryCarrier, withoutDates } from "./harness.js";

const run = promisify(execFile);
const MIB = 1024 * 1024;
const STREAMED: HTTPServerOptions = { streamRequestBody: true };

function form(...parts: readonly (readonly [disposition: string, data: string])[]): string {
  const texts = parts.map(
    ([head, data]) => `--B\r\nContent-Disposition: form-data; ${head}\r\n\r\n${data}\r\n`,
  );
  return `${texts.join("")}--B--\r\n`;
}

const post = (body: string, more = "", type = "multipart/form-data; boundary=B") =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;
const GET = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
const URLENCODED = "application/x-www-form-urlencoded";

/** Answers with the names of everything that came, collected by the server. */
function collected(request: HTTPServerRequest): void {
  const files = [...request.files].map(([name, [file]]) => `${name}:${file?.filename}:${file?.body.length}`);
  const fields = [...request.arguments].map(
    ([name, values]) => `${name}=${values.map((value) => fromUtf8(value))}`,
  );
  answer(request.connection, `<${[...fields, ...files].join("&")}>`);
}

/** The same, read as it comes. */
async function streamed(request: HTTPServerRequest): Promise<void> {
  const read: string[] = [];
  if (request.method === "POST") {
    for await (const part of request.multipart()) {
      if (part.filename === undefined) read.push(`${part.name}=${await part.text()}`);
      else read.push(`${part.name}:${part.filename}:${(await part.bytes()).length}`);
    }
  }
  answer(request.connection, `<${read.join("&")}>`);
}

const WAYS: readonly (readonly [name: string, callback: RequestCallback, options: HTTPServerOptions])[] = [
  ["collected", collected, {}],
  ["streamed", streamed, STREAMED],
];

onEveryCarrier((bench) => {
  describe.each(WAYS)("a form that is %s", (_way, callback, options) => {
    const FORM = form(['name="a"', "1"], ['name="f"; filename="x"', "\r\n--\r\n--A"], ['name="b"', ""]);
    const READ = callback === streamed ? "<a=1&f:x:9&b=>" : "<a=1&b=&f:x:9>";

    it("is read wherever its pieces part, and so is the request behind it", async () => {
      const server = await bench.serve(callback, options);
      const wire = `${post(FORM)}${GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")}`;
      const whole = withoutDates(await bench.transcript(server, [wire]));
      expect(codes(whole)).toEqual([200, 200]);
      expect(whole).toContain(READ);
      const step = bench.carrier === "memory" ? 1 : 11;
      for (let at = 0; at < wire.length; at += step) {
        expect(withoutDates(await bench.transcript(server, [wire.slice(0, at), wire.slice(at)]))).toBe(whole);
      }
    });

    const refused: [name: string, code: string, body: string, more?: string, type?: string][] = [
      [
        "S-10 a part without a name",
        "ERR_TW_MULTIPART_HEAD",
        form(...Array<[string, string]>(50).fill(["x", ""])),
      ],
      [
        "S-12 a 101st part",
        "ERR_TW_MULTIPART_TOO_MANY_PARTS",
        form(...Array<[string, string]>(101).fill(['name="a"', ""])),
      ],
      [
        "S-12 a part's head of 11 KiB",
        "ERR_TW_MULTIPART_HEAD_TOO_LARGE",
        form([`name="${"a".repeat(11_264)}"`, ""]),
      ],
      ["S-12 a bare CR in a part's head", "ERR_TW_MULTIPART_HEAD", form(['name="a\rb"', ""])],
      ["S-13 a form with a Content-Encoding", "ERR_TW_FORM_ENCODING", FORM, "Content-Encoding: gzip\r\n"],
      ["no final boundary", "ERR_TW_MULTIPART_TRUNCATED", FORM.slice(0, -6)],
      ["text before the first boundary", "ERR_TW_MULTIPART_SYNTAX", `preamble\r\n${FORM}`],
      ["a Content-Type without a boundary", "ERR_TW_MULTIPART_BOUNDARY", FORM, "", "multipart/form-data"],
    ];
    it.each(refused)(
      "%s: 400, one line in the log, nothing of it shown, and the next request is answered",
      async (_name, code, body, more, type) => {
        const lines: string[] = [];
        const log = (...args: unknown[]) => void lines.push(args.map(String).join(" "));
        const logger = { debug: log, info: log, warn: log, error: log };
        const server = await bench.serve(callback, { ...options, logger });
        const client = await bench.connect(server);
        await client.send(post(body, more, type));
        const text = await client.until((text) => codes(text).length === 1);
        expect(codes(text)).toEqual([400]);
        expect(text).not.toContain("<");
        expect(lines.filter((line) => line.includes(code))).toHaveLength(1);
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toContain("    at "); // no stack
        const next = await bench.connect(server);
        await next.send(GET);
        expect(codes(await next.until((text) => text.endsWith(">")))).toEqual([200]);
      },
    );

    it("S-12: takes 100 parts", async () => {
      const server = await bench.serve(callback, options);
      const client = await bench.connect(server);
      await client.send(post(form(...Array<[string, string]>(100).fill(['name="a"', ""]))));
      expect(codes(await client.until((text) => text.endsWith(">")))).toEqual([200]);
    });
  });

  it("D2, S-13: a urlencoded form of 1 001 fields, with a Content-Encoding, or not UTF-8 is answered with 400", async () => {
    const server = await bench.serve(collected);
    const client = await bench.connect(server);
    await client.send(post(Array(1000).fill("a=1").join("&"), "", URLENCODED));
    await client.send(post(Array(1001).fill("a=1").join("&"), "", URLENCODED));
    await client.send(post("a=1", "Content-Encoding: gzip\r\n", URLENCODED));
    expect(codes(await client.until((text) => codes(text).length === 3))).toEqual([200, 400, 400]);
  });

  it("S-11: semicolons, quotes and backslashes in a Content-Type or a Content-Disposition take linear time", async () => {
    const took: number[] = [];
    const server = await bench.serve(
      (request) => {
        const before = process.cpuUsage();
        let code = "";
        try {
          request.bodyArguments.size;
        } catch (error) {
          code = (error as { code: string }).code;
        }
        const { user, system } = process.cpuUsage(before);
        took.push(user + system);
        answer(request.connection, code);
      },
      { maxHeadSize: 4 * MIB, parseBodyConfig: { maxPartHeaderSize: 4 * MIB } },
    );
    const client = await bench.connect(server);
    let asked = 0;
    const least = async (make: (size: number) => string, size: number) => {
      took.length = 0;
      for (let i = 0; i < 3; i++) {
        await client.send(make(size));
        asked++;
        const text = await client.until((text) => codes(text).length === asked);
        expect(text).toMatch(/ERR_TW_MULTIPART_(?:BOUNDARY|HEAD)$/);
      }
      return Math.min(...took);
    };
    for (const piece of [";", '"', "\\"]) {
      for (const make of [
        (size: number) => post("x", "", `multipart/form-data; x="${piece.repeat(size)}`),
        (size: number) => post(form([`x="${piece.repeat(size)}`, ""])),
        (size: number) => post(form([`x${piece.repeat(size)}`, ""])),
      ]) {
        await least(make, 50_000);
        const base = Math.max(await least(make, 50_000), 20);
        expect((await least(make, 800_000)) / base).toBeLessThan(3 ** 4); // four doublings
      }
    }
  });

  it("a form that was compressed is read as it comes too, left early, and refused where it is none", async () => {
    const body = form(['name="a"', "1"], ['name="f"; filename="x"', "x".repeat(100_000)]);
    const send = async (
      options: HTTPServerOptions,
      callback: RequestCallback,
      text: string,
      size = Number.MAX_SAFE_INTEGER,
    ) => {
      const server = await bench.serve(callback, { decompressRequest: true, ...options });
      const client = await bench.connect(server);
      const coded = gzipSync(text).subarray(0, size).toString("latin1");
      await client.send(post(coded, "Content-Encoding: gzip\r\n"));
      return await client.until((text) => /<|Bad Request\n$/.test(text));
    };
    for (const [, callback, options] of WAYS) {
      expect(await send(options, callback, body)).toMatch(/<a=1&f:x:100000>$/);
      expect(codes(await send(options, callback, body.slice(0, -6)))).toEqual([400]);
      expect(codes(await send(options, callback, body, 50))).toEqual([400]);
    }
    const leave: RequestCallback = async (request) => {
      for await (const part of request.multipart()) for await (const _ of part) break;
      answer(request.connection, "<left>");
    };
    expect(await send(STREAMED, leave, body)).toMatch(/<left>$/);
  });

  it("parseBodyConfig is what a server's requests are read by", async () => {
    for (const [, callback, options] of WAYS) {
      const server = await bench.serve(callback, { ...options, parseBodyConfig: { maxParts: 1 } });
      const client = await bench.connect(server);
      await client.send(post(form(['name="a"', "1"])));
      expect(codes(await client.until((text) => text.endsWith(">")))).toEqual([200]);
      await client.send(post(form(['name="a"', "1"], ['name="b"', "1"])));
      expect(codes(await client.until((text) => codes(text).length === 2))).toEqual([200, 400]);
    }
  });

  it("a part beyond maxBytes is answered with 413", async () => {
    const server = await bench.serve(async (request) => {
      for await (const part of request.multipart()) await part.bytes({ maxBytes: 10 });
      answer(request.connection, "fine");
    }, STREAMED);
    for (const [size, code] of [
      [10, 200],
      [11, 413],
    ] as const) {
      const client = await bench.connect(server);
      await client.send(post(form(['name="a"', "x".repeat(size)])));
      expect(codes(await client.until((text) => codes(text).length === 1))).toEqual([code]);
    }
  });

  it("leaving early never hangs: in a part, behind a part, before any", async () => {
    const leave: Record<string, (request: HTTPServerRequest) => Promise<void>> = {
      "/in": async (request) => {
        for await (const part of request.multipart()) {
          for await (const _ of part) break;
          break;
        }
      },
      "/behind": async (request) => {
        for await (const part of request.multipart()) {
          await part.text();
          break;
        }
      },
      "/unread": async (request) => {
        for await (const _ of request.multipart()) break;
      },
      "/before": async (request) => {
        request.multipart();
      },
      "/each": async (request) => {
        for await (const part of request.multipart()) for await (const _ of part) break;
      },
    };
    const server = await bench.serve(async (request) => {
      await leave[request.uri]?.(request);
      answer(request.connection, "<left>");
    }, STREAMED);
    const parts = form(
      ['name="a"', "x".repeat(1000)],
      ['name="b"; filename="b"', "y".repeat(200_000)],
      ['name="c"', ""],
    );
    for (const uri of Object.keys(leave)) {
      const client = await bench.connect(server);
      await client.send(post(parts).replace("/", uri));
      expect(codes(await client.until((text) => text.endsWith("<left>"))), uri).toEqual([200]);
    }
  });

  it("a peer that goes away in a part rejects whoever reads it, and the loop, with ERR_TW_BODY_ABORTED", async () => {
    const failed = new Deferred<unknown>();
    const outer = new Deferred<unknown>();
    const reading = new Deferred();
    const server = await bench.serve(async (request) => {
      const parts = request.multipart();
      const { value } = await parts.next();
      reading.resolve();
      await (value as MultipartPart).bytes().catch((error) => failed.resolve(error));
      await parts.next().catch((error) => outer.resolve(error));
    }, STREAMED);
    const client = await bench.connect(server);
    await client.send(post(form(['name="a"', "x".repeat(100)])).slice(0, -60));
    await reading.promise;
    client.stream.abort();
    expect(await failed.promise).toMatchObject({ code: "ERR_TW_BODY_ABORTED" });
    expect(await outer.promise).toBe(await failed.promise);
  });

  it("a slow reader of a part holds the sender", async () => {
    const go = new Deferred();
    const server = await bench.serve(
      async (request) => {
        let size = 0;
        for await (const part of request.multipart()) {
          for await (const view of part) {
            size += view.length;
            await go.promise;
          }
        }
        answer(request.connection, `<${size}>`);
      },
      { ...STREAMED, maxBodySize: 64 * MIB },
    );
    const client = await bench.connect(server);
    const wire = post(form(['name="f"; filename="f"', "x".repeat(40 * MIB)]));
    client.stream.send(new Uint8Array(Buffer.from(wire, "latin1")));
    for (let queued = -1, calm = 0; calm < 200; queued = client.stream.bufferedAmount) {
      calm = client.stream.bufferedAmount === queued ? calm + 1 : 0;
      await new Promise(setImmediate);
    }
    expect(client.stream.bufferedAmount).toBeGreaterThan(24 * MIB);
    go.resolve();
    expect(await client.until((text) => text.endsWith(">"))).toContain(`<${40 * MIB}>`);
  });
});

onEveryEngine((engine) => {
  const bench = new Bench(engine);
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tw-upload-"));
  });
  afterEach(async () => {
    await bench.tearDown();
    await rm(folder, { recursive: true });
  });
  const serve = (callback: RequestCallback, options: HTTPServerOptions = {}) =>
    bench.serve(callback, { ...STREAMED, maxBodySize: 100 * MIB, ...options });
  const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

  it("curl -F: a file of some megabytes and a field arrive as they are", async () => {
    const server = await serve(async (request) => {
      const read: string[] = [];
      for await (const part of request.multipart()) {
        const sum = createHash("sha256");
        for await (const view of part) {
          await new Promise(setImmediate);
          sum.update(view);
        }
        read.push([part.name, part.filename, part.contentType, sum.digest("hex")].join(" "));
      }
      answer(request.connection, read.join("\n"));
    });
    const file = randomBytes(5 * MIB + 17);
    await writeFile(join(folder, 'a "quoted".bin'), file);
    const args = ["-sS", "-F", "field=värde", "-F", `file=@"${join(folder, 'a \\"quoted\\".bin')}";type=x/y`];
    const { stdout } = await run("curl", [...args, `http://127.0.0.1:${server.port}/`]);
    expect(stdout.split("\n")).toEqual([
      `field  text/plain ${hash(Buffer.from("värde"))}`,
      `file a "quoted".bin x/y ${hash(file)}`,
    ]);
  });

  it("fetch with FormData: names, values and files arrive as they are", async () => {
    const server = await serve(async (request) => {
      const read: [string, string | undefined, number | string][] = [];
      for await (const part of request.multipart()) {
        const { name, filename } = part;
        read.push([name, filename, filename === undefined ? await part.text() : (await part.bytes()).length]);
      }
      answer(request.connection, encodeURIComponent(JSON.stringify(read)));
    });
    const data = new FormData();
    data.append('näme "1"', "line\r\nline");
    data.append("file", new Blob([new Uint8Array(300_000)]), "€.bin");
    data.append("empty", new Blob([]), "");
    const response = await fetch(`http://127.0.0.1:${server.port}/`, { method: "POST", body: data });
    expect(JSON.parse(decodeURIComponent(await response.text()))).toEqual([
      ['näme "1"', null, "line\r\nline"],
      ["file", "€.bin", 300_000],
      ["empty", null, ""],
    ]);
  });

  it("saveTo writes a part into a new file of its own, and tells its size", async () => {
    const server = await serve(async (request) => {
      let saved = 0;
      for await (const part of request.multipart()) {
        if (part.filename !== undefined) saved += await saveTo(part, join(folder, "upload"));
      }
      answer(request.connection, `<${saved}>`);
    });
    const file = randomBytes(3 * MIB);
    const data = new FormData();
    data.append("field", "x");
    data.append("file", new Blob([file]), "../../etc/passwd");
    const response = await fetch(`http://127.0.0.1:${server.port}/`, { method: "POST", body: data });
    expect(await response.text()).toBe(`<${file.length}>`);
    expect(hash(await readFile(join(folder, "upload")))).toBe(hash(file));
    expect((await stat(join(folder, "upload"))).mode & 0o777).toBe(0o600);
  });

  it("saveTo leaves no file when the client goes away, when it is too much, and when it is malformed", async () => {
    const failed: Deferred<unknown>[] = [];
    const server = await serve(async (request) => {
      const last = failed.at(-1) as Deferred<unknown>;
      try {
        for await (const part of request.multipart())
          await saveTo(part, join(folder, "upload"), { maxBytes: 1000 });
      } catch (error) {
        last.resolve(error);
        throw error;
      }
    });
    const wires: [string, string, boolean][] = [
      [post(form(['name="f"', "x".repeat(1000)])).slice(0, -20), "ERR_TW_BODY_ABORTED", true],
      [post(form(['name="f"', "x".repeat(1001)])), "ERR_TW_SAVE_TOO_LARGE", false],
      [post(form(['name="f"', "x".repeat(900)]).replace("--B--", "--Bad")), "ERR_TW_MULTIPART_SYNTAX", false],
    ];
    for (const [wire, code, leave] of wires) {
      failed.push(new Deferred());
      const client = await bench.connect(server);
      await client.send(wire);
      if (leave) {
        while ((await readdir(folder)).length === 0) await new Promise(setImmediate);
        client.stream.abort();
      } else await client.until((text) => /HTTP\/1\.1 4(00|13)/.test(text));
      expect(await failed.at(-1)?.promise).toMatchObject({ code });
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it("saveTo overwrites nothing, and throws at wrong options", async () => {
    const path = join(folder, "there");
    await writeFile(path, "mine");
    async function* bytes() {
      yield new Uint8Array(3);
    }
    await expect(saveTo(bytes(), path)).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readFile(path, "utf8")).toBe("mine");
    expect(() => saveTo(bytes(), path, { maxBytes: -1 })).toThrow(RangeError);
    expect(() => saveTo(bytes(), path, { mode: 0o1000 })).toThrow(RangeError);
    expect(await saveTo(bytes(), join(folder, "new"), { maxBytes: 3, mode: 0o640 })).toBe(3);
  });
});
