// Commands on hashes: fields of a key.

import {
  array,
  bulk,
  bulkOrNil,
  EMPTY_ARRAY,
  integer,
  ReplyError,
  WRONG_TYPE,
  wrongArity,
} from "../resp/replies.js";
import type { Commands, Database } from "./command.js";
import { arg } from "./strings.js";

export const hashes: Commands = {
  hset: {
    arity: -4,
    grows: true,
    run({ db }, args) {
      if (args.length % 2 !== 0) throw new ReplyError(wrongArity("hset"));
      const hash = db.store.hash(arg(args, 1));
      if (hash === undefined) throw new ReplyError(WRONG_TYPE);
      let added = 0;
      for (let i = 2; i < args.length; i += 2)
        if (db.store.setField(hash, arg(args, i), arg(args, i + 1))) added++;
      return integer(added);
    },
  },
  hget: { arity: 3, run: ({ db }, args) => bulkOrNil(hashAt(db, arg(args, 1))?.get(arg(args, 2))) },
  hexists: { arity: 3, run: ({ db }, args) => integer(hashAt(db, arg(args, 1))?.has(arg(args, 2)) ? 1 : 0) },
  hlen: { arity: 2, run: ({ db }, args) => integer(hashAt(db, arg(args, 1))?.size ?? 0) },
  hdel: {
    arity: -3,
    run({ db }, args) {
      const key = arg(args, 1);
      const hash = hashAt(db, key);
      let removed = 0;
      for (let i = 2; hash !== undefined && i < args.length; i++)
        if (db.store.deleteField(key, hash, arg(args, i))) removed++;
      return integer(removed);
    },
  },
  hgetall: {
    arity: 2,
    run({ db }, args) {
      const hash = hashAt(db, arg(args, 1));
      return hash === undefined ? EMPTY_ARRAY : array([...hash].flatMap((pair) => pair.map(bulk)));
    },
  },
};

/** @throws ReplyError when the value is no hash */
function hashAt(db: Database, key: string): Map<string, string> | undefined {
  const value = db.store.get(key);
  if (typeof value === "string") throw new ReplyError(WRONG_TYPE);
  return value;
}
