// From a request to an answer: finds the command, checks what holds for all of them, runs it.

import { error, OUT_OF_MEMORY, ReplyError, unknownSubcommand, wrongArity } from "../resp/replies.js";
import type { Request } from "../resp/request-parser.js";
import type { Client, Command, Commands } from "./command.js";
import { hashes } from "./hashes.js";
import { keys } from "./keys.js";
import { pubsub } from "./pubsub.js";
import { describeCommands, server } from "./server.js";
import { strings } from "./strings.js";

const ALL: Commands = { ...strings, ...keys, ...hashes, ...pubsub, ...server };

/** By the names in both cases. A map and not an object: a client may ask for `constructor`. */
const TABLE: ReadonlyMap<string, Command> = new Map(
  Object.entries({ ...ALL, ...describeCommands(ALL) }).flatMap(([name, command]) => [
    [name, command],
    [name.toUpperCase(), command],
  ]),
);

/** Answers one request. Never throws: what a command throws is an answer, or our fault and an answer too. */
export function execute(client: Client, args: Request, failed: (error: unknown) => void): string {
  const { db } = client;
  const name = args[0] as string;
  // Clients write GET, get or Get; the last of these seldom.
  const command = TABLE.get(name) ?? TABLE.get(name.toLowerCase());
  db.stats.commands++;
  if (command === undefined) return unknown(args);
  const { subcommands } = command;
  const part = subcommands === undefined ? undefined : args[1]?.toLowerCase();
  const arity = part === undefined ? command.arity : subcommands?.get(part);
  if (arity === undefined) return error(unknownSubcommand(name.toUpperCase(), args[1] as string));
  if (arity >= 0 ? args.length !== arity : args.length < -arity)
    return error(wrongArity(fullName(name, part)));
  if (client.channels.size + client.patterns.size > 0 && command.subscribed !== true)
    return error(
      `ERR Can't execute '${fullName(name, part)}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
    );
  if (command.grows === true && db.store.weight + weigh(args) > db.limits.maxMemory)
    return error(OUT_OF_MEMORY);
  try {
    return command.run(client, args);
  } catch (thrown) {
    if (thrown instanceof ReplyError) return error(thrown.message);
    failed(thrown);
    return error("ERR internal error");
  }
}

function weigh(args: Request): number {
  let weight = 0;
  for (const word of args) weight += word.length;
  return weight;
}

/** A subcommand stands behind a bar. */
function fullName(name: string, part: string | undefined): string {
  return part === undefined ? name.toLowerCase() : `${name.toLowerCase()}|${part}`;
}

function unknown(args: Request): string {
  const [name = "", ...rest] = args;
  let shown = "";
  for (const word of rest) {
    if (shown.length >= 128) break;
    shown += `'${word.slice(0, 128 - shown.length)}' `;
  }
  return error(`ERR unknown command '${name.slice(0, 128)}', with args beginning with: ${shown}`);
}
