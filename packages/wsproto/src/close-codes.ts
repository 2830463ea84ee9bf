// Close codes, RFC 6455 §7.4: which may stand in a Close frame, and the few that this package itself uses.

/** The purpose of the connection is fulfilled. */
export const CLOSE_NORMAL = 1000;
/** The endpoint goes away: a server stops, a page is left. */
export const CLOSE_GOING_AWAY = 1001;
/** Framing, masking or opcode rules were broken. */
export const CLOSE_PROTOCOL_ERROR = 1002;
/** The Close frame carried no code. Never on the wire. */
export const CLOSE_NO_CODE = 1005;
/** The connection ended without a Close frame. Never on the wire. */
export const CLOSE_ABNORMAL = 1006;
/** Text that is not UTF-8. */
export const CLOSE_INVALID_DATA = 1007;
/** A message beyond the receiver's limit. */
export const CLOSE_TOO_BIG = 1009;
/** The server met an error of its own. */
export const CLOSE_INTERNAL_ERROR = 1011;

/**
 * Tells whether a Close frame may carry `code`: 1000–1003, 1007–1014 (RFC 6455 §7.4.1 and its registry), 3000–4999
 * (RFC 6455 §7.4.2). 1004, 1005, 1006 and 1015 are reserved, and 1016–2999 belong to future revisions.
 */
export function isCloseCode(code: number): boolean {
  return (
    Number.isInteger(code) &&
    ((code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999))
  );
}
