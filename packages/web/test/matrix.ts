// The same tests over every way into an application: fetch, and sockets on both engines.

import { onEveryEngine } from "@tw/tooling-testing";
import type { LogFields, Logger } from "@tw/util";
import type { Application } from "@tw/web";
import { afterEach, describe } from "vitest";

/** Sends a request to an application and gives its answer. Redirects are not followed. */
export type Send = (path: string, init?: RequestInit) => Promise<Response>;

/** Makes an application reachable until the test ends. */
export type Serve = (app: Pick<Application, "fetch" | "listen">) => Promise<Send>;

/** Runs a suite through `app.fetch` and over TCP on both engines. */
export function onEveryDriver(suite: (serve: Serve, driver: "fetch" | "native" | "node") => void): void {
  describe("app.fetch", () => {
    suite(async (app) => (path, init) => app.fetch(new Request(`http://localhost${path}`, init)), "fetch");
  });
  onEveryEngine((engine) => {
    const servers: { close(): Promise<void> }[] = [];
    afterEach(async () => {
      await Promise.all(servers.splice(0).map((server) => server.close()));
    });
    suite(async (app) => {
      const server = await app.listen(0, "127.0.0.1", { engine });
      servers.push(server);
      const base = `http://127.0.0.1:${server.port}`;
      return (path, init) => fetch(base + path, { redirect: "manual", ...init });
    }, engine);
  });
}

/** A logger that keeps what it is told. */
export class MemoryLogger implements Logger {
  readonly lines: string[] = [];
  readonly errors: unknown[] = [];
  readonly debug = this.#method("debug");
  readonly info = this.#method("info");
  readonly warn = this.#method("warn");
  readonly error = this.#method("error");

  #method(level: string): (first: string | LogFields, message?: string) => void {
    return (first, message) => {
      this.lines.push(`${level}: ${typeof first === "string" ? first : message}`);
      if (typeof first !== "string" && "err" in first) this.errors.push(first.err);
    };
  }
}
