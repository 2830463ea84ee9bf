// Which engine carries the bytes. The only place that reads TW_ENGINE.

import type { IOLoop } from "@tw/ioloop";
import { whyNoPoller } from "@tw/poller";
import { TwError } from "@tw/util";

/**
 * The engine to use: what was asked for, else `TW_ENGINE`, else native where the poller loads.
 *
 * @throws TwError `ERR_TW_NO_POLLER` when native was asked for and cannot be had (the `cause` is why): it never falls back silently
 */
export function chooseEngine(loop: IOLoop, choice: "native" | "node" | undefined): "native" | "node" {
  const asked = choice ?? process.env.TW_ENGINE ?? "";
  if (asked === "node") return "node";
  if (asked !== "" && asked !== "native") {
    const where = choice === undefined ? "TW_ENGINE" : "engine";
    throw new TwError("ERR_TW_ENGINE", `${where} is "${asked}"; it may be "native" or "node"`);
  }
  if (loop.poller !== undefined) return "native";
  if (asked === "") return "node";
  const cause = whyNoPoller() ?? new Error("The loop's host has no poller");
  const [reason] = cause.message.split("\n"); // below it Node lists who required what
  const message = `The native engine was asked for and cannot be had: ${reason}; use engine "node"`;
  throw new TwError("ERR_TW_NO_POLLER", message, { cause });
}
