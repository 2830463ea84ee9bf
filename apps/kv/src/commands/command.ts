// What a command is: how many arguments it takes, and what it answers.

import type { Limits } from "../limits.js";
import type { PubSub, Subscriber } from "../pubsub.js";
import { ReplyError } from "../resp/replies.js";
import type { Request } from "../resp/request-parser.js";
import type { Store } from "../store/store.js";
import type { Sweeper } from "../store/sweeper.js";

/** What all clients share. */
export interface Database {
  readonly store: Store;
  readonly sweeper: Sweeper;
  readonly pubsub: PubSub;
  readonly limits: Limits;
  readonly stats: Stats;
  /** Milliseconds that never go back. */
  now(): number;
}

/** What INFO tells. */
export interface Stats {
  clients: number;
  connections: number;
  commands: number;
}

/** A client as its commands see it. */
export interface Client extends Subscriber {
  readonly db: Database;
  readonly channels: Set<string>;
  readonly patterns: Set<string>;
  /** Iterations that SCAN left open, by their cursors. */
  readonly scans: Map<string, Iterator<string, void>>;
  /** Ends the connection once everything was answered. */
  quit(): void;
}

/** Answers a request; throws `ReplyError` for an error. `args[0]` is the name as the client wrote it. */
export type Run = (client: Client, args: Request) => string;

/**
 * A channel or a pattern that a client names. What it subscribes to is kept, and a long pattern takes long to be matched.
 *
 * @throws ReplyError beyond `maxPatternSize`
 */
export function checkPattern({ limits }: Database, pattern: string): string {
  if (pattern.length > limits.maxPatternSize) throw new ReplyError("ERR channel or pattern is too long");
  return pattern;
}

/** One command. */
export interface Command {
  /** How many words a request has, its name included; −n is n or more. */
  readonly arity: number;
  /** What may stand behind its name, in lower case, each with an arity of its own; anything else there is unknown. */
  readonly subcommands?: ReadonlyMap<string, number>;
  readonly run: Run;
  /** Adds to memory: refused when that is full. */
  readonly grows?: boolean;
  /** Allowed to a client that has subscribed. */
  readonly subscribed?: boolean;
}

/** Commands by name, in lower case. */
export type Commands = Readonly<Record<string, Command>>;
