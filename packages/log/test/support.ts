import { createLogger, type LoggerOptions, type LogStream, type StructuredLogger } from "../src/index.js";

export const NOON: number = new Date(2026, 10, 21, 10, 11, 12).getTime();

/** A stream that keeps what it is given. */
export class Lines implements LogStream {
  readonly texts: string[] = [];
  readonly isTTY: boolean = false;

  write(text: string): void {
    this.texts.push(text);
  }

  get text(): string {
    return this.texts.join("");
  }

  /** The lines as JSON. */
  get records(): Record<string, unknown>[] {
    return this.texts.map((text) => JSON.parse(text) as Record<string, unknown>);
  }
}

/** A logger that writes JSON lines into memory. */
export function jsonLogger(options: LoggerOptions = {}): { stream: Lines; logger: StructuredLogger } {
  const stream = new Lines();
  return {
    stream,
    logger: createLogger({ name: "shop", clock: () => NOON, format: "json", stream, ...options }),
  };
}
