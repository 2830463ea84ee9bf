import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { runInNewContext } from "node:vm";
import {
  Application,
  Finish,
  HTTPError,
  type HTTPErrorOptions,
  RequestHandler,
  type Respondable,
  route,
  type Settings,
} from "@tw/web";
import { describe, expect, test } from "vitest";
import { MemoryLogger, onEveryDriver } from "./matrix.js";

const page = (text: string): string => `<html><title>${text}</title><body>${text}</body></html>`;

/** An application whose one handler does `act` on every verb. */
function acting(
  act: (handler: RequestHandler) => unknown,
  settings: Settings = {},
): Application & { log: MemoryLogger } {
  class Acting extends RequestHandler {
    get(): Respondable {
      return act(this) as Respondable;
    }
    head(): Respondable {
      return act(this) as Respondable;
    }
    post(): Respondable {
      return act(this) as Respondable;
    }
  }
  const log = new MemoryLogger();
  return Object.assign(new Application([["/", Acting]], { logger: log, ...settings }), { log });
}

/** Promises a length, and writes `text`. */
function promising(length: number, text = ""): (handler: RequestHandler) => void {
  return (handler) => {
    handler.setHeader("Content-Length", length);
    handler.write(text);
  };
}

function throwing(status: number, options?: HTTPErrorOptions): () => never {
  return () => {
    throw new HTTPError(status, "m", options);
  };
}

/** A body that breaks before its first piece. */
function broken(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.error(new Error("inner")) });
}

function writeThenReturn(handler: RequestHandler): string {
  handler.write("a");
  return "b";
}

onEveryDriver((serve, driver) => {
  describe("what a verb writes or returns", () => {
    test.each<[string, (handler: RequestHandler) => unknown, string, string]>([
      ["write() of text", (h) => h.write("Hello"), "Hello", "text/html; charset=UTF-8"],
      ["write() of text beyond ASCII", (h) => h.write("é€"), "é€", "text/html; charset=UTF-8"],
      ["several write()s", (h) => ["a", "é", "b"].forEach(h.write, h), "aéb", "text/html; charset=UTF-8"],
      [
        "write() of text and bytes",
        (h) => [Uint8Array.of(97), "é", Uint8Array.of(98)].forEach(h.write, h),
        "aéb",
        "text/html; charset=UTF-8",
      ],
      [
        "write() of an object",
        (h) => h.write({ a: "</b>" }),
        '{"a":"<\\/b>"}',
        "application/json; charset=UTF-8",
      ],
      ["a long text", () => "x".repeat(5000), "x".repeat(5000), "text/html; charset=UTF-8"],
      ["returned text", () => "Hello", "Hello", "text/html; charset=UTF-8"],
      ["returned bytes", () => Uint8Array.of(97, 98), "ab", "text/html; charset=UTF-8"],
      [
        "returned bytes of another realm",
        () => runInNewContext("Uint8Array.of(97, 98)"),
        "ab",
        "text/html; charset=UTF-8",
      ],
      ["a returned object", () => ({ a: 1 }), '{"a":1}', "application/json; charset=UTF-8"],
      ["a returned array", () => [1, "2"], '[1,"2"]', "application/json; charset=UTF-8"],
      ["a promise of text", async () => "Hello", "Hello", "text/html; charset=UTF-8"],
      ["finish() with a piece", (h) => void h.finish("Hello"), "Hello", "text/html; charset=UTF-8"],
      ["finish() as the returned promise", (h) => h.finish("Hello"), "Hello", "text/html; charset=UTF-8"],
      ["text written and then text returned", writeThenReturn, "ab", "text/html; charset=UTF-8"],
      ["nothing", () => undefined, "", "text/html; charset=UTF-8"],
    ])("%s", async (_name, act, body, type) => {
      const send = await serve(acting(act));
      const response = await send("/");
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(body);
      expect(response.headers.get("content-type")).toBe(type);
      expect(response.headers.get("content-length")).toBe(String(new TextEncoder().encode(body).length));
    });

    test("a Response is streamed through with its status and fields", async () => {
      const send = await serve(
        acting((handler) => {
          handler.setHeader("X-Mine", "1");
          handler.write("dropped");
          const headers = new Headers({ "X-Theirs": "2", Connection: "upgrade" });
          headers.append("Set-Cookie", "a=1");
          headers.append("Set-Cookie", "b=2");
          const body = new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode("one "));
              controller.enqueue(new TextEncoder().encode("two"));
              controller.close();
            },
          });
          return new Response(body, { status: 201, headers });
        }),
      );
      const response = await send("/");
      expect(response.status).toBe(201);
      expect(response.headers.get("x-mine")).toBe("1");
      expect(response.headers.get("x-theirs")).toBe("2");
      expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
      expect(response.headers.has("content-type")).toBe(false);
      expect(response.headers.get("connection")).not.toBe("upgrade");
      expect(await response.text()).toBe("one two");
    });

    test("a Response whose body takes its time has its head sent ahead", async () => {
      let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
      const start = (each: ReadableStreamDefaultController<Uint8Array>): void => {
        controller = each;
      };
      const send = await serve(acting(() => new Response(new ReadableStream({ start }), { status: 201 })));
      const response = await send("/");
      expect(response.status).toBe(201);
      controller?.enqueue(new TextEncoder().encode("event"));
      controller?.close();
      expect(await response.text()).toBe("event");
    });

    test("a Response whose body takes its time and breaks is one that is broken off", async () => {
      let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
      const start = (each: ReadableStreamDefaultController<Uint8Array>): void => {
        controller = each;
      };
      const app = acting(() => new Response(new ReadableStream({ start })));
      const response = await (await serve(app))("/");
      controller?.error(new Error("inner"));
      await expect(response.text()).rejects.toThrow();
      expect(app.log.errors.map((error) => (error as Error).message)).toEqual(["inner"]);
    });

    test("a Response whose body is a file that is not there is a 500", async () => {
      const missing = async () => {
        const file = createReadStream("/nowhere/at-all");
        const body = Readable.toWeb(file) as ReadableStream<Uint8Array>;
        // Found missing later than a head waits for its body, it is a broken answer.
        await new Promise<void>((resolve) => file.once("close", () => resolve()));
        return new Response(body);
      };
      expect((await (await serve(acting(missing)))("/")).status).toBe(500);
    });

    test("a Response whose body breaks at once is a 500", async () => {
      expect((await (await serve(acting(() => new Response(broken()))))("/")).status).toBe(500);
    });

    test("an empty Response has no body, and one that was read is an error", async () => {
      expect((await (await serve(acting(() => new Response(null, { status: 204 }))))("/")).status).toBe(204);
      const read = new Response("x");
      await read.text();
      expect((await (await serve(acting(() => read)))("/")).status).toBe(500);
    });

    test.each<[string, (handler: RequestHandler) => unknown]>([
      ["a returned number", () => 5],
      ["returned null", () => null],
      ["a returned Map, which would be {}", () => new Map([["a", 1]])],
      ["a returned Blob, which would be {}", () => new Blob(["a"])],
      ["a returned DataView, which would be {}", () => new DataView(new ArrayBuffer(1))],
      ["a returned error, which would tell too much", () => new Error("secret")],
      ["a returned function", () => () => "x"],
      ["write() of an array", (h) => h.write([1])],
      ["write() of null", (h) => h.write(null as never)],
      ["write() of a number", (h) => h.write(5 as never)],
      ["a body with 204", (h) => [h.setStatus(204), h.write("x")].at(0)],
      ["a header with a line break", (h) => h.setHeader("X", "a\r\nb: c")],
      ["a header above U+00FF", (h) => h.setHeader("X", "€")],
      ["a header name that is no token", (h) => h.setHeader("X Foo", "a")],
      ["a header that is a fraction", (h) => h.setHeader("X", 1.5)],
      ["a redirect with a line break", (h) => h.redirect("/a\r\nSet-Cookie: b=c")],
      // Browsers drop it: what begins like a path of ours would be another site.
      ["a redirect with a tab", (h) => h.redirect("/\t/evil.example")],
      ["a redirect that begins with a tab", (h) => h.redirect("\t/a")],
      ["a redirect with status 200", (h) => h.redirect("/", { status: 200 })],
      ["status 99", (h) => h.setStatus(99)],
    ])("%s is a 500 that says nothing", async (_name, act) => {
      const app = acting(act);
      const response = await (await serve(app))("/");
      expect(response.status).toBe(500);
      expect(await response.text()).toBe(page("500: Internal Server Error"));
      expect(app.log.lines).toContainEqual(
        expect.stringMatching(/^error: Uncaught exception GET \/ \(127\.0\.0\.1\)$/),
      );
    });
  });

  describe("status, fields and errors", () => {
    test("fields are set, added, cleared, and dates and integers are written out", async () => {
      const send = await serve(
        acting((handler) => {
          handler.setStatus(299);
          handler.setHeader("X-Int", 42);
          handler.setHeader("X-Date", new Date(0));
          handler.addHeader("X-Two", "a");
          handler.addHeader("x-two", "b");
          handler.setHeader("X-Gone", "a");
          handler.clearHeader("x-gone");
          expect(handler.getStatus()).toBe(299);
        }),
      );
      const { status, headers } = await send("/");
      expect(status).toBe(299);
      expect(headers.get("x-int")).toBe("42");
      expect(headers.get("x-date")).toBe("Thu, 01 Jan 1970 00:00:00 GMT");
      expect(headers.get("x-two")).toBe("a, b");
      expect(headers.has("x-gone")).toBe(false);
    });

    test("an HTTPError replaces what was written and drops the fields; its message stays here", async () => {
      const app = acting((handler) => {
        handler.write("secret");
        handler.setHeader("X-Secret", "1");
        throw new HTTPError(403, "user 7", { headers: { "X-Why": "no" } });
      });
      const response = await (await serve(app))("/");
      expect(response.status).toBe(403);
      expect(await response.text()).toBe(page("403: Forbidden"));
      expect(response.headers.has("x-secret")).toBe(false);
      expect(response.headers.get("x-why")).toBe("no");
      expect(app.log.lines[0]).toBe("warn: 403 GET / (127.0.0.1): user 7");
    });

    test.each([204, 304])("HTTPError(%i) is sent bare", async (status) => {
      const response = await (
        await serve(
          acting(() => {
            throw new HTTPError(status);
          }),
        )
      )("/");
      expect(response.status).toBe(status);
      expect(await response.text()).toBe("");
      expect(response.headers.has("content-type")).toBe(false);
      expect(response.headers.has("content-length")).toBe(false);
    });

    test("a reason that could inject becomes Unknown, and any is escaped in the page", async () => {
      const bad = await serve(acting((handler) => handler.sendError(400, { reason: "<b>\r\n" })));
      expect(await (await bad("/")).text()).toBe(page("400: Unknown"));
      const teapot = await serve(acting((handler) => handler.sendError(418)));
      expect(await (await teapot("/")).text()).toBe(page("418: I&#x27;m a Teapot"));
    });

    test.each<[string, (handler: RequestHandler) => unknown, number, string]>([
      ["setStatus() without one", (h) => h.setStatus(404), 404, "Not Found"],
      ["setStatus() of a 200 without one", (h) => h.setStatus(200), 200, "OK"],
      ["an empty one in setStatus() of a 200", (h) => h.setStatus(200, ""), 200, "Unknown"],
      ["an empty one in setStatus()", (h) => h.setStatus(404, ""), 404, "Unknown"],
      ["an empty one in sendError()", (h) => h.sendError(400, { reason: "" }), 400, "Unknown"],
      ["sendError() without one", (h) => h.sendError(400), 400, "Bad Request"],
      ["an empty one in an HTTPError", throwing(400, { reason: "" }), 400, "Unknown"],
      ["one in an HTTPError", throwing(400, { reason: "Why" }), 400, "Why"],
      ["an HTTPError without one", throwing(400), 400, "Bad Request"],
      ["one that is cleared", (h) => [h.setStatus(404, "Why"), h.clear()].at(1), 200, "OK"],
      ["a Response without one", () => new Response("x", { status: 404 }), 404, "Not Found"],
      ["a Response with one", () => new Response("x", { statusText: "Why" }), 200, "Why"],
      ["a redirect behind one", (h) => [h.setStatus(200, "Why"), h.redirect("/")].at(1), 302, "Found"],
    ])("the reason phrase of %s (C16)", async (_name, act, status, reason) => {
      const response = await (await serve(acting(act, { accessLog: false })))("/");
      expect([response.status, response.statusText]).toEqual([status, reason]);
      const text = await response.text();
      if (status === 400) expect(text).toBe(page(`400: ${reason}`));
    });

    test("the stack is sent only where serveTraceback says so", async () => {
      const fails = (): never => {
        throw new Error("secret");
      };
      expect(await (await (await serve(acting(fails)))("/")).text()).not.toContain("secret");
      const response = await (await serve(acting(fails, { serveTraceback: true })))("/");
      expect(response.headers.get("content-type")).toBe("text/plain; charset=UTF-8");
      expect(await response.text()).toContain("Error: secret");
    });

    test("Finish ends the response as it stands, with a last piece", async () => {
      const app = acting((handler) => {
        handler.setStatus(401);
        handler.setHeader("X-A", "1");
        throw new Finish("no");
      });
      const response = await (await serve(app))("/");
      expect([response.status, response.headers.get("x-a"), await response.text()]).toEqual([401, "1", "no"]);
      expect(app.log.lines).toEqual(["warn: 401 GET / (127.0.0.1)"]);
    });

    test("a last piece of Finish that fails is an error like any other", async () => {
      const app = acting(() => {
        throw new Finish(new Response(broken()) as never);
      });
      expect((await (await serve(app))("/")).status).toBe(500);
      expect(app.log.errors.map((error) => (error as Error).message)).toEqual(["inner"]);
    });

    test.each<[RedirectCase]>([
      [{ options: {}, status: 302 }],
      [{ options: { permanent: true }, status: 301 }],
      [{ options: { status: 307 }, status: 307 }],
    ])("redirect() %j", async ({ options, status }) => {
      const send = await serve(acting((handler) => handler.redirect("/ä b?c=d", options)));
      const response = await send("/", { redirect: "manual" });
      expect(response.status).toBe(status);
      expect(response.headers.get("location")).toBe("/%C3%A4%20b?c=d");
      expect(response.headers.get("content-length")).toBe("0");
    });

    test("notFound() answers 404 where a value is missing", async () => {
      const send = await serve(
        acting((handler) => handler.getQueryArgument("a", undefined) ?? handler.notFound()),
      );
      expect((await send("/")).status).toBe(404);
    });

    test("a path without a row is 404 with Tornado's page, for every method", async () => {
      const send = await serve(acting(() => "x"));
      for (const method of ["GET", "POST", "PROPFIND"]) {
        const response = await send("/nowhere", { method });
        expect([method, response.status]).toEqual([method, 404]);
        expect(await response.text()).toBe(page("404: Not Found"));
      }
    });

    // RFC 9110 §10.2.1 (1), RFC 9110 §15.5.6 (1)
    test("RFC 9110 §15.5.6: a verb that the handler does not define is 405 with Allow", async () => {
      const send = await serve(acting(() => "x"));
      for (const method of ["PUT", "DELETE", "PROPFIND"]) {
        const response = await send("/", { method });
        expect([method, response.status, response.headers.get("allow")]).toEqual([
          method,
          405,
          "GET, HEAD, POST",
        ]);
      }
    });

    test("a returned Response whose status cannot be sent is a 500", async () => {
      const send = await serve(acting(() => Response.error(), { accessLog: false }));
      for (const method of ["GET", "HEAD"]) expect((await send("/", { method })).status).toBe(500);
    });

    test("HEAD has the fields of its answer and no body", async () => {
      const send = await serve(acting(() => "12345678"));
      const response = await send("/", { method: "HEAD" });
      expect(response.headers.get("content-length")).toBe("8");
      expect(await response.text()).toBe("");
    });

    test("HEAD is answered only where head is defined", async () => {
      class GetOnly extends RequestHandler {
        get(): string {
          return "x";
        }
      }
      const response = await (await serve(new Application([["/", GetOnly]], { accessLog: false })))("/", {
        method: "HEAD",
      });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "GET"]);
    });
  });

  describe("pieces of an answer", () => {
    test("flush() sends what there is, and the rest follows", async () => {
      const send = await serve(
        acting(async (handler) => {
          handler.write("a");
          await handler.flush();
          handler.write("bc");
          await handler.flush();
          await handler.flush();
          return "d";
        }),
      );
      const response = await send("/");
      expect(response.headers.has("content-length")).toBe(false);
      expect(await response.text()).toBe("abcd");
    });

    test("a slow reader holds flush() back, and gets every byte", async () => {
      let flushed = 0;
      const piece = "x".repeat(100_000);
      const send = await serve(
        acting(async (handler) => {
          for (; flushed < 50; flushed++) {
            handler.write(piece);
            await handler.flush();
          }
        }),
      );
      const response = await send("/");
      if (driver === "fetch") {
        await new Promise((resolve) => setImmediate(resolve));
        expect(flushed).toBeLessThan(5);
      }
      expect((await response.text()).length).toBe(5_000_000);
      expect(flushed).toBe(50);
    });

    test("an error after the head breaks the answer off, so that it is not taken for whole", async () => {
      const app = acting(async (handler) => {
        handler.write("part");
        await handler.flush();
        throw new Error("late");
      });
      const send = await serve(app);
      await expect(send("/").then((response) => response.text())).rejects.toThrow();
      expect(app.log.errors).toMatchObject([{ message: "late" }]);
    });

    test.each<[string, (handler: RequestHandler) => unknown, string]>([
      ["of 2 for 3 bytes", promising(2, "abc"), "ERR_TW_BODY_TOO_LONG"],
      ["of 4 for 3 bytes", promising(4, "abc"), "ERR_TW_BODY_TOO_SHORT"],
      ["of 4 for nothing", promising(4), "ERR_TW_BODY_TOO_SHORT"],
      ["that counts characters", promising(1, "é"), "ERR_TW_BODY_TOO_LONG"],
      [
        "of 2 for a first piece of 3 bytes",
        (handler) => {
          promising(2, "abc")(handler);
          return handler.flush();
        },
        "ERR_TW_BODY_TOO_LONG",
      ],
      [
        "of 2 for a Response of 3 bytes",
        () => new Response("abc", { headers: { "Content-Length": "2" } }),
        "ERR_TW_BODY_TOO_LONG",
      ],
    ])(
      "a Content-Length %s is logged once, and answered with 500 while no head is out",
      async (_n, act, code) => {
        const app = acting(act, { accessLog: true });
        const send = await serve(app);
        const response = await send("/");
        expect(response.status).toBe(500);
        expect(await response.text()).toBe(page("500: Internal Server Error"));
        expect(response.headers.get("Content-Length")).toBe(
          String(page("500: Internal Server Error").length),
        );
        expect(app.log.errors).toMatchObject([{ code }]);
        expect(app.log.lines).toHaveLength(2);
      },
    );

    test("a Content-Length that is that of the body is sent, in one piece or flushed", async () => {
      const whole = acting(promising(2, "é"));
      const flushed = acting(async (handler) => {
        promising(2, "é")(handler);
        await handler.flush();
      });
      for (const app of [whole, flushed]) {
        const response = await (await serve(app))("/");
        expect([response.headers.get("Content-Length"), await response.text()]).toEqual(["2", "é"]);
        expect(app.log.errors).toEqual([]);
      }
    });

    test("a Content-Length in an answer to HEAD is what the handler says, with or without a body", async () => {
      const app = acting(promising(5, "abc"));
      const response = await (await serve(app))("/", { method: "HEAD" });
      expect([response.status, response.headers.get("Content-Length")]).toEqual([200, "5"]);
      expect(app.log.errors).toEqual([]);
    });

    test.each([
      ["more", 2, "ERR_TW_BODY_TOO_LONG"],
      ["fewer", 4, "ERR_TW_BODY_TOO_SHORT"],
    ])(
      "%s bytes than the Content-Length after the head are an error, and the client sees no whole answer",
      async (_n, length, code) => {
        const app = acting(async (handler) => {
          handler.setHeader("Content-Length", length);
          await handler.flush();
          handler.write("abc");
        });
        const send = await serve(app);
        await expect(send("/").then((response) => response.text())).rejects.toThrow();
        expect(app.log.errors).toMatchObject([{ code }]);
      },
    );

    test.each<[string, (handler: RequestHandler) => unknown]>([
      ["write", (h) => h.write("x")],
      ["finish", (h) => void h.finish()],
      ["return", () => "x"],
      ["setHeader", (h) => h.setHeader("X", "y")],
      ["sendError", (h) => h.sendError(500)],
    ])("%s after finish() is a typed error in the log, and the answer stands", async (_name, act) => {
      const app = acting((handler) => {
        void handler.finish("done");
        return act(handler);
      });
      expect(await (await (await serve(app))("/")).text()).toBe("done");
      expect(app.log.errors).toMatchObject([{ code: "ERR_TW_RESPONSE_FINISHED" }]);
    });

    test("headers after flush() are a typed error", async () => {
      let caught: unknown;
      const send = await serve(
        acting(async (handler) => {
          await handler.flush();
          try {
            handler.setStatus(201);
          } catch (error) {
            caught = error;
          }
        }),
      );
      expect((await send("/")).status).toBe(200);
      expect(caught).toMatchObject({ code: "ERR_TW_HEADERS_SENT" });
    });
  });
});

type RedirectCase = { options: Parameters<RequestHandler["redirect"]>[1] & object; status: number };

test("a function is a handler: every method, with the parameters by name", async () => {
  const app = new Application([
    route("/hello/:name", (request, { name }) => `${request.method} ${name}`),
    route(/\/re\/(?<n>\d+)/, (_request, { n }) => ({ n })),
  ]);
  expect(await (await app.fetch(new Request("http://x/hello/a%20b", { method: "PUT" }))).text()).toBe(
    "PUT a b",
  );
  expect(await (await app.fetch(new Request("http://x/re/7"))).json()).toEqual({ n: "7" });
});
