// Answers of the Redis protocol (RESP2), as latin1 text that leaves as it is: one character is one byte.

export const OK = "+OK\r\n";
export const NIL = "$-1\r\n";
export const EMPTY_ARRAY = "*0\r\n";

export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** A bulk string, or nil for a value that is not there. */
export function bulkOrNil(text: string | undefined): string {
  return text === undefined ? NIL : bulk(text);
}

export function integer(value: number | bigint): string {
  return `:${value}\r\n`;
}

export function simple(text: string): string {
  return `+${text}\r\n`;
}

/** `items` are answers themselves. */
export function array(items: readonly string[]): string {
  return `*${items.length}\r\n${items.join("")}`;
}

/** What is quoted in `message` came from a client: it must not end the line. */
export function error(message: string): string {
  return `-${message.replace(/[\r\n]/g, " ").slice(0, 512)}\r\n`;
}

/** An error to answer with; commands throw it. */
export class ReplyError extends Error {}

export const SYNTAX = "ERR syntax error";
export const NOT_INTEGER = "ERR value is not an integer or out of range";
export const WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
export const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
export const REPLY_TOO_LARGE = "ERR reply is too large";

/** `command` in lower case; one of its subcommands stands behind a bar. */
export function wrongArity(command: string): string {
  return `ERR wrong number of arguments for '${command}' command`;
}

export function unknownSubcommand(command: string, subcommand: string, what = "subcommand"): string {
  return `ERR unknown ${what} '${subcommand.slice(0, 128)}'. Try ${command} HELP.`;
}
