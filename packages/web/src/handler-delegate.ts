// Receives one request for an application: finds its row, collects its body, runs its handler.

import {
  type HTTPConnection,
  type HTTPHeaders,
  type HTTPMessageDelegate,
  HTTPServerRequest,
  type RequestStartLine,
  type ResponseStartLine,
} from "@tw/httputil";
import type { RouteMatch, RouteTable } from "@tw/routing";
import { concatBytes } from "@tw/util";
import type { ApplicationCore } from "./application-core.js";
import { Exchange } from "./exchange.js";
import { execute } from "./execute.js";
import { NOT_FOUND } from "./not-found.js";
import type { Target } from "./target.js";

/** The delegate of one request. */
export class HandlerDelegate implements HTTPMessageDelegate {
  readonly #core: ApplicationCore;
  readonly #table: RouteTable<Target>;
  readonly #connection: HTTPConnection;
  #request: HTTPServerRequest | undefined = undefined;
  #match: RouteMatch<Target> | undefined = undefined;
  #chunks: Uint8Array[] | undefined = undefined;
  #exchange: Exchange | undefined = undefined;

  constructor(core: ApplicationCore, table: RouteTable<Target>, connection: HTTPConnection) {
    this.#core = core;
    this.#table = table;
    this.#connection = connection;
  }

  headersReceived(startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): void {
    const request = new HTTPServerRequest(startLine as RequestStartLine, headers, this.#connection);
    this.#request = request;
    this.#match = this.#table.match(request.path);
  }

  /** Copies the chunk: it is a view. The driver's limit bounds how much comes; what nobody will read is not kept. */
  dataReceived(chunk: Uint8Array): void {
    if (this.#match === undefined) return;
    this.#chunks ??= [];
    this.#chunks.push(new Uint8Array(chunk)); // not slice(): a Buffer would share its memory
  }

  /** Runs the handler. Whatever it throws is answered or logged, so that nothing comes back to the driver. */
  finish(): void {
    const request = this.#request as HTTPServerRequest;
    const match = this.#match;
    const chunks = this.#chunks;
    if (chunks !== undefined) {
      request.body = chunks.length === 1 ? (chunks[0] as Uint8Array) : concatBytes(chunks);
      this.#chunks = undefined;
    }
    if (match === undefined) {
      this.#exchange = new Exchange(this.#core, request, NO_ARGS, undefined);
      execute(this.#exchange, NOT_FOUND, false);
      return;
    }
    this.#exchange = new Exchange(this.#core, request, match.args, match.names);
    execute(this.#exchange, match.target, match.malformed);
  }

  onConnectionClose(error?: unknown): void {
    this.#chunks = undefined;
    this.#exchange?.peerGone(error);
  }
}

const NO_ARGS: readonly string[] = [];
