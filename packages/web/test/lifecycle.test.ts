import { Deferred } from "@tw/util";
import { Application, HTTPError, RequestHandler, type Respondable, route } from "@tw/web";
import { describe, expect, test } from "vitest";
import { MemoryLogger, onEveryDriver } from "./matrix.js";

const get = (path: string, init?: RequestInit): Request => new Request(`http://localhost${path}`, init);

describe("the life of a request", () => {
  test("initialize, prepare, the verb, onFinish, in this order, on one instance", async () => {
    const seen: string[] = [];
    class Traced extends RequestHandler {
      #of = "";
      initialize({ name }: { name: string }): void {
        this.#of = name;
        seen.push(`initialize ${name}`);
      }
      override async prepare(): Promise<void> {
        await Promise.resolve();
        seen.push(`prepare ${this.#of}`);
      }
      async get(id: string, more?: string): Promise<void> {
        await Promise.resolve();
        seen.push(`get ${id} ${more} ${JSON.stringify(this.params)} ${this.pathArgs.length}`);
      }
      override onFinish(): void {
        seen.push(`onFinish ${this.getStatus()}`);
      }
    }
    const app = new Application([route("/:id/:more?", Traced, { name: "it" })]);
    await app.fetch(get("/a%20b"));
    expect(seen).toEqual(["initialize it", "prepare it", 'get a b undefined {"id":"a b"} 2', "onFinish 200"]);
  });

  test("answering in prepare skips the verb", async () => {
    class Guarded extends RequestHandler {
      override prepare(): void {
        if (this.request.headers.has("X-Finish")) void this.finish("prepared");
        else if (!this.request.headers.has("X-Ok")) throw new HTTPError(401);
      }
      get(): string {
        return "got";
      }
    }
    const app = new Application([["/", Guarded]], { accessLog: false });
    expect((await app.fetch(get("/"))).status).toBe(401);
    expect(await (await app.fetch(get("/", { headers: { "X-Finish": "1" } }))).text()).toBe("prepared");
    expect(await (await app.fetch(get("/", { headers: { "X-Ok": "1" } }))).text()).toBe("got");
    expect((await app.fetch(get("/", { method: "POST" }))).status).toBe(401);
  });

  test("prepare is not asked about a method that is not supported at all", async () => {
    class Propfind extends RequestHandler {
      static override readonly supportedMethods: readonly string[] = [
        ...RequestHandler.supportedMethods,
        "PROPFIND",
      ];
      override prepare(): void {
        this.setHeader("X-Prepared", "1");
      }
      propfind(): string {
        return "found";
      }
    }
    const app = new Application([["/", Propfind]], { accessLog: false });
    expect(await (await app.fetch(get("/", { method: "PROPFIND" }))).text()).toBe("found");
    const response = await app.fetch(get("/", { method: "MKCOL" }));
    expect([response.status, response.headers.get("allow")]).toEqual([405, "PROPFIND"]);
  });

  test("setDefaultHeaders() holds for error pages too", async () => {
    class Framed extends RequestHandler {
      override setDefaultHeaders(): void {
        this.setHeader("X-Frame-Options", "deny");
      }
      get(): never {
        throw new Error("x");
      }
    }
    const response = await new Application([["/", Framed]], { logger: new MemoryLogger() }).fetch(get("/"));
    expect([response.status, response.headers.get("x-frame-options")]).toEqual([500, "deny"]);
  });

  test("setDefaultHeaders() may set the status, also when nobody asks for the headers before they go out", async () => {
    class Gone extends RequestHandler {
      override setDefaultHeaders(): void {
        this.setStatus(204);
      }
      get(): void {}
    }
    class Flushed extends Gone {
      override async get(): Promise<void> {
        await this.flush();
      }
    }
    const app = new Application([
      ["/", Gone],
      ["/flushed", Flushed],
    ]);
    for (const path of ["/", "/flushed"]) {
      const response = await app.fetch(get(path));
      expect([path, response.status, response.headers.get("content-type")]).toEqual([path, 204, null]);
    }
  });

  test("an error page that fails is replaced by the plain one", async () => {
    const log = new MemoryLogger();
    class Broken extends RequestHandler {
      get(): never {
        throw new HTTPError(418);
      }
      override async writeError(): Promise<Respondable> {
        throw new Error("page");
      }
    }
    const response = await new Application([["/", Broken]], { logger: log }).fetch(get("/"));
    expect(response.status).toBe(418);
    expect(await response.text()).toContain("418: I&#x27;m a Teapot");
    expect(log.errors).toMatchObject([{ message: "page" }]);
  });

  test.each(["constructor", "initialize", "prepare", "onFinish", "setDefaultHeaders"])(
    "what %s throws is logged and ends nothing but its request",
    async (where) => {
      const log = new MemoryLogger();
      const fails = (name: string): void => {
        if (name === where) throw new Error(`in ${name}`);
      };
      class Failing extends RequestHandler {
        constructor(context: ConstructorParameters<typeof RequestHandler>[0]) {
          super(context);
          fails("constructor");
        }
        initialize(): void {
          fails("initialize");
        }
        override prepare(): void {
          fails("prepare");
        }
        override onFinish(): void {
          fails("onFinish");
        }
        override setDefaultHeaders(): void {
          fails("setDefaultHeaders");
        }
        get(): string {
          return "got";
        }
      }
      const response = await new Application([["/", Failing]], { logger: log }).fetch(get("/"));
      expect(response.status).toBe(where === "onFinish" ? 200 : 500);
      expect(log.errors).toContainEqual(expect.objectContaining({ message: `in ${where}` }));
    },
  );

  test("a malformed parameter is 400, without running the handler", async () => {
    const app = new Application([route("/:id", () => "ran")], {
      accessLog: false,
      logger: new MemoryLogger(),
    });
    expect((await app.fetch(get("/%ff"))).status).toBe(400);
  });

  test("urlFor builds what the table matches", async () => {
    class Linked extends RequestHandler<"/l/:id"> {
      get(): string {
        return this.urlFor("/l/:id", { id: `${this.params.id}/x` });
      }
    }
    const app = new Application([route("/l/:id", Linked)]);
    expect(await (await app.fetch(get("/l/a"))).text()).toBe("/l/a%2Fx");
  });

  test("a connection without upgrade answers 501", async () => {
    class Upgrading extends RequestHandler {
      get(): void {
        this.upgrade();
      }
    }
    const app = new Application([["/", Upgrading]], { logger: new MemoryLogger() });
    expect((await app.fetch(get("/"))).status).toBe(501);
  });
});

describe("logs", () => {
  const handlers = [
    route("/", () => "x"),
    route("/missing", () => {
      throw new HTTPError(404);
    }),
    route("/boom", () => {
      throw new HTTPError(503);
    }),
  ];

  async function linesOf(accessLog: boolean | "errors" | undefined): Promise<string[]> {
    const logger = new MemoryLogger();
    const app = new Application(handlers, accessLog === undefined ? { logger } : { logger, accessLog });
    for (const path of ["/?a=1", "/missing", "/boom"]) await app.fetch(get(path), { remoteIp: "192.0.2.1" });
    return logger.lines.map((line) => line.replace(/\d+\.\d\dms$/, "0.00ms"));
  }

  test("accessLog: true logs every request as Tornado does", async () => {
    expect(await linesOf(true)).toEqual([
      "info: 200 GET /?a=1 (192.0.2.1) 0.00ms",
      "warn: 404 GET /missing (192.0.2.1) 0.00ms",
      "error: 503 GET /boom (192.0.2.1) 0.00ms",
    ]);
  });

  test('accessLog: "errors", the default, logs from 400 on, and false nothing', async () => {
    const errors = ["warn: 404 GET /missing (192.0.2.1)", "error: 503 GET /boom (192.0.2.1)"];
    expect(await linesOf("errors")).toEqual(errors);
    expect(await linesOf(undefined)).toEqual(errors);
    expect(await linesOf(false)).toEqual([]);
  });

  test("logFunction is told of every request instead", async () => {
    const logger = new MemoryLogger();
    const told: unknown[] = [];
    const app = new Application(handlers, {
      logger,
      logFunction: ({ request, status, durationMs }) => {
        told.push([request.uri, status, durationMs >= 0]);
        throw new Error("the log is full");
      },
    });
    await app.fetch(get("/missing"));
    expect(told).toEqual([["/missing", 404, true]]);
    expect(logger.errors).toMatchObject([{ message: "the log is full" }]);
  });

  test("a promise that logFunction returns is observed, and its rejection logged", async () => {
    const logger = new MemoryLogger();
    const logFunction = async (): Promise<void> => {
      throw new Error("the log is full");
    };
    const app = new Application(handlers, { logger, logFunction });
    await app.fetch(get("/missing"));
    expect(logger.errors).toMatchObject([{ message: "the log is full" }]);
  });

  test("S-43: what a client sent cannot write a second line", () => {
    const logger = new MemoryLogger();
    const app = new Application([], { logger });
    const context = { remoteIp: "192.0.2.1", remotePort: 1, protocol: "http" } as const;
    const connection = { context, writeHeaders() {}, write() {}, finish() {}, abort() {} };
    const message = app.startRequest(connection);
    message.headersReceived(
      { method: "GET", path: "/\r\n\u001b[1m\u0085", version: "HTTP/1.1" },
      new Headers() as never,
    );
    message.finish();
    expect(logger.lines).toEqual(["warn: 404 GET /\\r\\n\\u001b[1m\\u0085 (192.0.2.1)"]);
  });

  test("a logger that throws does not take the request with it", async () => {
    const fail = (): never => {
      throw new Error("log");
    };
    const app = new Application(handlers, { logger: { debug: fail, info: fail, warn: fail, error: fail } });
    expect((await app.fetch(get("/boom"))).status).toBe(503);
  });
});

onEveryDriver((serve) => {
  test("a client that leaves aborts the signal, and what the handler does then is quiet", async () => {
    const log = new MemoryLogger();
    const started = new Deferred();
    const over = new Deferred();
    const seen: unknown[] = [];
    class Waiting extends RequestHandler {
      async get(): Promise<string> {
        const { signal } = this;
        started.resolve();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        seen.push((signal.reason as { code: string }).code, await this.flush().catch((error) => error.code));
        this.write("late");
        return "later";
      }
      override onConnectionClose(): void {
        seen.push("onConnectionClose");
      }
      override onFinish(): void {
        seen.push("onFinish");
        over.resolve();
      }
    }
    const send = await serve(new Application([["/", Waiting]], { logger: log }));
    const controller = new AbortController();
    const answer = send("/", { signal: controller.signal });
    await started.promise;
    controller.abort();
    await expect(answer).rejects.toThrow();
    await over.promise;
    expect(seen.sort()).toEqual([
      "ERR_TW_CLIENT_GONE",
      "ERR_TW_CLIENT_GONE",
      "onConnectionClose",
      "onFinish",
    ]);
    expect(log.lines).toEqual([]);
  });

  test("an endless answer ends when its reader leaves, and its source is cancelled", async () => {
    const log = new MemoryLogger();
    const cancelled = new Deferred<unknown>();
    const flushing = new Deferred<unknown>();
    class Endless extends RequestHandler {
      get(): Response {
        const pull = (controller: ReadableStreamDefaultController): void =>
          controller.enqueue(new Uint8Array(1000));
        return new Response(new ReadableStream({ pull, cancel: (reason) => cancelled.resolve(reason) }));
      }
      async post(): Promise<void> {
        try {
          for (;;) {
            this.write("x".repeat(1000));
            await this.flush();
          }
        } catch (error) {
          flushing.resolve(error);
          throw error;
        }
      }
    }
    const send = await serve(new Application([["/", Endless]], { logger: log }));
    for (const method of ["GET", "POST"]) {
      const controller = new AbortController();
      const response = await send("/", { method, signal: controller.signal });
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      await reader.read();
      if (method === "GET") await reader.cancel();
      else controller.abort();
    }
    expect(await cancelled.promise).toMatchObject({ code: "ERR_TW_CLIENT_GONE" });
    expect(await flushing.promise).toMatchObject({ code: "ERR_TW_CLIENT_GONE" });
    expect(log.lines).toEqual([]);
  });

  test("an endless answer to HEAD leaves the loop to others", async () => {
    const seen = new Deferred<boolean>();
    let turned = false;
    class Endless extends RequestHandler {
      async head(): Promise<void> {
        setImmediate(() => {
          turned = true;
        });
        // It would keep this test's own process: it gives up.
        for (let i = 0; i < 20_000 && !turned; i++) {
          this.write("x".repeat(1000));
          await this.flush();
        }
        seen.resolve(turned);
      }
    }
    const send = await serve(new Application([["/", Endless]]));
    await send("/", { method: "HEAD" });
    expect(await seen.promise).toBe(true);
  });

  test("a hundred requests at once are each answered with their own", async () => {
    const app = new Application([
      route("/:id", async (_request, { id }) => {
        await new Promise((resolve) => setImmediate(resolve));
        return { id };
      }),
    ]);
    const send = await serve(app);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, id) => (await (await send(`/${id}`)).json()) as { id: string }),
    );
    expect(answers.map(({ id }) => Number(id))).toEqual(Array.from({ length: 100 }, (_, id) => id));
  });
});

test("disposing of an application closes the servers that listen() made", async () => {
  const app = new Application([route("/", () => "x")]);
  const { port } = await app.listen(0, "127.0.0.1");
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  await app[Symbol.asyncDispose]();
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});

test("listen() refuses what are no options", async () => {
  const app = new Application([]);
  await expect(app.listen(0, "127.0.0.1", 128 as never)).rejects.toThrow(
    "options must be an object, got 128",
  );
});
