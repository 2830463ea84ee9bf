// For tests: a loop in virtual time, and the suite that every LoopHost has to pass.

import { installLoop } from "./current.js";
import { type HostCase, type HostSubject, hostCases } from "./host-conformance.js";
import { IOLoop } from "./ioloop.js";
import type { IOLoopOptions } from "./loop-options.js";
import { VirtualHost, type VirtualHostOptions, type VirtualIdle, VirtualIdleError } from "./virtual-host.js";

export {
  type HostCase,
  type HostSubject,
  hostCases,
  installLoop,
  VirtualHost,
  type VirtualHostOptions,
  type VirtualIdle,
  VirtualIdleError,
};

/** A loop and the clock it runs by. */
export interface VirtualLoop {
  readonly loop: IOLoop;
  readonly host: VirtualHost;
}

/**
 * Makes a loop in virtual time; it is not `IOLoop.current()` unless {@link installLoop} makes it so.
 *
 * @throws TypeError on options that are none
 */
export function virtualLoop(options: VirtualHostOptions & Omit<IOLoopOptions, "host"> = {}): VirtualLoop {
  const host = new VirtualHost(options);
  return { host, loop: new IOLoop({ ...options, host }) };
}
