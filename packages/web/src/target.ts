// What a row of the table leads to: how its handler is made, and how its verbs are found and called.

import type { HTTPServerRequest } from "@tw/httputil";
import { paramsOf } from "@tw/routing";
import type { Exchange } from "./exchange.js";
import type { HandlerHooks } from "./handler-hooks.js";
import { RequestHandler } from "./request-handler.js";
import type { HandlerContext, UntypedHandlerClass } from "./route-types.js";
import type { Settings } from "./settings.js";

/** Answer of `call` when the handler does not define the verb. */
export const NO_SUCH_VERB: unique symbol = Symbol("no such verb");

/** Makes and calls the handler of one row. */
export interface Target {
  /** Makes the handler of one request and initializes it. */
  create(exchange: Exchange): HandlerHooks;
  /** The name of the method to call for a request method, or `undefined` for one that is not supported at all. */
  verbOf(method: string): string | undefined;
  /** Calls the verb with the parameters of the path; what it returns, or {@link NO_SUCH_VERB}. */
  call(handler: object, verb: string, exchange: Exchange): unknown;
  /** Request methods that the handler answers. */
  allowed(handler: object): readonly string[];
}

/** Methods as they come, and the members that answer them. Methods are case-sensitive, RFC 9110 §9.1. */
const VERBS: ReadonlyMap<string, string> = new Map(
  RequestHandler.supportedMethods.map((method) => [method, method.toLowerCase()]),
);

type Verb = (...args: readonly (string | undefined)[]) => unknown;

/** A row with a class: an instance for each request. */
export class HandlerTarget implements Target {
  readonly #handlerClass: UntypedHandlerClass;
  readonly #init: unknown;
  readonly #initialized: boolean;
  readonly #verbs: ReadonlyMap<string, string>;

  constructor(handlerClass: UntypedHandlerClass, init: unknown) {
    this.#handlerClass = handlerClass;
    this.#init = init;
    this.#initialized = typeof handlerClass.prototype.initialize === "function";
    const methods = handlerClass.supportedMethods;
    this.#verbs =
      methods === RequestHandler.supportedMethods
        ? VERBS
        : new Map(methods.map((method) => [method, method.toLowerCase()]));
  }

  create(exchange: Exchange): HandlerHooks {
    const handler = new this.#handlerClass(exchange as HandlerContext<Settings>);
    exchange.handler = handler;
    if (this.#initialized) (handler as unknown as { initialize(init: unknown): void }).initialize(this.#init);
    return handler;
  }

  verbOf(method: string): string | undefined {
    return this.#verbs.get(method);
  }

  call(handler: object, name: string, exchange: Exchange): unknown {
    const verb = (handler as Readonly<Record<string, Verb | undefined>>)[name];
    return typeof verb === "function" ? verb.apply(handler, exchange.args as string[]) : NO_SUCH_VERB;
  }

  allowed(handler: object): readonly string[] {
    const members = handler as Readonly<Record<string, unknown>>;
    return [...this.#verbs]
      .filter(([, name]) => typeof members[name] === "function")
      .map(([method]) => method);
  }
}

/** A row with a function, which answers every method; a plain RequestHandler stands behind it. */
export class ServiceTarget implements Target {
  readonly #service: (request: HTTPServerRequest, params: Record<string, string>) => unknown;

  constructor(service: (request: HTTPServerRequest, params: Record<string, string>) => unknown) {
    this.#service = service;
  }

  create(exchange: Exchange): HandlerHooks {
    const handler = new RequestHandler(exchange as HandlerContext<Settings>);
    exchange.handler = handler;
    return handler;
  }

  verbOf(method: string): string {
    return method;
  }

  call(_handler: object, _verb: string, exchange: Exchange): unknown {
    return this.#service(exchange.request, paramsOf(exchange));
  }

  allowed(): readonly string[] {
    return [];
  }
}
