// Fields of a record as something `JSON.stringify` cannot fail on, whatever was logged.

/** Characters kept of one text; the rest is cut off and counted, so that nobody fills a disk with one header. */
export const MAX_TEXT_LENGTH = 16_384;
/** How many `cause`s of an error are written. */
export const MAX_CAUSES = 8;

/** Cuts text to {@link MAX_TEXT_LENGTH} characters. */
export function limitText(text: string): string {
  if (text.length <= MAX_TEXT_LENGTH) return text;
  return `${text.slice(0, MAX_TEXT_LENGTH)}… (${text.length - MAX_TEXT_LENGTH} more)`;
}

/** JSON of any value: errors with their stacks and causes, BigInt as text, bytes as their number. Never throws. */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, replace) ?? JSON.stringify(String(value));
  } catch {
    return '"[not serializable]"';
  }
}

/** The text of an error for people: stack, then causes. Never throws. */
export function errorText(error: unknown): string {
  const parts: string[] = [];
  try {
    let at = error;
    for (let depth = 0; depth <= MAX_CAUSES && at !== undefined; depth++) {
      parts.push(limitText(at instanceof Error ? String(at.stack ?? at) : toText(at)));
      at = at instanceof Error ? at.cause : undefined;
    }
  } catch {
    parts.push("[error not readable]");
  }
  return parts.join("\nCaused by: ");
}

/** One value as short text: strings as they are, everything else as JSON. */
export function toText(value: unknown): string {
  return limitText(typeof value === "string" ? value : toJson(value));
}

function replace(_key: string, value: unknown): unknown {
  if (typeof value === "string") return limitText(value);
  if (typeof value === "bigint" || typeof value === "symbol") return String(value);
  if (typeof value === "function") return `[function ${value.name}]`;
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (value instanceof Error) {
    const { code } = value as { code?: unknown };
    return {
      type: value.name,
      ...(code === undefined ? {} : { code }),
      message: value.message,
      stack: errorText(value),
    };
  }
  return value;
}
