// Whether a page may open a WebSocket to us. Browsers let any page connect to any server and send its cookies along, so
// that without this check any site could act as the user who visits it (cross-site WebSocket hijacking; S-30).

import { splitHostAndPort } from "@tw/httputil";

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/**
 * Tells whether an Origin names the host that the request was sent to. The scheme is not compared: behind a proxy that
 * terminates TLS it differs. A port left out is the scheme's default. `null` (sandboxed pages, files) is refused.
 * These are the answers of Tornado (J3), but for a Host that names the default port: it compares texts, and refuses
 * `http://a` for `a:80`.
 *
 * @example
 * isSameOrigin("https://example.org", "EXAMPLE.org"); // true
 * isSameOrigin("http://example.org:8080", "example.org"); // false
 */
export function isSameOrigin(origin: string, host: string): boolean {
  const ours = splitHostAndPort(host);
  const [page, here] = [parse(origin), parse(`http://${ours.host}`)];
  if (page === undefined || here === undefined) return false;
  const fallback = DEFAULT_PORTS[page.protocol];
  if (fallback === undefined || page.hostname !== here.hostname) return false;
  return ours.port === undefined ? page.port === "" : ours.port === Number(page.port || fallback);
}

/** An origin is scheme, host and port only, RFC 6454 §6.1. */
function parse(origin: string): URL | undefined {
  if (!URL.canParse(origin)) return undefined;
  const url = new URL(origin);
  const bare =
    url.username === "" &&
    url.password === "" &&
    url.pathname === "/" &&
    url.search === "" &&
    url.hash === "";
  return bare ? url : undefined;
}
