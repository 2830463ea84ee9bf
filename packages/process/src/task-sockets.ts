// Listening sockets that all children of forkProcesses share.
//
// Native engine: the parent binds one SO_REUSEPORT socket per task and address, and hands it down as a descriptor. The
// kernel spreads connections over the tasks; those that wait for a task whose child has crashed wait for the next child,
// because the parent holds the socket open. (Closing one of several SO_REUSEPORT sockets resets what waits in it.)
//
// Node engine: node:cluster does it. A child that listens is given a socket that the parent holds, the same for all;
// whoever comes first accepts. It is closed with the last child that listens.

import type { IOLoop } from "@tw/ioloop";
import { adoptSocket, type BindOptions, bindSockets, checkBinding, type ListeningSocket } from "@tw/tcp";
import { checkOptions } from "@tw/util";

/** What the children are to listen on. */
export interface TaskListen extends Pick<BindOptions, "engine" | "backlog" | "family"> {
  /** 0 is any free one, the same for all children. */
  readonly port: number;
  /** A numeric address or a host name; `""` is every address of the machine. @default "" */
  readonly address?: string;
}

/** Throws unless children can be told to listen on it. @throws TypeError, RangeError; TwError `ERR_TW_ENGINE` */
export function checkTaskListen(listen: TaskListen): void {
  checkOptions("listen", listen ?? null, { number: "port" });
  const { port, address, ...options } = listen;
  checkBinding(port, address, options);
}

/** What a child is told, in its environment: a descriptor that it has, or what it is to ask node:cluster for. */
export type SocketPlan = readonly (PlannedFd | PlannedPort)[];

interface PlannedFd {
  readonly fd: number;
  readonly backlog?: number | undefined;
}

interface PlannedPort extends Pick<BindOptions, "family"> {
  readonly port: number;
  readonly address: string;
  readonly backlog?: number | undefined;
}

/** The first descriptor that is handed down: 0 to 2 are the standard ones, 3 is the channel of node:cluster. */
export const FIRST_FD = 4;

/** The parent's side: what it holds for each task. */
export class HeldSockets {
  readonly #planned: PlannedPort[] = [];
  /** Per task, with the backlog it was bound with; on the node engine there are none. */
  readonly #held: { readonly socket: ListeningSocket; readonly backlog: number | undefined }[][];

  private constructor(count: number) {
    this.#held = Array.from({ length: count }, () => []);
  }

  /** Binds for `count` tasks. Rejects as `bindSockets` does (`EADDRINUSE`), and then nothing is bound. */
  static async bind(count: number, listens: readonly TaskListen[]): Promise<HeldSockets> {
    const held = new HeldSockets(count);
    try {
      for (const listen of listens) await held.#bind(listen);
      return held;
    } catch (error) {
      await held.close();
      throw error;
    }
  }

  async #bind({ address = "", port: asked, ...options }: TaskListen): Promise<void> {
    // First without SO_REUSEPORT: a port that somebody else serves is not to be shared with them by mistake.
    const probes = await bindSockets(asked, address, options);
    const native = probes.every(({ fd }) => fd !== undefined);
    const port = probes[0]?.port ?? asked;
    await closeAll(probes);
    const { backlog, family = 0 } = options;
    if (!native) {
      this.#planned.push({ port, address, backlog, family });
      return;
    }
    for (const task of this.#held) {
      const sockets = await bindSockets(port, address, { ...options, reusePort: true });
      task.push(...sockets.map((socket) => ({ socket, backlog })));
    }
  }

  /** The descriptors of one task, to be handed down from descriptor 4 on. */
  descriptors(id: number): number[] {
    return (this.#held[id] ?? []).flatMap(({ socket: { fd } }) => (fd === undefined ? [] : [fd]));
  }

  /** What the child of a task is told. */
  plan(id: number): SocketPlan {
    const handed = (this.#held[id] ?? []).map(({ backlog }, at) => ({ fd: FIRST_FD + at, backlog }));
    return [...handed, ...this.#planned];
  }

  /** Lets go of one task's sockets: they live as long as a child has them. */
  async closeTask(id: number): Promise<void> {
    await closeAll((this.#held[id]?.splice(0) ?? []).map(({ socket }) => socket));
  }

  /** Lets go of all. */
  async close(): Promise<void> {
    for (const id of this.#held.keys()) await this.closeTask(id);
  }
}

/** The child's side: makes sockets of what it was told. */
export async function socketsOf(plan: SocketPlan, loop: IOLoop): Promise<ListeningSocket[]> {
  const sockets: ListeningSocket[] = [];
  try {
    for (const part of plan) {
      const shared = { loop, ...(part.backlog === undefined ? {} : { backlog: part.backlog }) };
      // The parent lets go of what a task listens on before it ends the task, or when the task has ended by itself.
      if ("fd" in part)
        sockets.push(await adoptSocket(part.fd, { ...shared, engine: "native", soleOwner: true }));
      else {
        const { port, address, family = 0 } = part;
        sockets.push(
          ...(await bindSockets(port, address, { ...shared, family, engine: "node", shared: true })),
        );
      }
    }
    return sockets;
  } catch (error) {
    await closeAll(sockets);
    throw error;
  }
}

async function closeAll(sockets: readonly ListeningSocket[]): Promise<void> {
  for (const socket of sockets) await socket.close();
}
