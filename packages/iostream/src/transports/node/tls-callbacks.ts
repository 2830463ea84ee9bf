// What Node calls in the middle of a handshake. It calls unguarded and takes what it is given unseen: what is thrown there
// would end the process, and so would an object in place of a context. Here it refuses the one handshake it is about.

import type { ConnectionOptions, SecureContext, TlsOptions } from "node:tls";
import { isPromiseLike } from "@tw/util";

type TLS = typeof import("node:tls");
type SNICallback = NonNullable<TlsOptions["SNICallback"]>;
type CheckServerIdentity = NonNullable<ConnectionOptions["checkServerIdentity"]>;

/** `choose`, but what it throws, rejects with or gives that is no context is an error; its first answer counts. */
export function guardSNI(tls: TLS, choose: SNICallback): SNICallback {
  const made = tls.createSecureContext().constructor;
  return (servername, done) => {
    let answered = false;
    const answer = (error: unknown, context?: unknown): void => {
      if (answered) return;
      answered = true;
      if (error !== null && error !== undefined) done(asError(error));
      else if (context === null || context === undefined) done(null);
      else if (context instanceof made) done(null, context as SecureContext);
      else done(new TypeError("SNICallback must give what tls.createSecureContext() returns"));
    };
    try {
      const result: unknown = choose(servername, answer);
      if (isPromiseLike(result)) result.then(undefined, (error) => answer(asError(error)));
    } catch (error) {
      answer(asError(error));
    }
  };
}

/** `check`, but what it throws counts as what it returns, and a promise, for which nobody would wait, as a refusal. */
export function guardIdentity(check: CheckServerIdentity): CheckServerIdentity {
  return (servername, certificate) => {
    try {
      const refusal: unknown = check(servername, certificate);
      if (!isPromiseLike(refusal))
        return refusal === undefined || refusal === null ? undefined : asError(refusal);
      refusal.then(undefined, () => {});
      return new TypeError("checkServerIdentity must return its answer, and no promise of one");
    } catch (error) {
      return asError(error);
    }
  };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
