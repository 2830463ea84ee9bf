// docs/workflow.md says who calls whom. Here a server runs, and its stack traces say so too.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { nativeAvailable } from "@tw/tooling-testing";
import { Application, IOLoop, RequestHandler } from "@tw/tornado";
import { afterEach, describe, expect, it } from "vitest";

const page = fileURLToPath(new URL("../../../docs/workflow.md", import.meta.url));
const text = readFileSync(page, "utf8");

/** Every `[`symbol`](file)` of a text, in order. */
function steps(markdown: string): { symbol: string; file: string }[] {
  return [...markdown.matchAll(/\[`([^`]+)`\]\(([^)]+)\)/g)].map(([, symbol = "", file = ""]) => ({
    symbol,
    file: join(dirname(page), file),
  }));
}

/** The functions between `<!-- name -->` and `<!-- /name -->`, without their classes: a trace names the subclass. */
function functions(name: string): string[] {
  const part = text.split(`<!-- ${name} -->`)[1]?.split(`<!-- /${name} -->`)[0] ?? "";
  return steps(part).map(({ symbol }) => symbol.slice(symbol.lastIndexOf(".") + 1));
}

/** The functions on the stack, outermost first. */
function stack(): string[] {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const lines = new Error().stack?.split("\n").slice(1) ?? [];
  Error.stackTraceLimit = limit;
  return lines.map((line) => /at (?:async )?(?:.*\.)?([\w#$]+) \(/.exec(line)?.[1] ?? "").reverse();
}

/** Whether all of `names` are in `trace`, in this order. */
function missingFrom(trace: readonly string[], names: readonly string[]): string[] {
  let at = 0;
  return names.filter((name) => {
    const found = trace.indexOf(name, at);
    if (found === -1) return true;
    at = found + 1;
    return false;
  });
}

describe("docs/workflow.md", () => {
  it("names files that exist, and functions and classes that are in them", () => {
    const wrong = steps(text).filter(({ symbol, file }) => {
      const name = symbol.slice(symbol.lastIndexOf(".") + 1);
      if (!existsSync(file)) return true;
      if (symbol.startsWith("apps/")) return false;
      const source = readFileSync(file, "utf8");
      const owner = symbol.includes(".") ? symbol.slice(0, symbol.indexOf(".")) : undefined;
      const defined = new RegExp(
        `^(?:export )?(?:async )?(?:function|(?:abstract )?class|interface) ${name}\\b|^\\s*(?:async |protected |private |static )*${name}(?:<[^(]*>)?\\(|^static \\w+ ${name}\\(`,
        "m",
      );
      return (
        !defined.test(source) ||
        (owner !== undefined && !new RegExp(`(?:class|interface) ${owner}\\b`).test(source))
      );
    });
    expect(wrong).toEqual([]);
    expect(steps(text).length).toBeGreaterThan(30);
  });
});

describe.runIf(nativeAvailable)("a running server", () => {
  const waiters: ((text: string) => void)[] = [];
  let inside: string[] = [];
  let onWrite: (() => void) | undefined;

  /** No head is sent twice: one that was known would leave from the page. */
  let answers = 0;

  class Main extends RequestHandler {
    get() {
      inside = stack();
      this.setHeader("X-Answer", ++answers);
      this.write("now");
    }
  }
  class Poll extends RequestHandler {
    async get() {
      this.setHeader("X-Answer", ++answers);
      this.write(await new Promise<string>((resolve) => waiters.push(resolve)));
    }
  }
  class Post extends RequestHandler {
    post() {
      for (const resolve of waiters.splice(0)) resolve("later");
      this.write("sent");
    }
  }

  /** Serves the three handlers, natively, and hears of each write. */
  async function serve() {
    const app = new Application([
      ["/", Main],
      ["/poll", Poll],
      ["/post", Post],
    ]);
    const server = await app.listen(0, "127.0.0.1", { engine: "native" });
    const { poller } = IOLoop.current();
    if (poller === undefined) throw new Error("no poller");
    const { writev } = poller;
    poller.writev = (fd, chunks, skip) => {
      onWrite?.();
      return writev.call(poller, fd, chunks, skip);
    };
    return {
      url: `http://127.0.0.1:${server.port}`,
      async [Symbol.asyncDispose]() {
        poller.writev = writev;
        await server.close();
      },
    };
  }

  afterEach(() => {
    onWrite = undefined;
  });

  it("calls what the way in names, in that order", async () => {
    await using server = await serve();
    await fetch(server.url);
    const [first, ...rest] = functions("in");
    expect(first).toBe("on_ready"); // it is C, and on no stack of JavaScript
    expect(missingFrom(inside, rest)).toEqual([]);
    expect(rest).toHaveLength(13);
  });

  it("writes when the receiver has returned, as the way out says", async () => {
    await using server = await serve();
    let writing: string[] = [];
    onWrite = () => {
      writing = stack();
    };
    await fetch(server.url);
    expect(missingFrom(writing, functions("out"))).toEqual([]);
    expect(functions("out")).toHaveLength(4);
    expect(writing).not.toContain("get");
  });

  it("answers all long polls of one message in one tick, as the last part says", async () => {
    await using server = await serve();
    const polls = [1, 2, 3].map(() => fetch(`${server.url}/poll`).then((response) => response.text()));
    while (waiters.length < polls.length) await new Promise(setImmediate);
    const writing: string[][] = [];
    onWrite = () => writing.push(stack());
    await fetch(`${server.url}/post`, { method: "POST" });
    expect(await Promise.all(polls)).toEqual(["later", "later", "later"]);
    const later = writing.filter((trace) => trace.includes("flushAll"));
    expect(later).toHaveLength(3);
    for (const trace of later) expect(missingFrom(trace, functions("later"))).toEqual([]);
  });
});
