import { describe, expect, it } from "vitest";
import { readWrk } from "../src/load.mjs";
import { parseOptions } from "../src/options.mjs";
import { chosen, httpRows } from "../src/rows.mjs";
import { rotated, spread } from "../src/statistics.mjs";
import { comparisonTable, voidReason } from "../src/table.mjs";

const result = (id: string, cpu: number, limit = false) => ({
  row: { id, title: id, command: [], limit },
  wrong: undefined,
  rate: spread([1000, 3000, 2000]),
  cpu: spread([cpu]),
  cpuByRound: [cpu],
  p50Us: 10,
  p99Us: 20,
  rss: 5e6,
});

describe("spread()", () => {
  it("gives median, lowest and highest, whatever the order", () => {
    expect(spread([5, 1, 9])).toEqual({ median: 5, min: 1, max: 9 });
    expect(spread([4, 1, 2, 9])).toEqual({ median: 3, min: 1, max: 9 });
    expect(spread([10, 9])).toEqual({ median: 9.5, min: 9, max: 10 });
  });
});

describe("rotated()", () => {
  it("lets each row go first once in as many rounds as there are rows", () => {
    expect([0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join(""))).toEqual([
      "abc",
      "bca",
      "cab",
      "abc",
    ]);
  });
});

describe("voidReason()", () => {
  it("is undefined while the C server is the cheapest row", () => {
    expect(voidReason([result("c", 5, true), result("other", 5.1)])).toBeUndefined();
  });

  it("names the row that is as cheap as the C server or cheaper", () => {
    expect(voidReason([result("c", 5, true), result("other", 5)])).toContain("other");
  });

  it("names a C server that did not run", () => {
    expect(voidReason([{ row: result("c", 1, true).row, wrong: "no" }, result("other", 5)])).toContain("no");
  });
});

describe("comparisonTable()", () => {
  it("sets each row in relation to the limit and shows void rows as such", () => {
    const limit = result("c", 5, true);
    const rows = [
      limit,
      result("ours", 7.25),
      { row: { id: "x", title: "x", command: [] }, wrong: "404 | page" },
    ];
    const lines = comparisonTable(rows, { unit: "request", base: limit, baseName: "the limit" }).split("\n");
    expect(lines[3]).toBe(
      "| ours | 2,000 (1,000–3,000) | 10 | 20 | 7.25 (7.25–7.25) | 5 MB | 1.45 (1.45–1.45) |",
    );
    expect(lines[4]).toContain("void: 404 \\| page");
    expect(new Set(lines.map((line) => line.replaceAll("\\|", "").split("|").length)).size).toBe(1);
  });
});

describe("ratios", () => {
  it("divide within each round, so that a machine that slows down half-way changes none", () => {
    const limit = { ...result("c", 6, true), cpuByRound: [5, 5, 10, 10] };
    const ours = { ...result("ours", 6), cpuByRound: [6, 6, 12, 12] };
    const lines = comparisonTable([limit, ours], {
      unit: "request",
      base: limit,
      baseName: "the limit",
    }).split("\n");
    expect(lines[3]).toContain("| 1.20 (1.20–1.20) |");
  });
});

describe("parseOptions()", () => {
  it("measures seven rounds of three seconds by default", () => {
    expect(parseOptions([])).toMatchObject({
      rounds: 7,
      seconds: 3,
      part: "all",
      idle: false,
      rows: [],
      only: [],
      with: [],
    });
  });

  it("lets a number win over --quick", () => {
    expect(parseOptions(["--quick", "--rounds", "3"])).toMatchObject({ rounds: 3, seconds: 0.5 });
  });

  it.each([["--rounds=0"], ["--seconds=x"], ["--with=perl"], ["--part=udp"], ["--nonsense"]])(
    "refuses %s",
    (arg) => {
      expect(() => parseOptions([arg])).toThrow(TypeError);
    },
  );
});

describe("chosen()", () => {
  it("keeps the limit whatever is asked for", () => {
    const rows = chosen(httpRows({ server: "/c", runtimes: [] }), ["httpserver"]);
    expect(rows.map(({ id }) => id)).toEqual(["c", "tw-httpserver-native", "tw-httpserver-node"]);
  });
});

describe("readWrk()", () => {
  const output = `  Latency Distribution
     50%    1.20ms
     99%  980.00us
  12345 requests in 3.10s, 1.5MB read
  Socket errors: connect 0, read 1, write 0, timeout 2
  Non-2xx or 3xx responses: 7
`;

  it("reads counts, times and every kind of error", () => {
    expect(readWrk(output)).toMatchObject({
      requests: 12345,
      seconds: 3.1,
      p50Us: 1200,
      p99Us: 980,
      errors: 10,
    });
  });

  it("refuses what is no report", () => {
    expect(() => readWrk("unable to connect")).toThrow("unable to connect");
  });
});
