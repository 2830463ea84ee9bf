// docs/limits.md as data, and what the sources say, as data.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../../", import.meta.url));

/** One row of the table. */
export interface LimitRow {
  /** `maxHeadSize`, or the words in italics. */
  readonly name: string;
  /** Whether the first column names an option. */
  readonly isOption: boolean;
  readonly package: string;
  readonly value: number;
  readonly file: string;
  readonly symbol: string;
}

/** Reads the rows of all tables. @throws on a row that is not as the others are */
export function readTable(markdown: string): LimitRow[] {
  const rows = markdown.split("\n").filter((line) => /^\| [`_]/.test(line));
  return rows.map((line) => {
    const [limit = "", owner = "", value = "", unit = "", effect = "", source = "", ...rest] = line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim());
    const name = /^`(\w+)`|^_(.+)_$/.exec(limit);
    const place = /^`([\w/.-]+)` `(\w+)`$/.exec(source);
    if (name === null || place === null || !/^[\d ]+$/.test(value) || rest.length > 0 || !unit || !effect) {
      throw new Error(`Not a row of limits: ${line}`);
    }
    return {
      name: name[1] ?? name[2] ?? "",
      isOption: name[1] !== undefined,
      package: owner,
      value: Number(value.replaceAll(" ", "")),
      file: place[1] ?? "",
      symbol: place[2] ?? "",
    };
  });
}

/** The number that `symbol` has in a source: a constant, or what stands behind `symbol ??` or `symbol =`. */
export function valueInSource(file: string, symbol: string): number | undefined {
  const source = readFileSync(join(packages, file), "utf8");
  const constant = new RegExp(`const ${symbol}(?:: number)? = ([\\w *]+);`).exec(source);
  const fallback = new RegExp(`\\b${symbol} (?:\\?\\?|=) (\\d\\w*|[A-Z_]+)`).exec(source);
  const expression = constant?.[1] ?? fallback?.[1];
  return expression === undefined ? undefined : product(expression, file);
}

/** An option whose documentation names a number as its default. */
export interface DocumentedDefault {
  readonly package: string;
  readonly option: string;
  readonly value: number;
}

/** What has a number as its default and is no limit. */
const NO_LIMITS: ReadonlySet<string> = new Set(["status"]);

/** Every limit with a number as `@default` in the sources, but those of the testing entries and of what is for tests. */
export function documentedDefaults(): DocumentedDefault[] {
  const owners = readdirSync(packages).filter((owner) => owner !== "testing");
  return owners.flatMap((owner) =>
    sources(join(packages, owner, "src")).flatMap((source) => {
      const documented =
        /\/\*\*((?:(?!\*\/)[\s\S])*?)@default (\d[\d _]*\d)(?:(?!\*\/)[\s\S])*\*\/\s*readonly (\w+)\??:/g;
      return [...source.matchAll(documented)]
        .map(([, , value = "", option = ""]) => ({
          package: owner,
          option,
          value: Number(value.replace(/[ _]/g, "")),
        }))
        .filter(({ option }) => !NO_LIMITS.has(option));
    }),
  );
}

function sources(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith(".ts") && !/testing|memory|virtual/.test(name))
    .map((name) => readFileSync(join(folder, name), "utf8"));
}

/** `64 * 1024`, `10_485_760`, or a constant of the same file times numbers. */
function product(expression: string, file: string): number {
  return expression
    .split("*")
    .map((factor) => factor.trim())
    .map((factor) =>
      /^\d/.test(factor) ? Number(factor.replaceAll("_", "")) : (valueInSource(file, factor) ?? Number.NaN),
    )
    .reduce((left, right) => left * right, 1);
}
