// A row of the table, checked.

import type { HandlerHooks } from "./handler-hooks.js";
import type { Checked, HandlerClass, HandlerContext, Init, Provides, Service } from "./route-types.js";
import type { Settings } from "./settings.js";

/** A row of the table. Contravariant in `S`: a handler that needs `{ db }` only fits an application that has one. */
export interface Route<P extends string = string, in S = never> {
  readonly pattern: P | RegExp;
  readonly "~handler": object;
  readonly "~init": unknown;
  readonly "~needs"?: (settings: S) => void;
}

/** A row as Tornado writes it: pattern, class, options of `initialize`. The options are not checked by the compiler. */
export type RouteTuple<S extends Settings> =
  | readonly [pattern: string | RegExp, handler: HandlerClass<S>]
  | readonly [pattern: string | RegExp, handler: HandlerClass<S>, init: object];

/** What an application's table is made of. */
export type RouteLike<S extends Settings> = Route<string, S> | RouteTuple<S>;

/** The class side that `route` takes: its verbs fit the pattern's parameters. */
type Fitting<P extends string, S extends Settings, H> = (new (
  context: HandlerContext<S>,
) => H & Checked<H, P>) &
  (H extends { readonly params: infer Declared } ? Provides<P, Declared> : unknown);

/**
 * Makes a row whose handler is checked against its pattern: the parameters that the class declares, the arguments of
 * its verbs, the options of its `initialize`. A function is a handler too and answers every method.
 *
 * @throws TypeError when `handler` is neither a function nor a class (the pattern is checked by the application)
 * @example
 * route("/story/:id", StoryHandler);
 * route("/static/*path", StaticHandler, { root: "./public" });
 * route("/hello/:name", (_request, { name }) => `hello ${name}`);
 */
export function route<const P extends string>(pattern: P, service: Service<P>): Route<P, Settings>;
export function route(pattern: RegExp, service: Service<string>): Route<string, Settings>;
export function route<S extends Settings, H extends HandlerHooks>(
  pattern: RegExp,
  handler: new (context: HandlerContext<S>) => H,
  ...init: Init<H>
): Route<string, S>;
export function route<const P extends string, S extends Settings, H extends HandlerHooks>(
  pattern: P,
  handler: Fitting<P, S, H>,
  ...init: Init<H>
): Route<P, S>;
export function route(pattern: string | RegExp, handler: object, init?: unknown): Route<string, never> {
  if (typeof handler !== "function") throw new TypeError("A route needs a handler class or a function");
  return Object.freeze({ pattern, "~handler": handler, "~init": init });
}
