// Commands on strings.

import {
  array,
  bulk,
  bulkOrNil,
  integer,
  NIL,
  NOT_INTEGER,
  OK,
  REPLY_TOO_LARGE,
  ReplyError,
  WRONG_TYPE,
  wrongArity,
} from "../resp/replies.js";
import type { Request } from "../resp/request-parser.js";
import { addIntegers, parseInteger } from "../store/integers.js";
import type { Client, Commands, Database } from "./command.js";
import { setOptions } from "./set-options.js";
import { deadline } from "./times.js";

export const strings: Commands = {
  get: { arity: 2, run: ({ db }, args) => bulkOrNil(stringAt(db, arg(args, 1))) },
  set: { arity: -3, run: set, grows: true },
  setnx: {
    arity: 3,
    grows: true,
    run({ db }, args) {
      if (db.store.has(arg(args, 1))) return integer(0);
      db.store.set(arg(args, 1), arg(args, 2));
      return integer(1);
    },
  },
  getset: {
    arity: 3,
    grows: true,
    run({ db }, args) {
      const old = stringAt(db, arg(args, 1));
      db.store.set(arg(args, 1), arg(args, 2));
      return bulkOrNil(old);
    },
  },
  getdel: {
    arity: 2,
    run({ db }, args) {
      const old = stringAt(db, arg(args, 1));
      db.store.delete(arg(args, 1));
      return bulkOrNil(old);
    },
  },
  append: {
    arity: 3,
    grows: true,
    run({ db }, args) {
      const length = (stringAt(db, arg(args, 1))?.length ?? 0) + arg(args, 2).length;
      if (length > db.limits.maxBulkSize) throw new ReplyError("ERR string exceeds maximum allowed size");
      db.store.append(arg(args, 1), arg(args, 2));
      return integer(length);
    },
  },
  strlen: { arity: 2, run: ({ db }, args) => integer(stringAt(db, arg(args, 1))?.length ?? 0) },
  mget: { arity: -2, run: mget },
  mset: {
    arity: -3,
    grows: true,
    run({ db }, args) {
      if (args.length % 2 === 0) throw new ReplyError(wrongArity("mset"));
      for (let i = 1; i < args.length; i += 2) db.store.set(arg(args, i), arg(args, i + 1));
      return OK;
    },
  },
  incr: { arity: 2, grows: true, run: ({ db }, args) => add(db, arg(args, 1), 1) },
  decr: { arity: 2, grows: true, run: ({ db }, args) => add(db, arg(args, 1), -1) },
  incrby: { arity: 3, grows: true, run: ({ db }, args) => add(db, arg(args, 1), integerOf(arg(args, 2))) },
  decrby: {
    arity: 3,
    grows: true,
    run({ db }, args) {
      const by = addIntegers(0n, -BigInt(integerOf(arg(args, 2))));
      if (by === undefined) throw new ReplyError("ERR decrement would overflow");
      return add(db, arg(args, 1), by);
    },
  },
};

/** SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL] */
function set({ db }: Client, args: Request): string {
  const key = arg(args, 1);
  const { only, life, wantsOld } = setOptions(args);
  const expiresAt = typeof life === "object" ? deadline(db, life.count, life.unitMs, "set") : life;
  const old = wantsOld ? stringAt(db, key) : undefined;
  const refused = only !== undefined && db.store.has(key) !== (only === "XX");
  if (!refused) {
    db.store.set(key, arg(args, 2), expiresAt ?? 0);
    if (expiresAt !== undefined) db.sweeper.start();
  }
  if (wantsOld) return bulkOrNil(old);
  return refused ? NIL : OK;
}

function mget({ db }: Client, args: Request): string {
  const items: string[] = [];
  let size = 0;
  for (let i = 1; i < args.length; i++) {
    const value = db.store.get(arg(args, i));
    items.push(typeof value === "string" ? bulk(value) : NIL);
    size += items[i - 1]?.length ?? 0;
    // One large value, asked for ten thousand times in one request.
    if (size > db.limits.maxReplySize) throw new ReplyError(REPLY_TOO_LARGE);
  }
  return array(items);
}

function add(db: Database, key: string, by: number | bigint): string {
  const sum = addIntegers(integerOf(stringAt(db, key) ?? "0"), by);
  if (sum === undefined) throw new ReplyError("ERR increment or decrement would overflow");
  db.store.set(key, String(sum), "keep");
  return integer(sum);
}

function integerOf(text: string): number | bigint {
  const value = parseInteger(text);
  if (value === undefined) throw new ReplyError(NOT_INTEGER);
  return value;
}

/** @throws ReplyError when the value is no string */
function stringAt(db: Database, key: string): string | undefined {
  const value = db.store.get(key);
  if (value === undefined || typeof value === "string") return value;
  throw new ReplyError(WRONG_TYPE);
}

/** A word of a request: that it is there was checked against the arity. */
export function arg(args: Request, at: number): string {
  return args[at] as string;
}
