// The class that applications subclass: one instance per request.

import type { MaybePromise } from "@tw/httputil";
import { type PathArgs, type PathParams, paramsOf, type UrlForArgs, urlFor } from "@tw/routing";
import type { Application } from "./application.js";
import { type ArgumentOptions, argumentValues, lastArgument } from "./arguments.js";
import type { HandlerHooks } from "./handler-hooks.js";
import { jsonBody } from "./json-body.js";
import type { Respondable } from "./respond.js";
import { exchangeOf, Responder } from "./responder.js";
import type { Settings } from "./settings.js";
import type { StandardSchema } from "./standard-schema.js";
import { errorPage } from "./write-error.js";

/**
 * Handles one request. A subclass defines a method for each verb that it answers: `get`, `head`, `post`, `put`,
 * `patch`, `delete`, `options`; any other is answered with 405. A verb gets the parameters of the path as arguments;
 * it writes, or returns what is to be written, at once or as a promise. When it is done the response is finished.
 *
 * In order: constructor, `initialize(options)` where a subclass has one, `prepare()`, the verb, `onFinish()`. The body
 * of the request is complete before the first of them runs. What any of them throws is logged and answered with 500
 * (an {@link HTTPError}: with its status), or, once a part of the answer is sent, breaks the connection off.
 *
 * `P` is the pattern that it is written for, `S` the settings that it needs.
 *
 * @example
 * class StoryHandler extends RequestHandler<"/story/:id"> {
 *   get(id: string) {
 *     return { id, same: this.params.id };
 *   }
 * }
 */
export class RequestHandler<P extends string = string, S extends Settings = Settings>
  extends Responder<S>
  implements HandlerHooks
{
  /** Request methods that may reach a verb (its name in lower case); override it to add more. */
  static readonly supportedMethods: readonly string[] = [
    "GET",
    "HEAD",
    "POST",
    "DELETE",
    "PATCH",
    "PUT",
    "OPTIONS",
  ];

  #params: PathParams<P> | undefined = undefined;

  // ── Hooks ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Runs before the verb, whatever it is. Answering here (`finish`, `redirect`, throwing) skips the verb. */
  prepare(): MaybePromise {}

  /** Runs once when the answer is out, or was given up; not for a connection that was upgraded. */
  onFinish(): void {}

  /** Runs when the client goes away before its answer is complete; see {@link signal}. */
  onConnectionClose(): void {}

  /** Sets fields that every answer of this handler has, error pages included. */
  setDefaultHeaders(): void {}

  /** Writes, or returns, the page for an error. `error` is what was thrown: never show it to a client as it is. */
  writeError(status: number, error?: unknown): MaybePromise<Respondable> {
    if (this.settings.serveTraceback === true && error instanceof Error) {
      this.setHeader("Content-Type", "text/plain; charset=UTF-8");
      return error.stack ?? String(error);
    }
    return errorPage(status, exchangeOf(this).reason);
  }

  // ── Request ──────────────────────────────────────────────────────────────────────────────────────────────────────

  get application(): Application<S> {
    return exchangeOf(this).core.owner as Application<S>;
  }

  get settings(): S {
    return exchangeOf(this).core.settings as S;
  }

  /** Parameters of the path by name; optional ones that are absent are left out. */
  get params(): PathParams<P> {
    this.#params ??= paramsOf(exchangeOf(this)) as PathParams<P>;
    return this.#params;
  }

  /** Parameters of the path in order. */
  get pathArgs(): PathArgs<P> {
    return exchangeOf(this).args as PathArgs<P>;
  }

  /** Aborted, with a `ClientGoneError`, when the client goes away before its answer is complete. */
  get signal(): AbortSignal {
    return exchangeOf(this).signal;
  }

  /**
   * The body as JSON, checked by any Standard Schema (zod, valibot, arktype …).
   *
   * @throws HTTPError 415 when Content-Type is not JSON, 400 when the body is not
   * @throws InvalidBodyError 422 when the schema refuses it
   */
  json<T = unknown>(schema?: StandardSchema<T>): Promise<T> {
    return jsonBody(this.request, schema);
  }

  /**
   * The last value of an argument of the query, blanks at its ends taken off, control characters made blanks.
   *
   * @throws MissingArgumentError 400 when there is none and no default
   * @throws HTTPInputError 400 when it is not UTF-8, or there are too many arguments
   */
  getQueryArgument(name: string): string;
  getQueryArgument<D>(name: string, defaultValue: D, options?: ArgumentOptions): string | D;
  getQueryArgument<D>(name: string, ...rest: [defaultValue?: D, options?: ArgumentOptions]): string | D {
    return lastArgument(this.getQueryArguments(name, rest[1]), name, rest);
  }

  /** Every value of an argument of the query, in order. @throws HTTPInputError 400 as {@link getQueryArgument} */
  getQueryArguments(name: string, options?: ArgumentOptions): string[] {
    return argumentValues(this.request.queryArguments, name, options);
  }

  /** As {@link getQueryArgument}. */
  getArgument(name: string): string;
  getArgument<D>(name: string, defaultValue: D, options?: ArgumentOptions): string | D;
  getArgument<D>(name: string, ...rest: [defaultValue?: D, options?: ArgumentOptions]): string | D {
    return lastArgument(this.getArguments(name, rest[1]), name, rest);
  }

  /** As {@link getQueryArguments}. */
  getArguments(name: string, options?: ArgumentOptions): string[] {
    return this.getQueryArguments(name, options);
  }

  /** The path that `pattern` matches with these parameters, escaped. @throws TypeError, RangeError as `urlFor` of routing does */
  urlFor<const Q extends string>(pattern: Q, ...args: UrlForArgs<Q>): string {
    return urlFor(pattern, ...args);
  }
}
