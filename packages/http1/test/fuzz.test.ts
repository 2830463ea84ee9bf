import { HTTPInputError } from "@tw/httputil";
import { afterEach, describe, expect, it, vi } from "vitest";
import { HTTP1Machine } from "../src/index.js";
import { fuzzHTTP1 } from "../src/testing.js";
import { readCorpus } from "./corpus.js";

const corpus = readCorpus().map(({ scenario }) => scenario);

describe("for all bytes: events or HTTPInputError, wherever they are cut; what is refused stays so, one request is one", () => {
  it.each([1, 2, 3, 4])("and what one role writes the other reads (seed %i)", (seed) => {
    const { outcomes, exchanged } = fuzzHTTP1({ corpus, seed, goOn: (rounds) => rounds < 4000 });
    for (const kind of ["request", "response", "information", "data", "end,", "error", "closed"])
      expect(outcomes.get(kind), `the generator reaches ${kind}`).toBeGreaterThan(4);
    expect(exchanged).toBeGreaterThan(400);
  });
});

describe("fuzzHTTP1 fails", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });
  const walk = (): unknown => fuzzHTTP1({ corpus, goOn: (rounds) => rounds < 200 });
  const causeOf = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      expect((error as Error).message).toMatch(/^Round \d+ of seed 1: \{/);
      return String(((error as Error).cause as Error).message);
    }
    return "nothing";
  };
  const next = HTTP1Machine.prototype.next;

  it("when a machine throws another error", () => {
    vi.spyOn(HTTP1Machine.prototype, "next").mockImplementation(() => {
      throw new TypeError("x is undefined");
    });
    expect(causeOf(walk)).toBe("Not an HTTPInputError");
  });

  it("when a refusal is not for ever", () => {
    let calls = 0;
    vi.spyOn(HTTP1Machine.prototype, "next").mockImplementation(() => {
      if (calls++ % 2 === 0) throw new HTTPInputError("no");
      return undefined;
    });
    expect(causeOf(walk)).toBe("A machine that refused its input went on");
  });

  it("when events depend on where the input is cut", () => {
    vi.spyOn(HTTP1Machine.prototype, "retain").mockImplementation(() => {});
    expect(causeOf(walk)).toContain("Chopping changed the events");
  });

  it("when a target holds a line", () => {
    vi.spyOn(HTTP1Machine.prototype, "next").mockImplementation(function (this: HTTP1Machine) {
      const event = next.call(this);
      return event?.type === "request" && event.target === "/1" ? { ...event, target: "/\r\nX:y" } : event;
    });
    const asked = corpus.filter(({ wire }) => wire.startsWith("GET /1 "));
    const walkThere = (): unknown => fuzzHTTP1({ corpus: asked, goOn: (rounds) => rounds < 200 });
    expect(causeOf(walkThere)).toMatch(/A request was not one/);
  });

  it("when a writer frames its body wrongly", () => {
    vi.spyOn(HTTP1Machine.prototype, "frameData").mockImplementation(() => "");
    expect(causeOf(walk)).toMatch(/What was written was not read as it was|Malformed chunk size/);
  });

  it("when there is nothing to mutate", () => {
    expect(() => fuzzHTTP1({ corpus: [], goOn: () => false })).toThrow(RangeError);
  });
});
