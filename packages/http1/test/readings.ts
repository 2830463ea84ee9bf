// What our machine makes of a scenario, message by message, to be laid beside another reader's.

import { HTTPHeaders } from "@tw/httputil";
import { HTTP1Machine, resolveHTTP1Options } from "../src/index.js";
import { bytes, machineFor, OK, type Scenario, text } from "./helpers.js";

export interface Message {
  start: string;
  fields: string[];
  body: string;
  trailers: string[];
  ended: boolean;
}

export interface Reading {
  messages: Message[];
  /** Why the input was refused. */
  refusal: string | undefined;
  /** A section has begun and not ended. */
  waiting?: boolean;
  /** HTTP ended on the connection, or another protocol was asked for. */
  over?: boolean;
}

const LIMITS = resolveHTTP1Options({ maxHeadSize: 1 << 24, maxBodySize: Number.MAX_SAFE_INTEGER });

/** Reads as far as a server or client of HTTP goes: not behind a close, nor behind an upgrade that is answered. */
export function readAsWeDo(scenario: Scenario): Reading {
  const machine =
    scenario.role === "server"
      ? new HTTP1Machine("server", LIMITS)
      : machineFor({ ...scenario, options: {} });
  const reading: Reading = { messages: [], refusal: undefined };
  machine.receive(bytes(scenario.wire));
  try {
    pull(machine, scenario, reading);
    reading.waiting = machine.buffered > 0;
    if (!scenario.eof) return reading;
    machine.receiveEnd();
    pull(machine, scenario, reading);
  } catch (error) {
    reading.refusal = (error as Error).message;
  }
  return reading;
}

function pull(machine: HTTP1Machine, { role }: Scenario, reading: Reading): void {
  let leaves = false;
  for (let event = machine.next(); event !== undefined; event = machine.next()) {
    if (event.type === "closed") return;
    const current = reading.messages.at(-1) as Message;
    if (event.type === "data") current.body += text(event.bytes);
    else if (event.type === "end") {
      current.trailers = [...(event.trailers?.rawFields ?? [])];
      current.ended = true;
      if (role === "server" && (leaves || !answer(machine))) {
        reading.over = true;
        return;
      }
    } else {
      leaves = event.type === "request" && event.upgrade !== undefined;
      const start =
        event.type === "request"
          ? `${event.method} ${event.target} ${event.version}`
          : `${event.version} ${event.code} ${event.reason}`;
      reading.messages.push({
        start,
        fields: [...event.headers.rawFields],
        body: "",
        trailers: [],
        ended: event.type === "information",
      });
    }
  }
}

/** Answers as the corpus does, and goes on where it may. */
function answer(machine: HTTP1Machine): boolean {
  machine.writeHead(OK, new HTTPHeaders(), { contentLength: 0 });
  machine.writeEnd();
  if (!machine.keepAlive) return false;
  machine.startNextCycle();
  return true;
}
