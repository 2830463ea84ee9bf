// Finds the poller of this thread, or finds that there is none. Never throws: without a poller everything above runs
// on the portable engine.

import { requireAddon } from "./native.js";
import { createPoller } from "./poller.js";
import type { Poller } from "./types.js";

/**
 * The poller of this thread, or `undefined` where none can be had: no compiled addon for this system, `TW_NO_NATIVE=1`,
 * or Node's permission model without network access. Asked once per thread; the answer stays.
 */
export function loadPoller(): Poller | undefined {
  if (!asked) {
    asked = true;
    poller = load();
  }
  return poller;
}

/**
 * Why {@link loadPoller} answers `undefined`, for whoever must say so: what Node's loader threw, or an error that names
 * the setting. `undefined` where there is a poller.
 */
export function whyNoPoller(): Error | undefined {
  loadPoller();
  return reason;
}

let asked = false;
let poller: Poller | undefined;
let reason: Error | undefined;

function load(): Poller | undefined {
  try {
    if (disabled()) throw new Error("TW_NO_NATIVE is set");
    if (!networkAllowed()) throw new Error("Node's permission model does not allow the network");
    return createPoller(requireAddon());
  } catch (error) {
    reason = error instanceof Error ? error : new Error(String(error));
    return undefined;
  }
}

function disabled(): boolean {
  const flag = process.env.TW_NO_NATIVE;
  return flag !== undefined && flag !== "" && flag !== "0";
}

/** Our socket calls ask nobody: under the permission model they would be the way around it. */
function networkAllowed(): boolean {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  return permission === undefined || permission.has("net");
}
