import { describe, expect, it } from "vitest";
import { BARS, barTable, isMet, measure } from "../src/bars.mjs";
import { compareHTTP, HTTP_COMPARISONS } from "../src/http.mjs";
import { readWrk } from "../src/load.mjs";
import { parseOptions, USAGE } from "../src/options.mjs";
import { Report } from "../src/report.mjs";
import { bodyRows, chosen, coreRows, httpRows } from "../src/rows.mjs";
import { rotated, spread } from "../src/statistics.mjs";
import { comparisonTable, voidReason } from "../src/table.mjs";

const result = (id: string, cpu: number, limit = false) => ({
  row: { id, title: id, command: [], limit },
  wrong: undefined,
  rate: spread([1000, 3000, 2000]),
  cpu: spread([cpu]),
  cpuByRound: [cpu],
  rateByRound: [2000],
  p99ByRound: [20],
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

  it("of rates and of latencies stand in columns of their own", () => {
    const limit = result("c", 5, true);
    const peer = { ...result("node-http", 20), rateByRound: [500], p99ByRound: [40] };
    const also = (["cpu", "rate", "p99"] as const).map((what) => ({
      what,
      base: peer,
      baseName: "node:http",
    }));
    const how = { unit: "request", base: limit, baseName: "the limit", also };
    const lines = comparisonTable([limit, result("ours", 10), peer], how).split("\n");
    expect(lines[0]).toContain(
      "| CPU, ratio to the limit | CPU, ratio to node:http | rate, ratio to node:http | p99,",
    );
    const ratios = [2, 0.5, 4, 0.5].map(
      (each) => `${each.toFixed(2)} (${each.toFixed(2)}–${each.toFixed(2)})`,
    );
    expect(lines[3]).toContain(`| ${ratios.join(" | ")} |`);
  });
});

describe("bars", () => {
  const [hello] = BARS as [(typeof BARS)[number]];

  it("each belong to a comparison of the part http", () => {
    for (const { id } of BARS) expect(HTTP_COMPARISONS).toContain(id);
  });

  it.each([
    [6.75, true],
    [6.76, false],
  ])("hold up to their number: %f µs beside 5", (cpu, met) => {
    const results = [result("c", 5, true), result(hello.row, cpu)];
    expect(isMet(hello, measure(hello, results) as number)).toBe(met);
  });

  it("of a value take the worst of a row's", () => {
    const bar = BARS.find(({ id }) => id === "stream") as (typeof BARS)[number];
    const of = (megabytes: number) => ({ row: { id: bar.row }, bytes: megabytes * 1e6 });
    expect(measure(bar, [of(3), of(48), of(5)])).toBe(48);
    expect(isMet(bar, 48)).toBe(true);
    expect(isMet(bar, 48.1)).toBe(false);
  });

  it("are not measured where the row, or what it is set in relation to, is void", () => {
    const wrong = { row: result("c", 5, true).row, wrong: "no" };
    expect(measure(hello, [wrong, result(hello.row, 6)])).toBeUndefined();
    expect(measure(hello, [result("c", 5, true)])).toBeUndefined();
    const table = barTable(new Map([["hello", [wrong]]]), 7) as string;
    expect(table).toContain("| hello: CPU, native engine, to the limit | ≤ 1.35 | – | not measured |");
    expect(table).not.toContain("pipeline");
  });

  it("stand at the end of a report, and only where something was measured by them", () => {
    const report = new Report({ idle: false, rounds: 7, seconds: 3 });
    report.add("A", "table", [result("x", 1)]);
    expect(report.text()).not.toContain("What must hold");
    report.add("B", "table", [result("c", 5, true), result(hello.row, 7)], "hello");
    expect(report.text()).toMatch(/## What must hold[\s\S]*\| 1\.40 \| \*\*not met\*\* \|/);
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

describe("rows of the part http", () => {
  it("are those of the core where the frameworks are not the question", () => {
    const ids = coreRows(httpRows({ server: "/c", runtimes: [] })).map(({ id }) => id);
    expect(ids).toEqual(["c", "tw-httpserver-native", "tw-httpserver-node", "node-http"]);
  });

  it("have the same ids for large bodies, and say what to serve and which file", () => {
    const bun = { name: "bun", version: "1", binary: "/bun" };
    const rows = bodyRows({ bodyServer: "/c", runtimes: [bun], path: "/file" }, "file");
    expect(rows.map(({ id }) => id)).toEqual([
      "c",
      "tw-httpserver-native",
      "tw-httpserver-node",
      "node-http",
      "bun",
    ]);
    for (const { command, env } of rows) {
      expect(command.at(-1)).toBe("file");
      expect(env).toMatchObject({ BENCH_FILE: "/file" });
    }
  });

  it("are chosen by --only, which refuses what there is not", async () => {
    const options = { ...parseOptions(["--part", "http", "--only", "hello,udp"]) };
    const native = { server: undefined, streamServer: undefined, bodyServer: undefined, load: undefined };
    const run = compareHTTP(options, native, [], new Report(options), () => {});
    await expect(run).rejects.toThrow(/^--only takes hello, .*, not "udp"$/);
    for (const id of HTTP_COMPARISONS) expect(USAGE).toContain(id);
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
