// The two halves of a cycle, each a table: state → event → next state. What is not in a table cannot happen: on the
// reading side it would be a bug of ours, on the writing side it is a mistake of the caller.
//
//   reading   idle ─bodied────► body ────end────► done ─next────► idle
//             idle ─bodiless──► ending ──end────► done ─switch──► switched
//                               ending ──switch─► switching ─end► switched
//             idle ─upgraded──► switching
//             idle ─blankLine─► head, and from there as from idle, but for another blank line and an upgrade
//             idle, head ─eof─► closed
//
//   writing   idle ─information─► idle ─head─► body ─data─► body ─end─► done ─next─► idle
//             idle ─switch──────► switched ─end─► switched
//
// A server reads a request while it writes a response, a client the other way round; the tables are the same.

/** What can happen to the message that is read. */
export type ReadingEvent =
  | "blankLine"
  | "bodied"
  | "bodiless"
  | "upgraded"
  | "end"
  | "switch"
  | "next"
  | "eof";

/** What can happen to the message that is written. */
export type WritingEvent = "information" | "head" | "switch" | "data" | "end" | "next";

export type ReadingName = "idle" | "head" | "body" | "ending" | "done" | "switching" | "switched" | "closed";
export type WritingName = "idle" | "body" | "done" | "switched";

type Table<Name extends string, Event extends string> = Readonly<Record<Name, Partial<Record<Event, Name>>>>;

const READING_TABLE: Table<ReadingName, ReadingEvent> = {
  // Between messages, or in the middle of a head: nothing is known before the head is complete.
  idle: { blankLine: "head", bodied: "body", bodiless: "ending", upgraded: "switching", eof: "closed" },
  // RFC 9112 §2.2: one empty line before a request line was skipped; a second one is refused.
  head: { bodied: "body", bodiless: "ending", eof: "closed" },
  body: { end: "done" },
  // The end event of a message without a body is still to be delivered.
  ending: { end: "done", switch: "switching" },
  done: { switch: "switched", next: "idle" },
  // As `ending`, of the last message before another protocol takes over.
  switching: { end: "switched" },
  switched: {},
  closed: {},
};

const WRITING_TABLE: Table<WritingName, WritingEvent> = {
  idle: { information: "idle", head: "body", switch: "switched" },
  body: { data: "body", end: "done" },
  done: { next: "idle" },
  switched: { end: "switched" },
};

/** A state as an object that points at its successors; an event without successor is undefined there. */
export type State<Name extends string, Event extends string> = { readonly name: Name } & {
  readonly [E in Event]: State<Name, Event> | undefined;
};

export type ReadingState = State<ReadingName, ReadingEvent>;
export type WritingState = State<WritingName, WritingEvent>;

export const READING: Readonly<Record<ReadingName, ReadingState>> = link(READING_TABLE, [
  "blankLine",
  "bodied",
  "bodiless",
  "upgraded",
  "end",
  "switch",
  "next",
  "eof",
]);

export const WRITING: Readonly<Record<WritingName, WritingState>> = link(WRITING_TABLE, [
  "information",
  "head",
  "switch",
  "data",
  "end",
  "next",
]);

/** Turns a table into linked objects of one shape, so that a step is one property load. */
function link<Name extends string, Event extends string>(
  table: Table<Name, Event>,
  events: readonly Event[],
): Record<Name, State<Name, Event>> {
  const names = Object.keys(table) as Name[];
  const states = new Map<string, Record<string, unknown>>();
  for (const name of names)
    states.set(name, Object.fromEntries([["name", name], ...events.map((e) => [e, undefined])]));
  for (const [name, state] of states) {
    for (const event of events) state[event] = states.get(table[name as Name][event] ?? "");
  }
  return Object.fromEntries(states) as Record<Name, State<Name, Event>>;
}
