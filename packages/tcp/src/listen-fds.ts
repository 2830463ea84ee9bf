// Sockets that a service manager opened for us (sd_listen_fds(3)): descriptors from 3 on, their number in LISTEN_FDS,
// meant for the process in LISTEN_PID only, their names in LISTEN_FDNAMES. The variables are taken out of the
// environment, so that no child believes they are meant for it.

import { adoptSocket, type SocketOptions } from "./bind-sockets.js";
import { ListenError } from "./errors.js";
import type { ListeningSocket } from "./listening-socket.js";

/** A descriptor that was passed to this process. */
export interface ListenFd {
  readonly fd: number;
  /** What the service manager calls it (`FileDescriptorName=`); `"unknown"` where it does not say. */
  readonly name: string;
}

/** The first descriptor that is passed. */
const FIRST_FD = 3;

/** More than any unit passes: a number above it is a mistake. */
const MAX_LISTEN_FDS = 4096;

/**
 * The descriptors that were passed to this process, none where nobody passed any or they are meant for another. Takes
 * the variables out of `environment`: a second call finds nothing.
 *
 * @throws ListenError `ERR_TW_LISTEN_FDS` when the variables contradict each other
 */
export function listenFds(
  environment: Record<string, string | undefined> = process.env,
): readonly ListenFd[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = environment;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete environment[name];
  if (LISTEN_PID === undefined || LISTEN_FDS === undefined) return [];
  if (wholeNumber("LISTEN_PID", LISTEN_PID) !== process.pid) return [];
  const count = wholeNumber("LISTEN_FDS", LISTEN_FDS);
  if (count > MAX_LISTEN_FDS) throw contradiction(`LISTEN_FDS is ${count}, limit ${MAX_LISTEN_FDS}`);
  const names = LISTEN_FDNAMES?.split(":");
  if (names !== undefined && names.length !== count && !(count === 0 && LISTEN_FDNAMES === "")) {
    throw contradiction(`LISTEN_FDNAMES has ${names.length} names for ${count} descriptors`);
  }
  return Array.from({ length: count }, (_, i) => ({ fd: FIRST_FD + i, name: names?.[i] ?? "unknown" }));
}

/**
 * All listening sockets that the service manager passed, ready for `addSockets`; of one name: {@link listenFds} and
 * `adoptSocket`. Like the former it can be had once.
 *
 * @throws ListenError `ERR_TW_LISTEN_FDS`; `ERR_TW_NOT_LISTENING` when one of them is no listening stream socket
 * @example
 * const passed = await inheritedSockets();
 * if (passed.length > 0) server.addSockets(passed);
 * else await server.listen(8888);
 */
export async function inheritedSockets(options: SocketOptions = {}): Promise<ListeningSocket[]> {
  const sockets: ListeningSocket[] = [];
  try {
    for (const { fd } of listenFds()) sockets.push(await adoptSocket(fd, options));
    return sockets;
  } catch (error) {
    for (const socket of sockets) await socket.close();
    throw error;
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw contradiction(`${name} is ${JSON.stringify(text.slice(0, 64))}, not a number`);
}

function contradiction(message: string): ListenError {
  return new ListenError("ERR_TW_LISTEN_FDS", message);
}
