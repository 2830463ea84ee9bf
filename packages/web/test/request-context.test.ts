// The context of a request, where the server of an application is told to make one: handlers are in it, and their log.

import { currentRequest } from "@tw/httpserver";
import { createLogger, logContext } from "@tw/log";
import { onEveryEngine } from "@tw/tooling-testing";
import { Application, HTTPError, RequestHandler, type Settings } from "@tw/web";
import { expect, test } from "vitest";

onEveryEngine((engine) => {
  test("requestContext of listen(): handlers and hooks know their request, and each record has its id", async () => {
    const records: { msg: string; requestId?: string }[] = [];
    const stream = { write: (line: string) => records.push(JSON.parse(line)) > 0 };
    const logger = createLogger({ stream, format: "json" });
    const seen: string[] = [];
    const see = (where: string): void =>
      void seen.push(`${where} ${currentRequest()?.id} ${logContext()?.requestId}`);
    class Main extends RequestHandler<"/:what"> {
      override async prepare(): Promise<void> {
        await undefined;
        see("prepare");
      }
      async get(): Promise<string> {
        await new Promise((resolve) => setImmediate(resolve));
        see("get");
        if (this.params.what === "fail") throw new Error("handler");
        if (this.params.what === "refuse") throw new HTTPError(403, "not you");
        return "ok";
      }
      override onFinish(): void {
        see("onFinish");
      }
    }
    const app = new Application<Settings>([["/:what", Main]], { logger, accessLog: true });
    const server = await app.listen(0, "127.0.0.1", {
      engine,
      requestContext: { makeId: ({ path }) => path, responseHeader: "X-Request-Id" },
    });
    const paths = ["/fine", "/fail", "/refuse"];
    for (const path of paths) {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      expect(response.headers.get("x-request-id")).toBe(path);
      await response.arrayBuffer();
    }
    await server.close();
    expect(seen).toEqual(
      paths.flatMap((path) => ["prepare", "get", "onFinish"].map((where) => `${where} ${path} ${path}`)),
    );
    expect(records.map(({ msg, requestId }) => `${requestId} ${msg.split(" (")[0]}`)).toEqual([
      "/fine 200 GET /fine",
      "/fail Uncaught exception GET /fail",
      "/fail 500 GET /fail",
      "/refuse 403 GET /refuse",
    ]);
  });
});
