// The names of a simulated network, and what may go wrong when one is asked for.

import { isValidIp, type ResolvedAddress } from "@tw/tcp";

/** A resolver's failure, or its slowness. */
export interface NameFault {
  /** `ENOTFOUND`, `EAI_AGAIN`, `ETIMEOUT`…: what the question ends in. @default none, the answer comes */
  readonly code?: string;
  /** Virtual milliseconds until then. @default 0 */
  readonly afterMs?: number;
  /** How many questions it concerns. @default all */
  readonly times?: number;
}

/** What is known of names. */
export class Names {
  readonly #records = new Map<string, readonly string[]>([["localhost", ["127.0.0.1", "::1"]]]);
  readonly #faults = new Map<string, { code: string | undefined; afterMs: number; left: number }>();

  /** Gives a name its addresses, in the order in which they are answered; none takes the name away. @throws RangeError when one is not numeric */
  set(name: string, ...addresses: readonly string[]): void {
    for (const address of addresses)
      if (!isValidIp(address)) throw new RangeError(`Not an address: ${address}`);
    if (addresses.length === 0) this.#records.delete(name.toLowerCase());
    else this.#records.set(name.toLowerCase(), addresses);
  }

  /** Lets questions for `name` (`"*"`: any) fail or wait. @throws RangeError on a time or a number that is none */
  fail(name: string, { code, afterMs = 0, times = Number.POSITIVE_INFINITY }: NameFault): void {
    if (!(afterMs >= 0)) throw new RangeError(`afterMs must not be negative, got ${afterMs}`);
    if (!(times >= 1)) throw new RangeError(`times must be positive, got ${times}`);
    this.#faults.set(name.toLowerCase(), { code, afterMs, left: times });
  }

  /** Takes a fault back. */
  heal(name: string): void {
    this.#faults.delete(name.toLowerCase());
  }

  /** The answer, how long it takes, and the code it fails with. */
  ask(host: string, family: 0 | 4 | 6): { afterMs: number; code?: string; addresses: ResolvedAddress[] } {
    const name = host.toLowerCase().replace(/\.$/, "");
    const { afterMs, code } = this.#faultOf(name) ?? this.#faultOf("*") ?? { afterMs: 0, code: undefined };
    const addresses = (this.#records.get(name) ?? []).map(addressOf);
    const failure = code ?? (addresses.length === 0 ? "ENOTFOUND" : undefined);
    return {
      afterMs,
      ...(failure !== undefined && { code: failure }),
      addresses: addresses.filter(isOf(family)),
    };
  }

  #faultOf(name: string): { afterMs: number; code: string | undefined } | undefined {
    const fault = this.#faults.get(name);
    if (fault === undefined) return undefined;
    if (--fault.left <= 0) this.#faults.delete(name);
    return fault;
  }
}

/** A numeric address with its family. */
export function addressOf(address: string): ResolvedAddress {
  return { address, family: address.includes(":") ? 6 : 4 };
}

/** Whether an address is of a family; 0 is either. */
export function isOf(family: 0 | 4 | 6): (address: ResolvedAddress) => boolean {
  return (address) => family === 0 || address.family === family;
}
