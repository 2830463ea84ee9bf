// Request targets, RFC 9112 §3.2: four forms, and which of them goes with a method. Reader and writer ask the same
// question, so that what one role sends the other accepts.
//
//   origin     /where?q=now             every method but CONNECT
//   absolute   http://a.example/where   every method but CONNECT; takes the place of Host
//   authority  a.example:80             CONNECT
//   asterisk   *                        OPTIONS

import { isHost } from "@tw/httputil";

/**
 * Tells whether `target` has a form that goes with `method`. Characters are not looked at here: both callers have
 * refused blanks, controls and `#` before.
 */
export function isTarget(method: string, target: string): boolean {
  // RFC 9112 §3.2.3 (1), RFC 9110 §9.3.6 (1), (2): host and port, and a port that is one.
  if (method === "CONNECT") return isTunnelTarget(target);
  if (target.charCodeAt(0) === 0x2f) return true;
  // RFC 9112 §3.2.4 (1), RFC 9110 §7.1 (1): for OPTIONS, and for no other method.
  if (target === "*") return method === "OPTIONS";
  // RFC 9112 §3.2.2 (6): accepted. S-04 binds its authority too, since that takes the place of Host.
  const authority = ABSOLUTE.exec(target)?.[1];
  // RFC 9110 §4.2.1 (1), (2), RFC 9110 §4.2.2 (1), (2), RFC 9110 §4.2.4 (1): a host, and no userinfo.
  return authority !== undefined && isHost(authority);
}

function isTunnelTarget(target: string): boolean {
  return TUNNEL.test(target) && isHost(target);
}

/** `host:port`, neither of them empty, and port 0 is none. */
const TUNNEL = /[^[:]:0*[1-9]\d*$/;
const ABSOLUTE = /^https?:\/\/([^/?]+)/i;
