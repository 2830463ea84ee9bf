// The judges of the soak runs: what they let pass and what not.
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { readAnswers } from "../src/soak/answers.mjs";
import { CHECKS } from "../src/soak/checks.mjs";
import { chop, mutate, readRequests } from "../src/soak/corpus.mjs";
import { client, Outcomes } from "../src/soak/drain-clients.mjs";
import { readFrames, someFrames } from "../src/soak/frames.mjs";
import { randomOf } from "../src/soak/inventory.mjs";
import { parseSoakOptions, USAGE } from "../src/soak/options.mjs";
import { runCheck } from "../src/soak/run-check.mjs";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanups.splice(0)) await each();
});

const OURS = "HTTP/1.1 200 OK\r\nX-Soak: GET\r\nContent-Length: 3\r\n\r\nsss";
const REFUSAL = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

describe("readAnswers()", () => {
  it.each([
    ["nothing", "", []],
    ["ours, one after the other", OURS + OURS, [200, 200]],
    ["an interim answer before ours", `HTTP/1.1 100 Continue\r\n\r\n${OURS}`, [100, 200]],
    ["ours to HEAD, without its body", OURS.replace("GET", "HEAD").replace("sss", "") + OURS, [200, 200]],
    [
      "ours in chunks",
      `${OURS.replace("Content-Length: 3", "Transfer-Encoding: chunked").replace("sss", "2\r\nss\r\n0\r\n\r\n")}${OURS}`,
      [200, 200],
    ],
    ["ours until the end", OURS.replace("Content-Length: 3\r\n", ""), [200]],
    ["a refusal behind ours", OURS + REFUSAL, [200, 400]],
    ["what is cut off in a body", OURS.slice(0, -1), [200]],
    ["what is cut off in a head", OURS + REFUSAL.slice(0, 30), [200]],
  ])("takes %s", (_, wire, statuses) => {
    expect(readAnswers(wire)).toEqual({ statuses });
  });

  it.each([
    ["a 500", REFUSAL.replace("400 Bad Request", "500 Internal Server Error")],
    ["a 200 that is not ours", OURS.replace("X-Soak: GET\r\n", "")],
    ["a refusal that keeps the connection", REFUSAL.replace("Connection: close\r\n", "")],
    ["an answer behind Connection: close", REFUSAL + OURS],
    ["another body", OURS.replace("sss", "sxs")],
    ["two ways of framing", OURS.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n")],
    [
      "a bad chunk",
      OURS.replace("Content-Length: 3", "Transfer-Encoding: chunked").replace("sss", "x\r\nsss\r\n"),
    ],
    ["a field that is none", OURS.replace("X-Soak: GET", "X-Soak : GET")],
    ["a bare line feed in a head", OURS.replace("X-Soak", "X: a\nX-Soak")],
    ["bytes that are no answer", `${OURS}oops`],
    ["another version", OURS.replace("1.1", "1.0")],
  ])("objects to %s", (_, wire) => {
    expect(readAnswers(wire).wrong).toBeTypeOf("string");
  });
});

describe("readFrames()", () => {
  const latin1 = (...bytes: number[]) => String.fromCharCode(...bytes);

  it("takes messages, pings and a Close, and what is cut off", () => {
    const wire = latin1(0x81, 1, 97, 0x89, 0, 0x88, 2, 3, 0xe8);
    expect(readFrames(wire, "")).toEqual({ outcome: "closed with 1000" });
    expect(readFrames(wire.slice(0, -2), "")).toEqual({ outcome: "closed with 1005" });
    expect(readFrames(wire.slice(0, 2), "")).toEqual({ outcome: "no Close" });
  });

  it.each([
    ["a masked frame", latin1(0x81, 0x81, 0, 0, 0, 0, 97)],
    ["a reserved bit", latin1(0xc1, 1, 97)],
    ["an unknown opcode", latin1(0x83, 0)],
    ["a frame behind Close", latin1(0x88, 0, 0x81, 0)],
    ["a Close that blames the server", latin1(0x88, 2, 3, 0xf3)],
    ["a Close with a code that may not be sent", latin1(0x88, 2, 3, 0xee)],
  ])("objects to %s", (_, wire) => {
    expect(readFrames(wire, "").wrong).toBeTypeOf("string");
  });

  it("lets a server give back what its client closed with, and nothing that may not be sent", () => {
    const mask = [1, 2, 3, 4];
    const close = (code: number) =>
      latin1(0x81, 0x80, ...mask) + latin1(0x88, 0x82, ...mask, (code >> 8) ^ 1, (code & 255) ^ 2);
    const closed = (code: number) => latin1(0x88, 2, code >> 8, code & 255);
    expect(readFrames(closed(1011), close(1011))).toEqual({ outcome: "closed with 1011" });
    expect(readFrames(closed(1011), close(1000)).wrong).toBe("closed with 1011");
    expect(readFrames(closed(1006), close(1006)).wrong).toBe("closed with 1006");
  });
});

describe("the fuzzer's bytes", () => {
  const corpus = readRequests();

  it("come from requests that a server must take and from some that it must refuse", () => {
    expect(corpus.right).toContain("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(corpus.right.length).toBeGreaterThan(20);
    expect(corpus.wrong.length).toBeGreaterThan(20);
  });

  it("are the same for the same seed, others for another, and all are sent however they are chopped", () => {
    const wires = (seed: number) => {
      const below = randomOf(seed);
      return Array.from({ length: 200 }, () => {
        const wire = mutate(below, corpus);
        expect(chop(below, wire).join("")).toBe(wire);
        return wire;
      });
    };
    expect(wires(1)).toEqual(wires(1));
    expect(wires(1)).not.toEqual(wires(2));
    expect(someFrames(randomOf(3))).toBe(someFrames(randomOf(3)));
  });
});

describe("the clients of a restart", () => {
  async function outcomesOf(answers: (string | "end")[], most: number) {
    let turn = 0;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => {
        const answer = answers[turn++] ?? "end";
        if (answer === "end") socket.end();
        else socket.write(answer);
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => server.close());
    const outcomes = new Outcomes();
    await client((server.address() as AddressInfo).port, most, outcomes, () => turn >= answers.length);
    return outcomes;
  }
  const served = `HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n${"served by 1".padEnd(40)}`;

  it("count what is answered, on one connection or on several", async () => {
    expect(await outcomesOf([served, served, served], 2)).toMatchObject({
      answered: 3,
      connections: 2,
      failed: [],
      raced: [],
    });
  });

  it("tell a first request that fails from one on a kept connection that was just closed", async () => {
    expect((await outcomesOf(["end"], 2)).failed).toHaveLength(1);
    expect(await outcomesOf([served, "end"], 3)).toMatchObject({ failed: [], raced: [expect.any(String)] });
  });

  it("take an answer that is cut off for a failure on any connection", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => {
        socket.write(served);
        socket.once("data", () => socket.end(served.slice(0, -1)));
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => server.close());
    const outcomes = new Outcomes();
    const port = (server.address() as AddressInfo).port;
    await client(port, 3, outcomes, () => outcomes.failed.length + outcomes.raced.length > 0);
    expect(outcomes).toMatchObject({ answered: 1, raced: [] });
    expect(outcomes.failed).toHaveLength(1);
  });
});

describe("parseSoakOptions()", () => {
  it("runs every check for its full time on both engines, from a seed that it names", () => {
    expect(parseSoakOptions([], 1_000_041)).toMatchObject({
      quick: false,
      seconds: 60,
      restarts: 50,
      seed: 42,
      engines: ["native", "node"],
      checks: CHECKS,
      build: true,
    });
  });

  it("takes less of each with --quick, and what is asked for in any case", () => {
    expect(parseSoakOptions(["--quick"])).toMatchObject({ seconds: 8, restarts: 8 });
    const options = parseSoakOptions(["--quick", "--seconds", "2", "--seed", "7", "--engine", "node"]);
    expect(options).toMatchObject({ seconds: 2, seed: 7, engines: ["node"] });
  });

  it("chooses by words of the names", () => {
    const names = parseSoakOptions(["--only", "drain,fuzz"]).checks.map(({ name }) => name);
    expect(names).toEqual(["fuzz http", "fuzz websocket", "drain, one process", "drain, several processes"]);
  });

  it.each([["--seconds=0"], ["--seed=x"], ["--engine=bun"], ["--only=udp"], ["--nonsense"]])(
    "refuses %s",
    (arg) => {
      expect(() => parseSoakOptions([arg])).toThrow(TypeError);
    },
  );

  it("names every check in its help, and each is a program of its own", () => {
    for (const { name, file, args } of CHECKS) {
      expect(USAGE).toContain(name);
      expect(existsSync(fileURLToPath(new URL(`../src/soak/${file}`, import.meta.url)))).toBe(true);
      for (const quick of [true, false]) {
        for (const arg of args({ quick, seconds: 1, restarts: 1, seed: 1 })) expect(arg).toMatch(/^[-\w]+$/);
      }
    }
  });
});

/** Gone, or only waiting to be buried by whoever inherited it. */
function hasEnded(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
  } catch {
    return true;
  }
}

describe("runCheck()", () => {
  const run = (file: string, patienceMs = 60_000) =>
    runCheck({ name: "it", file: `../../test/fixture/${file}` }, ["--engine", "node"], { patienceMs });

  it("passes what ends with 0", async () => {
    expect(await run("passes.mjs")).toMatchObject({
      passed: true,
      line: expect.stringMatching(/^ok +it, node \(/),
    });
  });

  it("shows what a failure had to say", async () => {
    const { passed, line, output } = await run("fails.mjs");
    expect([passed, line.startsWith("FAILED")]).toEqual([false, true]);
    expect(output).toBe("a finding\nand another");
  });

  it("ends what hangs, with what it started", async () => {
    const { passed, output } = await run("hangs.mjs", 3000);
    expect(passed).toBe(false);
    expect(output).toContain("It had not ended after 3 s.");
    const pid = Number(/child (\d+)/.exec(output)?.[1]);
    await expect.poll(() => hasEnded(pid)).toBe(true);
  });
});

describe("fork", () => {
  it("is used with servers that end when whoever started them is gone", async () => {
    for (const [file, settings] of [
      ["fuzz-server.mjs", { engine: "node", what: "http" }],
      ["slow-server.mjs", { engine: "node", timeoutMs: 100 }],
    ] as const) {
      const script = fileURLToPath(new URL(`../src/soak/${file}`, import.meta.url));
      const child = fork(script, [JSON.stringify(settings)], { stdio: "ignore", execArgv: ["--expose-gc"] });
      child.send({ do: "listen" });
      const [{ port }] = await once(child, "message");
      expect(port).toBeGreaterThan(0);
      child.disconnect();
      await once(child, "exit");
    }
  });
});
