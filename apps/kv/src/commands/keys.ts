// Commands on keys of any kind.

import { array, bulk, integer, OK, ReplyError, SYNTAX, simple } from "../resp/replies.js";
import type { Request } from "../resp/request-parser.js";
import { globMatches } from "../store/glob.js";
import { type Client, type Command, type Commands, checkPattern, type Database } from "./command.js";
import { expire } from "./expire.js";
import { scan } from "./scan.js";
import { arg } from "./strings.js";

export const keys: Commands = {
  del: counting((db, key) => db.store.delete(key)),
  unlink: counting((db, key) => db.store.delete(key)),
  exists: counting((db, key) => db.store.has(key)),
  type: { arity: 2, run: ({ db }, args) => simple(typeOf(db, arg(args, 1))) },
  expire: { arity: -3, run: ({ db }, args) => expire(db, args, 1000) },
  pexpire: { arity: -3, run: ({ db }, args) => expire(db, args, 1) },
  ttl: { arity: 2, run: ({ db }, args) => timeLeft(db, arg(args, 1), 1000) },
  pttl: { arity: 2, run: ({ db }, args) => timeLeft(db, arg(args, 1), 1) },
  persist: {
    arity: 2,
    run({ db }, args) {
      const had = (db.store.expiresAt(arg(args, 1)) ?? 0) !== 0;
      if (had) db.store.expireAt(arg(args, 1), 0);
      return integer(had ? 1 : 0);
    },
  },
  keys: {
    arity: 2,
    run({ db }, args) {
      const pattern = checkPattern(db, arg(args, 1));
      return array([...db.store.keys()].filter((key) => globMatches(pattern, key)).map(bulk));
    },
  },
  scan: { arity: -2, run: scan },
  dbsize: { arity: 1, run: ({ db }) => integer(db.store.size) },
  flushdb: { arity: -1, run: flush },
  flushall: { arity: -1, run: flush },
};

/** A command that answers for how many of its keys something held. */
function counting(holds: (db: Database, key: string) => boolean): Command {
  return {
    arity: -2,
    run({ db }, args) {
      let count = 0;
      for (let i = 1; i < args.length; i++) if (holds(db, arg(args, i))) count++;
      return integer(count);
    },
  };
}

/** −2 without the key, −1 without a time. */
function timeLeft(db: Database, key: string, unitMs: number): string {
  const when = db.store.expiresAt(key);
  if (when === undefined) return integer(-2);
  return integer(when === 0 ? -1 : Math.round((when - db.now()) / unitMs));
}

function typeOf(db: Database, key: string): string {
  const value = db.store.get(key);
  if (value === undefined) return "none";
  return typeof value === "string" ? "string" : "hash";
}

function flush({ db }: Client, args: Request): string {
  const how = args[1]?.toUpperCase();
  if (args.length > 2 || (how !== undefined && how !== "SYNC" && how !== "ASYNC"))
    throw new ReplyError(SYNTAX);
  db.store.clear();
  return OK;
}
