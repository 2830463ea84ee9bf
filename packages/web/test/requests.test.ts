import { Application, RequestHandler, type Respondable, route, type StandardSchema } from "@tw/web";
import { describe, expect, test } from "vitest";
import { MemoryLogger, onEveryDriver } from "./matrix.js";

class Echo extends RequestHandler {
  post(): Respondable {
    return this.request.body;
  }
}

/** Accepts `{ title: string }` and gives the title in capitals. */
const Title: StandardSchema<{ title: string }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: async (value) => {
      const title = (value as { title?: unknown } | null)?.title;
      if (typeof title !== "string") return { issues: [{ message: "title is text", path: ["title"] }] };
      return { value: { title: title.toUpperCase() } };
    },
  },
};

class Titled extends RequestHandler {
  async post(): Promise<Respondable> {
    const { title } = await this.json(Title);
    return { title };
  }
  async put(): Promise<Respondable> {
    return [await this.json()];
  }
  override writeError(status: number, error?: unknown): Respondable {
    return { status, issues: (error as { issues?: unknown }).issues ?? null };
  }
}

class Form extends RequestHandler {
  async post(): Promise<Respondable> {
    const read: string[] = [];
    for await (const part of this.request.multipart()) read.push(`${part.name}=${await part.text()}`);
    return { collected: [...this.request.bodyArguments.keys()], read };
  }
  override writeError(status: number, error?: unknown): Respondable {
    return { status, code: (error as { code?: unknown }).code };
  }
}

class Query extends RequestHandler {
  get(): Respondable {
    return {
      all: this.getQueryArguments("a"),
      last: this.getQueryArgument("a", null),
      raw: this.getArguments("a", { strip: false }),
      other: this.getArgument("b", undefined) ?? "none",
      needed: this.getArgument("needed"),
    };
  }
}

const table = () =>
  new Application(
    [
      ["/echo", Echo],
      ["/title", Titled],
      ["/query", Query],
      route("/uri", (request) => ({ uri: request.uri, ip: request.remoteIp, host: request.hostName })),
    ],
    { logger: new MemoryLogger(), maxBodySize: 1000 },
  );

onEveryDriver((serve, driver) => {
  test("a handler runs when the body is whole, and sees all of it", async () => {
    const send = await serve(table());
    const chunks = ["one ", "two ", "three"];
    const body = new ReadableStream({
      pull(controller) {
        const next = chunks.shift();
        if (next === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(next));
      },
    });
    const response = await send("/echo", { method: "POST", body, duplex: "half" } as RequestInit);
    expect(await response.text()).toBe("one two three");
  });

  test("a body of maxBodySize is taken, and one byte more is 413, announced or not", async () => {
    const send = await serve(table());
    expect((await send("/echo", { method: "POST", body: "x".repeat(1000) })).status).toBe(200);
    expect((await send("/echo", { method: "POST", body: "x".repeat(1001) })).status).toBe(413);
    const stream = new Blob(["x".repeat(1001)]).stream();
    const unannounced = await send("/echo", { method: "POST", body: stream, duplex: "half" } as RequestInit);
    expect([unannounced.status, await unannounced.text()]).toEqual([413, "Content Too Large\n"]);
  });

  test.each([
    ["application/json", '{"title":"a"}', 200, { title: "A" }],
    ["application/problem+json; charset=utf-8", '{"title":"a"}', 200, { title: "A" }],
    ["APPLICATION/JSON", '{"title":"a"}', 200, { title: "A" }],
    ["text/plain", '{"title":"a"}', 415, { status: 415, issues: null }],
    ["application/jsonp", '{"title":"a"}', 415, { status: 415, issues: null }],
    ["application/json\u00a0", '{"title":"a"}', 415, { status: 415, issues: null }], // S-03
    ["application/json", "{", 400, { status: 400, issues: null }],
    ["application/json", "", 400, { status: 400, issues: null }],
    [
      "application/json",
      '{"title":1}',
      422,
      { status: 422, issues: [{ message: "title is text", path: ["title"] }] },
    ],
  ])("json() with a schema: %s %s is %i", async (type, body, status, answer) => {
    const send = await serve(table());
    const response = await send("/title", { method: "POST", body, headers: { "Content-Type": type } });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual(answer);
  });

  test("json() without a schema gives what was sent; bytes that are not UTF-8 are 400", async () => {
    const send = await serve(table());
    const headers = { "Content-Type": "application/json" };
    expect(await (await send("/title", { method: "PUT", body: "null", headers })).json()).toEqual([null]);
    const bytes = Uint8Array.of(0x22, 0xff, 0x22);
    expect((await send("/title", { method: "PUT", body: bytes, headers })).status).toBe(400);
  });

  test("arguments: repeated, the last one, stripped, control characters as blanks, a default", async () => {
    const send = await serve(table());
    expect(await (await send("/query?a=1&a=+x%00y+&needed=")).json()).toEqual({
      all: ["1", "x y"],
      last: "x y",
      raw: ["1", " x y "],
      other: "none",
      needed: "",
    });
    expect((await send("/query?a=1")).status).toBe(400);
    expect((await send("/query?needed=%ff")).status).toBe(400);
    const many = (count: number) => `/query?${"a&".repeat(count - 1)}needed=1`;
    expect((await send(many(1000))).status).toBe(200);
    expect((await send(many(1001))).status).toBe(400);
  });

  test("what the client got wrong in a form is its status, in the page and in the log, without a stack", async () => {
    const logger = new MemoryLogger();
    const send = await serve(new Application([["/form", Form]], { logger }));
    const headers = { "Content-Type": "multipart/form-data; boundary=B" };
    const part = '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n';
    const post = (body: string) => send("/form", { method: "POST", body, headers });
    expect(await (await post(`${part}--B--`)).json()).toEqual({ collected: ["a"], read: ["a=1"] });
    for (const body of ["garbage", part, part.replace("name", "x"), `${part.repeat(101)}--B--`]) {
      logger.lines.length = 0;
      const response = await post(body);
      expect([response.status, await response.json()]).toEqual([
        400,
        { status: 400, code: expect.any(String) },
      ]);
      expect(logger.lines.filter((line) => line.includes("/form"))).toEqual(logger.lines);
      expect(logger.lines.length).toBeLessThanOrEqual(2); // what was wrong, and the access log
      expect(logger.errors).toEqual([]);
    }
  });

  test("the request says where it came from", async () => {
    const send = await serve(table());
    const host = driver === "fetch" ? "localhost" : "127.0.0.1";
    expect(await (await send("/uri?x=%2F")).json()).toEqual({ uri: "/uri?x=%2F", ip: "127.0.0.1", host });
  });
});

describe("app.fetch", () => {
  test("is bound, and takes the address of the client", async () => {
    const { fetch } = table();
    const response = await fetch(new Request("https://example.org/uri"), { remoteIp: "192.0.2.7" });
    expect(await response.json()).toEqual({ uri: "/uri", ip: "192.0.2.7", host: "example.org" });
  });

  test("rejects with the reason of a signal that was aborted before", async () => {
    const request = new Request("http://x/uri", { signal: AbortSignal.abort(new Error("enough")) });
    await expect(table().fetch(request)).rejects.toThrow("enough");
  });
});

test("a Request whose body is no bytes is refused: it would be an empty one", async () => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue("text");
      controller.close();
    },
  });
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  await expect(table().fetch(new Request("http://localhost/echo", init))).rejects.toThrow(
    "The body of a Request consists of bytes, got string",
  );
});
