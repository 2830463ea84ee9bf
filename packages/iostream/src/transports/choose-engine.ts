// Which engine carries the bytes. The only place that reads TW_ENGINE.

import type { IOLoop } from "@tw/ioloop";
import { whyNoPoller } from "@tw/poller";
import { quote, TwError } from "@tw/util";

/**
 * Throws unless there is an engine of this name, or it is left out: for whoever chooses later.
 *
 * @throws TwError `ERR_TW_ENGINE`
 */
export function checkEngine(choice: "native" | "node" | undefined): void {
  if (choice !== undefined) checkName("engine", choice);
}

/**
 * The engine to use: what was asked for, else `TW_ENGINE`, else native where the poller loads.
 *
 * @throws TwError `ERR_TW_ENGINE` for a name that no engine has
 * @throws TwError `ERR_TW_NO_POLLER` when native was asked for and cannot be had (the `cause` is why): it never falls back silently
 */
export function chooseEngine(loop: IOLoop, choice: "native" | "node" | undefined): "native" | "node" {
  const asked = choice ?? process.env.TW_ENGINE ?? "";
  if (asked === "node") return "node";
  if (asked !== "") checkName(choice === undefined ? "TW_ENGINE" : "engine", asked);
  if (loop.poller !== undefined) return "native";
  if (asked === "") return "node";
  const cause = whyNoPoller() ?? new Error("The loop's host has no poller");
  const [reason] = cause.message.split("\n"); // below it Node lists who required what
  const message = `The native engine was asked for and cannot be had: ${reason}; use engine "node"`;
  throw new TwError("ERR_TW_NO_POLLER", message, { cause });
}

function checkName(where: string, name: unknown): void {
  if (name === "native" || name === "node") return;
  throw new TwError("ERR_TW_ENGINE", `${where} is ${quote(name)}; it may be "native" or "node"`);
}
