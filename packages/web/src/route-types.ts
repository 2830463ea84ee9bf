// What the compiler checks about a table of routes: parameters, arity, options of initialize, needed settings.

import type { HTTPServerRequest, MaybePromise } from "@tw/httputil";
import type { PathArgs, PathParams } from "@tw/routing";
import type { HandlerHooks } from "./handler-hooks.js";
import type { Respondable } from "./respond.js";
import type { Settings } from "./settings.js";

/** Members of a handler that answer a request method. */
export type VerbName = "get" | "head" | "post" | "put" | "patch" | "delete" | "options";

/** What a handler is made of, opaque to it: hand it to `super`. Says which settings the handler needs. */
export interface HandlerContext<out S extends Settings> {
  readonly request: HTTPServerRequest;
  readonly "~settings"?: S;
}

/** A subclass of RequestHandler that can be used in an application with settings `S`. */
export type HandlerClass<S extends Settings> = new (context: HandlerContext<S>) => HandlerHooks;

/** A handler class once its types were checked. */
export interface UntypedHandlerClass {
  new (context: HandlerContext<Settings>): HandlerHooks;
  readonly prototype: { readonly initialize?: unknown };
  readonly supportedMethods: readonly string[];
}

/** A function as a handler: it answers every method. */
export type Service<P extends string> = (
  request: HTTPServerRequest,
  params: PathParams<P>,
) => MaybePromise<Respondable>;

/** The verbs of `H`, as they are called for the pattern `P`. */
export type Checked<H, P extends string> = {
  [M in VerbName & keyof H]: (...args: PathArgs<P>) => MaybePromise<Respondable>;
};

/** Nothing, where the pattern gives all that the class reads from `params`; else a type that says what is missing. */
export type Provides<P extends string, Declared> =
  PathParams<P> extends Declared
    ? unknown
    : { readonly "~mismatch": ["pattern", P, "does not provide", Declared] };

/** Arguments behind the handler: the options of its `initialize`, optional where they may be left out. */
export type Init<H> = H extends { initialize(options: infer O): void }
  ? unknown extends O
    ? []
    : undefined extends O
      ? [options?: O]
      : [options: O]
  : [];

/** The arguments behind an application's routes: its settings, optional where all of them are. */
export type SettingsArgs<S> = Record<never, never> extends S ? [settings?: S] : [settings: S];
