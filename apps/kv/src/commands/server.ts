// Commands about the connection and the server: as much as redis-cli, redis-benchmark and client libraries ask for.

import {
  array,
  bulk,
  EMPTY_ARRAY,
  integer,
  NOT_INTEGER,
  OK,
  ReplyError,
  SYNTAX,
  simple,
  wrongArity,
} from "../resp/replies.js";
import type { Request } from "../resp/request-parser.js";
import { globMatches } from "../store/glob.js";
import { parseInteger } from "../store/integers.js";
import type { Client, Commands, Database } from "./command.js";
import { leaveAll } from "./pubsub.js";
import { arg } from "./strings.js";

export const server: Commands = {
  ping: { arity: -1, subscribed: true, run: ping },
  echo: { arity: 2, run: (_client, args) => bulk(arg(args, 1)) },
  select: { arity: 2, run: select },
  quit: {
    arity: -1,
    subscribed: true,
    run(client) {
      client.quit();
      return OK;
    },
  },
  reset: { arity: 1, subscribed: true, run: reset },
  // The first lines of an HTTP request: a page in somebody's browser sends its bytes to any port of this machine, and
  // what it wrote into them would be commands (cross-protocol scripting). No client of ours says this.
  post: { arity: -1, run: leaveAtOnce, subscribed: true },
  "host:": { arity: -1, run: leaveAtOnce, subscribed: true },
  info: { arity: -1, run: ({ db }) => bulk(info(db)) },
  config: {
    arity: -2,
    subcommands: new Map([
      ["get", -3],
      ["set", -4],
    ]),
    run: config,
  },
};

function leaveAtOnce(client: Client): string {
  client.quit();
  throw new ReplyError("ERR this is not an HTTP server");
}

/** As if the client had just come. */
function reset(client: Client): string {
  leaveAll(client);
  client.scans.clear();
  return simple("RESET");
}

function ping(client: Client, args: Request): string {
  if (args.length > 2) throw new ReplyError(wrongArity("ping"));
  // A client that has subscribed takes arrays only.
  if (client.channels.size + client.patterns.size > 0) return array([bulk("pong"), bulk(args[1] ?? "")]);
  return args[1] === undefined ? simple("PONG") : bulk(args[1]);
}

function select(_client: Client, args: Request): string {
  const index = parseInteger(arg(args, 1));
  if (index === undefined) throw new ReplyError(NOT_INTEGER);
  if (index !== 0) throw new ReplyError("ERR DB index is out of range");
  return OK;
}

function info({ store, stats, limits, pubsub }: Database): string {
  return [
    "# Server",
    "redis_mode:standalone",
    `process_id:${process.pid}`,
    "",
    "# Clients",
    `connected_clients:${stats.clients}`,
    `maxclients:${limits.maxClients}`,
    "",
    "# Memory",
    `used_memory:${store.weight}`,
    `maxmemory:${limits.maxMemory}`,
    "maxmemory_policy:noeviction",
    "",
    "# Stats",
    `total_connections_received:${stats.connections}`,
    `total_commands_processed:${stats.commands}`,
    `pubsub_channels:${pubsub.channels.size}`,
    `pubsub_patterns:${pubsub.patterns.size}`,
    "",
    "# Keyspace",
    ...(store.size > 0 ? [`db0:keys=${store.size},expires=${store.expiring},avg_ttl=0`] : []),
    "",
  ].join("\r\n");
}

function config({ db }: Client, args: Request): string {
  const [, asked = "", ...rest] = args;
  const settings = settingsOf(db);
  if (asked.toUpperCase() === "GET") return getSettings(settings, rest);
  throw new ReplyError(refusalToSet(settings, rest));
}

type Settings = readonly (readonly [name: string, value: string])[];

function settingsOf(db: Database): Settings {
  return [
    ["save", ""],
    ["appendonly", "no"],
    ["databases", "1"],
    ["maxmemory", String(db.limits.maxMemory)],
    ["maxclients", String(db.limits.maxClients)],
    ["proto-max-bulk-len", String(db.limits.maxBulkSize)],
  ];
}

function getSettings(settings: Settings, patterns: Request): string {
  const wanted = patterns.map((pattern) => pattern.toLowerCase());
  const found = settings.filter(([name]) => wanted.some((pattern) => globMatches(pattern, name)));
  return array(found.flatMap((setting) => setting.map(bulk)));
}

/** All of them are what Redis calls immutable: they are given when the server is made. */
function refusalToSet(settings: Settings, [name = "", ...rest]: Request): string {
  if (rest.length % 2 === 0) return SYNTAX;
  return settings.some(([known]) => known === name.toLowerCase())
    ? `ERR CONFIG SET failed (possibly related to argument '${name}') - can't set immutable config`
    : `ERR Unknown option or number of arguments for CONFIG SET - '${name}'`;
}

/** COMMAND, which needs the table that it is in. */
export function describeCommands(all: Commands): Commands {
  const names = Object.keys(all).filter((name) => name !== "post" && name !== "host:");
  return {
    command: {
      arity: -1,
      subcommands: new Map([
        ["count", 2],
        ["docs", -2],
      ]),
      run(_client, args) {
        const what = args[1]?.toUpperCase();
        if (what === "COUNT") return integer(names.length + 1);
        if (what === "DOCS") return EMPTY_ARRAY;
        return array(
          names.map((name) => {
            const arity = all[name]?.arity ?? -1;
            return array([bulk(name), integer(arity), EMPTY_ARRAY, integer(0), integer(0), integer(0)]);
          }),
        );
      },
    },
  };
}
