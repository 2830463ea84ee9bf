// Where to connect, and what to ask for. Looking up names is another story (`Resolver` of @tw/tcp): this sample takes
// addresses, and `localhost`.

/** What a URL says, as `socket` and `connect` want it. */
export interface Target {
  readonly family: 4 | 6;
  readonly address: string;
  readonly port: number;
  /** For the field `Host`. */
  readonly host: string;
  readonly path: string;
}

/** @throws TypeError for a URL that is none, is not `http:`, or names a host that would have to be looked up */
export function targetOf(text: string): Target {
  const url = new URL(text);
  if (url.protocol !== "http:") throw new TypeError(`Only http: URLs, got ${url.protocol}`);
  const { hostname, host } = url;
  const port = Number(url.port || 80);
  const path = `${url.pathname}${url.search}`;
  // The parser of URLs has made sure that what looks like an address is one.
  if (hostname.startsWith("[")) return { family: 6, address: hostname.slice(1, -1), port, host, path };
  if (hostname === "localhost") return { family: 4, address: "127.0.0.1", port, host, path };
  if (/^[\d.]+$/.test(hostname)) return { family: 4, address: hostname, port, host, path };
  throw new TypeError(`${hostname} would have to be looked up: give an address, or localhost`);
}
