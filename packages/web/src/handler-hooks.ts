// What an exchange calls on its handler.

import type { MaybePromise } from "@tw/httputil";
import type { Respondable } from "./respond.js";

/** The hooks of a RequestHandler, without its class: the exchange below does not know it. */
export interface HandlerHooks {
  setDefaultHeaders(): void;
  prepare(): MaybePromise;
  writeError(status: number, error?: unknown): MaybePromise<Respondable>;
  onFinish(): void;
  onConnectionClose(): void;
}
