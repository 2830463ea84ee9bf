// Events as lines of text.

import { HTTPHeaders, HTTPInputError } from "@tw/httputil";
import { fromLatin1 } from "@tw/util";
import type { HTTP1Role } from "../cycle.js";
import type { HTTP1Event } from "../events.js";
import type { HTTP1Machine } from "../machine.js";

const OK = { version: "HTTP/1.1", code: 200, reason: "OK" } as const;

/** Pulls events from a machine and writes them down. Pieces of one body are one line, however it was cut. */
export class EventLog {
  readonly #machine: HTTP1Machine;
  readonly #role: HTTP1Role;
  readonly #stopAfter: number;
  readonly #lines: string[] = [];
  #events = 0;
  #data = "";
  #over = false;
  /** Which line is the last end event. */
  #end = -1;

  constructor(machine: HTTP1Machine, role: HTTP1Role, stopAfter: number) {
    this.#machine = machine;
    this.#role = role;
    this.#stopAfter = stopAfter;
  }

  /** Takes what there is. */
  pull(): void {
    while (!this.#over) {
      let event: HTTP1Event | undefined;
      try {
        event = this.#machine.next();
      } catch (error) {
        this.#refused(error);
        return;
      }
      if (event === undefined) return;
      if (event.type === "data") {
        this.#data += fromLatin1(event.bytes, 0, event.bytes.length);
        continue;
      }
      this.#write(event);
      if (this.#events >= this.#stopAfter) this.#over = true;
    }
  }

  /** Everything so far. */
  lines(): string[] {
    this.#flush();
    // What comes behind a response shows that the connection is of no further use, whenever it comes.
    if (this.#role === "client" && this.#end !== -1 && !this.#machine.keepAlive)
      this.#lines[this.#end] = "end, close";
    return this.#lines;
  }

  #refused(thrown: unknown): void {
    const error = inputError(thrown);
    let again: unknown;
    try {
      this.#machine.next();
    } catch (second) {
      again = second;
    }
    if (again !== error) throw new Error("A machine that refused its input went on", { cause: again });
    this.#add(`error ${error.status} ${error.code}`);
    this.#over = true;
  }

  #write(event: Exclude<HTTP1Event, { type: "data" }>): void {
    switch (event.type) {
      case "request":
        this.#add(
          `request ${event.method} ${visible(event.target)} ${event.version}${facts(event)}`,
          event.headers,
        );
        return;
      case "response":
      case "information": {
        const line = `${event.type} ${event.version} ${event.code} ${visible(event.reason)}`;
        this.#add(`${line}${event.type === "response" ? facts(event) : ""}`.trimEnd(), event.headers);
        return;
      }
      case "closed":
        this.#add("closed");
        return;
      case "end":
        this.#writeEnd(event.trailers);
    }
  }

  #writeEnd(trailers: HTTPHeaders | undefined): void {
    const answers = this.#role === "server" && !this.#over;
    if (answers) {
      this.#machine.writeHead(OK, new HTTPHeaders(), { contentLength: 0 });
      this.#machine.writeEnd();
    }
    this.#flush();
    this.#end = this.#lines.length;
    this.#add(`end, ${this.#machine.keepAlive ? "keep-alive" : "close"}`, trailers);
    if (answers && this.#events < this.#stopAfter && this.#machine.keepAlive) this.#machine.startNextCycle();
  }

  #add(line: string, headers?: HTTPHeaders): void {
    this.#flush();
    this.#events++;
    this.#lines.push(line);
    const fields = headers?.rawFields ?? [];
    for (let i = 0; i < fields.length; i += 2)
      this.#lines.push(`  ${fields[i]}: ${visible(fields[i + 1] as string)}`.trimEnd());
  }

  #flush(): void {
    if (this.#data === "") return;
    this.#events++;
    this.#lines.push(`data ${visible(this.#data)}`);
    this.#data = "";
  }
}

/** The error that a machine may throw. @throws Error for another one */
function inputError(error: unknown): HTTPInputError {
  if (error instanceof HTTPInputError) return error;
  throw new Error("Not an HTTPInputError", { cause: error });
}

function facts(event: {
  readonly contentLength?: number | undefined;
  readonly chunked?: boolean;
  readonly expectContinue?: boolean;
  readonly upgrade?: string | undefined;
}): string {
  let all = "";
  if (event.contentLength !== undefined) all += ` length=${event.contentLength}`;
  if (event.chunked) all += " chunked";
  if (event.expectContinue) all += " expect";
  if (event.upgrade !== undefined) all += ` upgrade=${event.upgrade}`;
  return all;
}

/** Characters that one cannot see, as escapes. */
function visible(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, (c) => {
    if (c === "\r") return "\\r";
    if (c === "\n") return "\\n";
    if (c === "\t") return "\\t";
    return `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
