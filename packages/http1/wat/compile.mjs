// Compiles section-scan.wat into a source file: `pnpm run wat`.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import wabt from "wabt";

/** The text of src/section-scan.ts. */
export async function compile() {
  const { parseWat } = await wabt();
  const source = fileURLToPath(new URL("section-scan.wat", import.meta.url));
  const module = parseWat(source, readFileSync(source, "utf8"));
  const code = Buffer.from(module.toBinary({}).buffer).toString("hex");
  return `// Compiled from wat/section-scan.wat by \`pnpm run wat\`.

export const SECTION_SCAN: string = // in hex
${code
  .match(/.{1,100}/g)
  .map((line) => `  "${line}"`)
  .join(" +\n")};
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  writeFileSync(new URL("../src/section-scan.ts", import.meta.url), await compile());
