/** The first line of a request, RFC 9112 §3. `version` is the minor version's text: `HTTP/1.1`. */
export interface RequestStartLine {
  readonly method: string;
  /** The request target as it came. */
  readonly path: string;
  readonly version: string;
}

/** The first line of a response, RFC 9112 §4. */
export interface ResponseStartLine {
  readonly version: string;
  readonly code: number;
  readonly reason: string;
}
