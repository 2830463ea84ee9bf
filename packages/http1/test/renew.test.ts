// A machine that was renewed is as a new one, whatever its last connection came to.
import { HTTPHeaders } from "@tw/httputil";
import { latin1 } from "@tw/util";
import { describe, expect, it } from "vitest";
import { HTTP1Machine, resolveHTTP1Options } from "../src/index.js";

const OPTIONS = resolveHTTP1Options({ maxBodySize: 1000 });
const OK = { version: "HTTP/1.1", code: 200, reason: "OK" };
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

/** Reads what there is, as text; an error too. */
function read(machine: HTTP1Machine): unknown[] {
  const events: unknown[] = [];
  try {
    for (let event = machine.next(); event !== undefined; event = machine.next())
      events.push(event.type === "request" ? { ...event, headers: [...event.headers.getAll()] } : event);
  } catch (error) {
    events.push(String(error));
  }
  return events;
}

function received(machine: HTTP1Machine, text: string): HTTP1Machine {
  machine.receive(latin1(text));
  read(machine);
  return machine;
}

function answer(machine: HTTP1Machine, length: number): string {
  return machine.writeHead(OK, new HTTPHeaders({ "Content-Length": String(length) }));
}

const LIVES: Record<string, (machine: HTTP1Machine) => void> = {
  "half a head": (machine) => void received(machine, "GET / HTTP/1.1\r\nHo"),
  "half a head of its own": (machine) => received(machine, "GET / HTTP/1.1\r\nHo").retain(),
  "half a body": (machine) => received(machine, POST.slice(0, -2)).setMaxBodySize(1),
  "half a chunk": (machine) =>
    void received(machine, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"),
  "requests that nobody read": (machine) => void received(machine, GET + GET + GET),
  "half an answer": (machine) => {
    received(machine, GET);
    answer(machine, 5);
    machine.frameData(2);
  },
  "an answer that was written before": (machine) => {
    for (let times = 0; machine.headBytes === undefined; times++) {
      expect(times).toBeLessThan(4);
      if (times > 0) machine.startNextCycle();
      received(machine, GET);
      answer(machine, 0);
      machine.writeEnd();
    }
  },
  "an answer that closes": (machine) => {
    received(machine, "GET / HTTP/1.0\r\n\r\n");
    answer(machine, 0);
    machine.writeEnd();
  },
  "a broken request": (machine) => void received(machine, "GARBAGE\r\n\r\n"),
  "a body that is too large": (machine) => {
    machine.receive(latin1(POST));
    machine.next();
    machine.setMaxBodySize(4);
    read(machine);
  },
  "another protocol": (machine) => {
    received(machine, "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nrest");
    machine.writeHead({ ...OK, code: 101 }, new HTTPHeaders({ Upgrade: "x" }));
  },
  "an end": (machine) => {
    machine.receiveEnd();
    read(machine);
  },
  "an end within a request": (machine) => {
    received(machine, POST.slice(0, -2)).receiveEnd();
    read(machine);
  },
};

/** A connection that shows every fact that a machine keeps. */
function life(machine: HTTP1Machine): unknown[] {
  const facts: unknown[] = [machine.idle, machine.buffered, machine.keepAlive, machine.headBytes];
  expect(() => machine.writeInformation(103)).toThrow("writeInformation");
  expect(() => machine.frameData(1)).toThrow("frameData");
  expect(() => machine.takeRest()).toThrow("takeRest");
  expect(() => answer(machine, 0)).toThrow("no request");
  machine.receive(latin1(`\r\n${POST}${GET}`));
  facts.push(read(machine), machine.buffered, machine.writeInformation(103));
  expect(() => machine.writeHead({ ...OK, code: 101 }, new HTTPHeaders({ Upgrade: "x" }))).toThrow("Upgrade");
  facts.push(answer(machine, 2), machine.frameData(2), machine.writeEnd(), machine.keepAlive);
  machine.startNextCycle();
  facts.push(read(machine), answer(machine, 0), machine.writeEnd(), machine.keepAlive);
  machine.startNextCycle();
  facts.push(read(machine), machine.idle);
  machine.receiveEnd();
  facts.push(read(machine), machine.keepAlive);
  return facts;
}

describe("renew", () => {
  const fresh = life(new HTTP1Machine("server", OPTIONS));
  for (const [what, live] of Object.entries(LIVES)) {
    it(`forgets ${what}`, () => {
      const machine = new HTTP1Machine("server", OPTIONS);
      live(machine);
      machine.renew();
      expect(life(machine)).toEqual(fresh);
    });
  }
});
