// One run's report in Markdown: how it was measured, then the tables.
import { barTable } from "./bars.mjs";
import { canPin, describeMachine } from "./machine.mjs";
import { ENOUGH_ROUNDS } from "./table.mjs";

/** Gathers the tables and whether anything in them is void. */
export class Report {
  #parts = [];
  #notes = [];
  #rounds;
  /** @type {Map<string, any[]>} */
  #byId = new Map();
  failed = false;

  constructor({ idle, rounds, seconds }) {
    this.#rounds = rounds;
    this.#notes.push(`Machine: ${describeMachine()}.`);
    if (canPin) this.#notes.push("Server on core 0, load on core 1.");
    if (idle) return;
    this.#notes.push(`Median (lowest–highest) of ${rounds} interleaved rounds of ${seconds} s.`);
    if (rounds < ENOUGH_ROUNDS) this.#notes.push(`**Fewer than ${ENOUGH_ROUNDS} rounds: not a result.**`);
  }

  /** `id`: the comparison's, where there are bars for it. */
  add(title, body, measured, /** @type {string | undefined} */ id = undefined) {
    if (id !== undefined) this.#byId.set(id, measured);
    this.#parts.push(`## ${title}\n\n${body}`);
    if (measured.some(({ wrong }) => wrong !== undefined)) this.failed = true;
  }

  note(text) {
    this.#notes.push(text);
  }

  declareVoid(reason) {
    this.failed = true;
    this.#notes.unshift(`**This run is void**: the C server is not the fastest row: ${reason}.`);
  }

  text() {
    const bars = barTable(this.#byId, this.#rounds);
    const parts = bars === undefined ? this.#parts : [...this.#parts, `## What must hold\n\n${bars}`];
    return `# Benchmark\n\n${this.#notes.join(" ")}\n\n${parts.join("\n\n")}\n`;
  }
}
