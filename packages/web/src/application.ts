// An application: a table of routes with the settings that its handlers need.

import type { HTTPServer, HTTPServerOptions } from "@tw/httpserver";
import type { HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate } from "@tw/httputil";
import type { IOLoop } from "@tw/ioloop";
import { RouteTable } from "@tw/routing";
import { checkOptions, type Logger } from "@tw/util";
import { ApplicationCore } from "./application-core.js";
import { type FetchInfo, fetchThrough } from "./fetch.js";
import { HandlerDelegate } from "./handler-delegate.js";
import type { RouteLike } from "./route.js";
import type { SettingsArgs } from "./route-types.js";
import type { Settings } from "./settings.js";
import type { Target } from "./target.js";
import { toRow } from "./to-row.js";

/** Bytes of a body where no setting says otherwise: that of docs/limits.md. */
const MAX_BODY_SIZE = 10 * 1024 * 1024;

/**
 * A table of routes. The first row that matches a path answers; none: 404.
 *
 * It is a delegate, to be given to any HTTP server; `listen` makes one. And it is a fetch function, so that it can be
 * tested, or run elsewhere, without sockets.
 *
 * @example
 * const app = new Application([
 *   ["/", MainHandler],
 *   route("/story/:id", StoryHandler),
 *   route("/healthz", () => "ok"),
 * ]);
 * await using server = await app.listen(8888);
 * await app.fetch(new Request("http://localhost/healthz"));
 */
export class Application<S extends Settings = Settings>
  implements HTTPServerConnectionDelegate, AsyncDisposable
{
  readonly settings: S;
  /**
   * Answers a Web `Request` with a `Response`; bound, so that it can be handed on. Bodies stream both ways. Rejects with
   * the request's `signal.reason` when that is aborted before there is an answer.
   */
  readonly fetch: (request: Request, info?: FetchInfo) => Promise<Response>;
  readonly #core: ApplicationCore;
  readonly #table: RouteTable<Target>;
  readonly #servers = new Set<HTTPServer>();

  /**
   * @throws TypeError for a row that is none, or a pattern that cannot be one
   * @throws TypeError, RangeError for a setting that cannot be
   */
  constructor(routes: readonly RouteLike<S>[], ...[settings]: SettingsArgs<S>) {
    this.settings = (settings ?? {}) as S;
    this.#core = new ApplicationCore(this, this.settings);
    this.#table = new RouteTable(routes.map(toRow));
    const { maxBodySize = MAX_BODY_SIZE } = this.settings;
    // Asked once there is something to wait for: to fetch takes no loop.
    const nextTurn = () => new Promise<void>((resolve) => this.loop.addCallback(resolve));
    this.fetch = (request, info = {}) => fetchThrough(this, request, info, { maxBodySize, nextTurn });
  }

  /** Hears of failures in handlers, and takes the access log. */
  get logger(): Logger {
    return this.#core.logger;
  }

  get loop(): IOLoop {
    return this.#core.loop;
  }

  /** Takes a request from a driver: an HTTP server, or `fetch`. */
  startRequest(connection: HTTPConnection): HTTPMessageDelegate {
    return new HandlerDelegate(this.#core, this.#table, connection);
  }

  /**
   * Serves HTTP on `port` (0: any free one, see the server's `port`) of `address` (`""`: every address).
   *
   * @throws TypeError for options that are none; RangeError for a port outside 0 to 65535
   * @throws SystemError such as `EADDRINUSE`
   */
  async listen(port: number, address = "", options: HTTPServerOptions = {}): Promise<HTTPServer> {
    checkOptions("options", options);
    const { HTTPServer } = await import("@tw/httpserver");
    const { maxBodySize } = this.settings;
    const size = maxBodySize === undefined ? {} : { maxBodySize };
    const server = new HTTPServer(this, { loop: this.loop, logger: this.logger, ...size, ...options });
    await server.listen(port, address);
    this.#servers.add(server);
    return server;
  }

  /** Closes every server that `listen` made. */
  async [Symbol.asyncDispose](): Promise<void> {
    const servers = [...this.#servers];
    this.#servers.clear();
    await Promise.all(servers.map((server) => server.close()));
  }
}
