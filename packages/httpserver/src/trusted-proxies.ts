// Requests that come through proxies: a delegate around the delegate gives each its client's address in place of the
// proxy's (Tornado's `xheaders`). Of each request anew: what one said of its client is forgotten with it.

import type {
  ConnectionContext,
  DrainSignal,
  HTTPConnection,
  HTTPHeaders,
  HTTPMessageDelegate,
  HTTPServerConnectionDelegate,
  MaybePromise,
  RequestStartLine,
  ResponseStartLine,
  TLSFacts,
} from "@tw/httputil";
import { type TrustedPeers, trustedPeers } from "@tw/tcp";
import { checkInteger } from "@tw/util";
import {
  type FindClient,
  type ForwardedClient,
  hopsBefore,
  lastUntrusted,
  type ProxyHeaderName,
  readClient,
} from "./forwarded-client.js";
import { HeadFirstDelegate, HeadFirstMessage } from "./head-first.js";

/** Options about what is in front of a server. */
export interface ProxyOptions {
  /**
   * The proxies in front, which are believed when they say who a client is. As networks (`["10.0.0.0/8"]`, `"loopback"`,
   * `"private"`, `"unix"`): the client is the last in the list that is none of them. As a number: so many proxies are in
   * front of each request; whoever can connect to us without passing them can then call itself anything.
   * `request.remoteIp`, `protocol` and, with `forwardedHost`, `host` follow. @default nobody is believed
   */
  readonly trustedProxies?: TrustedPeers | number;
  /**
   * Which header the proxies write: `"x-forwarded"` is X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host;
   * `"forwarded"` is Forwarded, RFC 7239; `"x-real-ip"` is X-Real-Ip and X-Scheme. The nearest proxy must set, append to
   * or remove each of them: what it passes on untouched is a client's own invention. @default "x-forwarded"
   */
  readonly proxyHeader?: ProxyHeaderName;
  /**
   * Takes `request.host` from the proxies too. A client that chooses the host chooses where links in mails and redirects
   * lead, so the nearest proxy must write it. @default false
   */
  readonly forwardedHost?: boolean;
  /** What requests came over where nobody says so: `"https"` behind something that ends TLS silently. @default as it is */
  readonly protocol?: "http" | "https";
}

/** How a server reads what proxies say. */
interface ProxyRules {
  readonly trusts: (context: ConnectionContext) => boolean;
  readonly find: FindClient;
  readonly header: ProxyHeaderName;
  readonly host: boolean;
  readonly protocol: "http" | "https" | undefined;
}

/** Whether there is something for a {@link ProxyDelegate} to do. @throws TypeError for options without effect */
export function hasProxies({ trustedProxies, proxyHeader, forwardedHost, protocol }: ProxyOptions): boolean {
  if (trustedProxies === undefined && (proxyHeader !== undefined || forwardedHost === true))
    throw new TypeError("proxyHeader and forwardedHost need trustedProxies: whose word is it?");
  return trustedProxies !== undefined || protocol !== undefined;
}

/** Gives each request the context of its client. */
export class ProxyDelegate extends HeadFirstDelegate {
  readonly #rules: ProxyRules;

  /** @throws TypeError, RangeError for options that are none */
  constructor(inner: HTTPServerConnectionDelegate, options: ProxyOptions) {
    super(inner);
    this.#rules = rulesOf(options);
  }

  startRequest(connection: HTTPConnection): HTTPMessageDelegate {
    return new ProxiedMessage(this.inner, connection, this.#rules);
  }
}

class ProxiedMessage extends HeadFirstMessage {
  readonly #rules: ProxyRules;

  constructor(delegate: HTTPServerConnectionDelegate, connection: HTTPConnection, rules: ProxyRules) {
    super(delegate, connection);
    this.#rules = rules;
  }

  headersReceived(startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): MaybePromise {
    const { trusts, header, find } = this.#rules;
    const { context } = this.connection;
    const client = trusts(context) ? readClient[header](headers, find) : {};
    this.connection.context = new ForwardedContext(context, client, this.#rules);
    return this.begin(startLine, headers);
  }
}

/** Facts about a client that is behind proxies. */
class ForwardedContext implements ConnectionContext {
  readonly #direct: ConnectionContext;
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly protocol: "http" | "https";
  readonly host: string | undefined;

  constructor(direct: ConnectionContext, client: ForwardedClient, { host, protocol }: ProxyRules) {
    this.#direct = direct;
    this.remoteIp = client.ip ?? direct.remoteIp;
    // The port beside another's address would be nobody's.
    this.remotePort = client.ip === undefined ? direct.remotePort : (client.port ?? 0);
    this.protocol = client.protocol ?? protocol ?? direct.protocol;
    this.host = (host ? client.host : undefined) ?? direct.host;
  }

  get draining(): DrainSignal {
    return this.#direct.draining as DrainSignal;
  }

  get tls(): TLSFacts | undefined {
    return this.#direct.tls;
  }
}

function rulesOf(options: ProxyOptions): ProxyRules {
  const { trustedProxies = [], proxyHeader: header = "x-forwarded", forwardedHost: host = false } = options;
  const { protocol } = options;
  if (typeof header !== "string" || !Object.hasOwn(readClient, header))
    throw new TypeError(`proxyHeader must be one of ${Object.keys(readClient).join(", ")}`);
  if (typeof host !== "boolean") throw new TypeError("forwardedHost must be true or false");
  if (host && header === "x-real-ip") throw new TypeError("No host goes with the proxyHeader x-real-ip");
  if (protocol !== undefined && protocol !== "http" && protocol !== "https")
    throw new TypeError(`protocol must be "http" or "https", got ${String(protocol)}`);
  if (typeof trustedProxies !== "number") {
    const trusted = trustedPeers("trustedProxies", trustedProxies);
    const trusts = (context: ConnectionContext) => !isReset(context) && trusted(context.remoteIp);
    return { trusts, find: lastUntrusted(trusted), header, host, protocol };
  }
  checkInteger("trustedProxies", trustedProxies, 1, MAX_HOPS);
  return { trusts: () => true, find: hopsBefore(trustedProxies), header, host, protocol };
}

/** As many as are read of one header. */
const MAX_HOPS = 100;

/**
 * On Node's sockets a TCP peer that reset its connection has no address, as a Unix socket's has none, but what it sent
 * before can be read: whoever trusts `"unix"` does not trust that one. It has a port at our end.
 */
function isReset(context: ConnectionContext): boolean {
  const { stream } = context as { readonly stream?: { readonly info: { readonly localPort: number } } };
  return context.remoteIp === "" && (stream?.info.localPort ?? 0) !== 0;
}
