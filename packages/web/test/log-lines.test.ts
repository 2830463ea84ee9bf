// One request, one line, whatever was wrong with it.

import { HTTPInputError } from "@tw/httputil";
import { isTwError, TwError } from "@tw/util";
import { Application, HTTPError, RequestHandler, type Respondable, type Settings } from "@tw/web";
import { describe, expect, test, vi } from "vitest";
import { MemoryLogger, onEveryDriver } from "./matrix.js";

const NO_FORM: RequestInit = {
  method: "POST",
  body: "xxxx",
  headers: { "Content-Type": "multipart/form-data; boundary=B" },
};
const NO_BOUNDARY = "The body does not begin with its boundary";

/** Throws what it is made with, from where it is told to. */
class Failing extends RequestHandler {
  async get(): Promise<Respondable> {
    const what = this.getArgument("what");
    if (what === "late") {
      this.write("part");
      await this.flush();
    }
    throw ERRORS[what as keyof typeof ERRORS]();
  }

  post(): string {
    return `${this.request.bodyArguments.size}`;
  }

  override writeError(status: number, error?: unknown): Respondable {
    if (isTwError(error, "ERR_TEST_HIDDEN")) {
      this.setStatus(200);
      return "as if nothing were wrong";
    }
    if (isTwError(error, "ERR_TEST_ENDLESS")) {
      leaving.abort();
      return new Promise(() => {});
    }
    return `${status}`;
  }
}

/** Of the client that does not wait for its page. */
let leaving = new AbortController();

const ERRORS = {
  endless: () => new HTTPError(404, "endless", { code: "ERR_TEST_ENDLESS" }),
  number: () => new HTTPError(400, 42 as never),
  late: () => new HTTPInputError("too late"),
  controls: () => new HTTPInputError("a\r\n\u001b[1mb"),
  bare: () => new HTTPError(403),
  user: () => new HTTPError(403, "user 7 may not"),
  busy: () => new HTTPError(503, "no room"),
  unchanged: () => new HTTPError(304, "as it was"),
  hidden: () => new HTTPError(404, "hidden", { code: "ERR_TEST_HIDDEN" }),
  theirs: () => Object.assign(new TwError("ERR_TEST_STATUS", "not with that"), { status: 409 }),
};

onEveryDriver((serve) => {
  /** What is logged of one request that is answered, or broken off. */
  async function linesOf(path: string, settings: Settings = {}, init?: RequestInit): Promise<string[]> {
    const logger = new MemoryLogger();
    const send = await serve(new Application([["/", Failing]], { logger, ...settings }));
    await send(path, init).then(
      (response) => response.text().catch(() => undefined),
      () => undefined,
    );
    return logger.lines.map((line) => line.replace(/\d+\.\d\dms/, "0.00ms"));
  }

  describe("S-10: a form that is none is one line", () => {
    test.each<[string, Settings, string]>([
      ["by default", {}, `warn: 400 POST / (127.0.0.1): ${NO_BOUNDARY}`],
      ["of all requests", { accessLog: true }, `warn: 400 POST / (127.0.0.1) 0.00ms: ${NO_BOUNDARY}`],
      ["without an access log", { accessLog: false }, `warn: 400 POST / (127.0.0.1): ${NO_BOUNDARY}`],
    ])("%s", async (_name, settings, line) => {
      expect(await linesOf("/", settings, NO_FORM)).toEqual([line]);
    });

    test("beside a logFunction, which is given facts", async () => {
      const told: number[] = [];
      const logFunction = ({ status }: { status: number }): void => void told.push(status);
      expect(await linesOf("/", { logFunction }, NO_FORM)).toEqual([
        `warn: 400 POST / (127.0.0.1): ${NO_BOUNDARY}`,
      ]);
      expect(told).toEqual([400]);
    });
  });

  describe("what was thrown is one line", () => {
    test.each([
      ["/", 'warn: 400 GET / (127.0.0.1): Missing argument "what"'],
      ["/?what=user", "warn: 403 GET /?what=user (127.0.0.1): user 7 may not"],
      ["/?what=bare", "warn: 403 GET /?what=bare (127.0.0.1)"],
      ["/?what=theirs", "warn: 409 GET /?what=theirs (127.0.0.1): not with that"],
      ["/?what=busy", "error: 503 GET /?what=busy (127.0.0.1): no room"],
      ["/?what=controls", "warn: 400 GET /?what=controls (127.0.0.1): a\\r\\n\\u001b[1mb"],
      ["/?what=unchanged", "warn: 304 GET /?what=unchanged (127.0.0.1): as it was"],
      ["/?what=number", "warn: 400 GET /?what=number (127.0.0.1): 42"],
      ["/?what=hidden", "warn: 200 GET /?what=hidden (127.0.0.1): hidden"],
    ])("%s", async (path, line) => {
      expect(await linesOf(path)).toEqual([line]);
      const all = await linesOf(path, { accessLog: true });
      expect(all).toEqual([line.replace("(127.0.0.1)", "(127.0.0.1) 0.00ms")]);
    });

    test("also where the client left before there was a page", async () => {
      for (const accessLog of [true, "errors", false] as const) {
        leaving = new AbortController();
        const logger = new MemoryLogger();
        const send = await serve(new Application([["/", Failing]], { logger, accessLog }));
        await send("/?what=endless", { signal: leaving.signal }).catch(() => undefined);
        await vi.waitFor(() =>
          expect(logger.lines).toEqual(["warn: 404 GET /?what=endless (127.0.0.1): endless"]),
        );
      }
    });

    test("also behind a head, where the answer is broken off and no request of the access log", async () => {
      for (const accessLog of [true, "errors", false] as const) {
        expect(await linesOf("/?what=late", { accessLog })).toEqual([
          "warn: 400 GET /?what=late (127.0.0.1): too late",
        ]);
      }
    });
  });
});
