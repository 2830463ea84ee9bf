// The PROXY protocol, versions 1 and 2: what a proxy says about a connection in front of its first byte
// (haproxy's doc/proxy-protocol.txt, "the specification" below).
//
//   version 1   PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 CR LF                at most 107 bytes
//   version 2   12 bytes signature · version and command · family · length(2) · addresses · TLVs

import { TwError } from "@tw/util";

/** What a header says. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** Who connected to the proxy; `undefined` for a connection of the proxy's own (`LOCAL`) and where it does not tell. */
  readonly source: ProxyEndpoint | undefined;
  /** Where they connected to. */
  readonly destination: ProxyEndpoint | undefined;
  /** Whether they came over TLS, which the proxy ended (`PP2_TYPE_SSL` with `PP2_CLIENT_SSL`). */
  readonly encrypted: boolean;
  /** What else version 2 brought, in order: `PP2_TYPE_AUTHORITY` (2), `PP2_TYPE_UNIQUE_ID` (5) and so on. */
  readonly tlvs: readonly ProxyTLV[];
}

/** One end of a connection. */
export interface ProxyEndpoint {
  /** Numeric; of a Unix socket its path, which may be `""`. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  readonly family: 4 | 6 | "unix";
}

/** A field of version 2; the bytes are the header's own. */
export interface ProxyTLV {
  readonly type: number;
  readonly value: Uint8Array;
}

/** `ERR_TW_PROXY_PROTOCOL`: what came is no header, or not one to be believed. */
export class ProxyProtocolError extends TwError {
  constructor(message: string) {
    super("ERR_TW_PROXY_PROTOCOL", message);
  }
}

/** Bytes of a header of version 2: 16, 216 for two Unix addresses, and TLVs such as a client's certificate. */
export const DEFAULT_MAX_HEADER_SIZE = 4096;
