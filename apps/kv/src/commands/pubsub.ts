// Commands to publish and to listen.

import { join, leave, type Subscriber } from "../pubsub.js";
import { array, bulk, integer, NIL, ReplyError, unknownSubcommand } from "../resp/replies.js";
import type { Request } from "../resp/request-parser.js";
import { globMatches } from "../store/glob.js";
import { type Client, type Commands, checkPattern } from "./command.js";
import { arg } from "./strings.js";

export const pubsub: Commands = {
  publish: {
    arity: 3,
    run: ({ db }, args) => integer(db.pubsub.publish(checkPattern(db, arg(args, 1)), arg(args, 2))),
  },
  subscribe: { arity: -2, subscribed: true, run: (client, args) => subscribe(client, args, "subscribe") },
  psubscribe: { arity: -2, subscribed: true, run: (client, args) => subscribe(client, args, "psubscribe") },
  unsubscribe: {
    arity: -1,
    subscribed: true,
    run: (client, args) => unsubscribe(client, args, "unsubscribe"),
  },
  punsubscribe: {
    arity: -1,
    subscribed: true,
    run: (client, args) => unsubscribe(client, args, "punsubscribe"),
  },
  pubsub: {
    arity: -2,
    subcommands: new Map([
      ["channels", -2],
      ["numsub", -2],
      ["numpat", 2],
    ]),
    run: inspect,
  },
};

/** Ends everything that a client listens to. */
export function leaveAll(client: Client): void {
  for (const channel of client.channels) leave(client.db.pubsub.channels, channel, client);
  for (const pattern of client.patterns) leave(client.db.pubsub.patterns, pattern, client);
  client.channels.clear();
  client.patterns.clear();
}

/** One answer for each topic: what was done, to which, and how many there are now. */
function subscribe(client: Client, args: Request, kind: "subscribe" | "psubscribe"): string {
  const { own, all } = topicsOf(client, kind === "psubscribe");
  for (let i = 1; i < args.length; i++) checkPattern(client.db, arg(args, i));
  let reply = "";
  for (let i = 1; i < args.length; i++) {
    const topic = arg(args, i);
    if (!own.has(topic)) {
      if (count(client) >= client.db.limits.maxSubscriptions) {
        // What was said before holds.
        client.tell(reply);
        throw new ReplyError("ERR too many subscriptions");
      }
      own.add(topic);
      join(all, topic, client);
    }
    reply += array([bulk(kind), bulk(topic), integer(count(client))]);
  }
  return reply;
}

/** Without topics: from all of them. */
function unsubscribe(client: Client, args: Request, kind: "unsubscribe" | "punsubscribe"): string {
  const { own, all } = topicsOf(client, kind === "punsubscribe");
  const topics = args.length > 1 ? args.slice(1) : [...own];
  if (topics.length === 0) return array([bulk(kind), NIL, integer(count(client))]);
  let reply = "";
  for (const topic of topics) {
    own.delete(topic);
    leave(all, topic, client);
    reply += array([bulk(kind), bulk(topic), integer(count(client))]);
  }
  return reply;
}

function inspect({ db }: Client, args: Request): string {
  const { channels, patterns } = db.pubsub;
  const what = arg(args, 1).toUpperCase();
  if (what === "CHANNELS") {
    if (args.length > 3)
      throw new ReplyError(
        unknownSubcommand("PUBSUB", arg(args, 1), "subcommand or wrong number of arguments for"),
      );
    const pattern = checkPattern(db, args[2] ?? "*");
    return array([...channels.keys()].filter((name) => globMatches(pattern, name)).map(bulk));
  }
  if (what === "NUMPAT") return integer(patterns.size);
  return array(args.slice(2).flatMap((name) => [bulk(name), integer(channels.get(name)?.size ?? 0)]));
}

function topicsOf(
  client: Client,
  patterns: boolean,
): { own: Set<string>; all: Map<string, Set<Subscriber>> } {
  const { pubsub: topics } = client.db;
  return patterns
    ? { own: client.patterns, all: topics.patterns }
    : { own: client.channels, all: topics.channels };
}

function count(client: Client): number {
  return client.channels.size + client.patterns.size;
}
