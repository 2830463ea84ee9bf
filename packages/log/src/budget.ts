// How much of a record is written, so that nobody fills a disk, or blocks a loop, with one header or one object.

/** Characters kept of one text; the rest is cut off and counted. */
export const MAX_TEXT_LENGTH = 16_384;
/** Characters kept of all fields of one record; what comes after is left out. */
export const MAX_RECORD_LENGTH = 131_072;

/** Cuts text to `limit` characters and says how many were cut off. */
export function limitText(text: string, limit: number = MAX_TEXT_LENGTH): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit)}… (${text.length - limit} more)`;
}

/** What is left of one record. */
export class Budget {
  #left = MAX_RECORD_LENGTH;

  get spent(): boolean {
    return this.#left <= 0;
  }

  /** Cuts text to what is left, and takes that from it. A value costs at least one character. */
  text(text: string): string {
    const kept = limitText(text, Math.min(MAX_TEXT_LENGTH, Math.max(0, this.#left)));
    this.#left -= Math.min(text.length, kept.length) + 1;
    return kept;
  }

  /** Pays for a value that is not text. */
  pay(): void {
    this.#left--;
  }
}

/** What a function says, or that it could not. */
export function said(fn: () => unknown): string {
  try {
    const text = fn();
    return typeof text === "string" ? text : typeof text;
  } catch {
    return "[unreadable]";
  }
}
