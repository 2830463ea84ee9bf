// The rules that one source file can break.
import { builtinModules } from "node:module";
import { posix } from "node:path";
import { findCodes } from "./codes.mjs";
import { findGlobals } from "./globals.mjs";
import { findDocImports, findImports } from "./imports.mjs";
import { tokenize } from "./tokens.mjs";

const BUILTIN = new Set(builtinModules);

/**
 * Checks one file and notes in `used` which @tw packages it imports.
 * @param {import("./workspace.mjs").Package} home
 * @param {{ path: string, source: string }} file
 * @param {{ policy: import("./policy.mjs").Policy, byName: Map<string, import("./workspace.mjs").Package>, used: Set<string> }} context
 * @returns {import("./rules.mjs").Violation[]}
 */
export function checkFile(home, file, { policy, byName, used }) {
  const violations = [];
  const report = (line, rule, message) => violations.push({ where: `${file.path}:${line}`, rule, message });
  const tokens = tokenize(file.source);
  const pure = policy.isPure(home.folder);

  const inComments = /\.[cm]?jsx?$/.test(file.path) ? findDocImports(file.source) : [];
  for (const { specifier, line, how } of [...findImports(tokens), ...inComments]) {
    const say = (rule, message) => report(line, rule, message);
    if (how === "star") say("export-star", "exports what it does not name");
    if (specifier === undefined) {
      if (how === "import" && !policy.mayCompute(file.path))
        say("computed-import", "import() of a computed name cannot be checked");
      else if (how === "builtin")
        say("computed-import", "getBuiltinModule of a computed name cannot be checked");
    } else if (/^(?:\.|\/|file:)/.test(specifier)) checkRelative(specifier, say);
    else if (how === "file") continue;
    else if (specifier.startsWith("node:")) checkBuiltin(specifier.slice(5), say);
    else if (specifier.startsWith("@tw/")) checkOwn(specifier, say);
    else if (BUILTIN.has(specifier)) {
      say("bare-builtin", `imports "${specifier}": built-in modules are written "node:${specifier}"`);
      checkBuiltin(specifier, say);
    } else say("third-party-import", `imports "${specifier}": packages have no dependencies outside @tw`);
  }
  for (const { code, line } of findCodes(tokens)) {
    if (!home.readme.includes(code))
      report(line, "unlisted-code", `has ${code}, which the package's README does not list`);
  }
  for (const { kind, text, line } of tokens) {
    if (kind === "reference") report(line, "reference", "takes in types by reference, past every import");
    else if (text === "createRequire" && /^(?:word|string)$/.test(kind) && !policy.mayRequire(file.path))
      report(line, "create-require", "makes a require(), which under another name nobody checks");
  }
  if (pure) {
    for (const { name, line } of findGlobals(tokens)) {
      report(line, "global-in-pure", `uses ${name}: what a pure package needs arrives as a parameter`);
    }
  }
  return violations;

  function checkRelative(specifier, say) {
    const target = specifier.startsWith(".") ? posix.join(posix.dirname(file.path), specifier) : specifier;
    if (!`${target}/`.startsWith(`${home.dir}/`))
      say("leaves-package", `imports "${specifier}", outside of the package`);
  }

  function checkBuiltin(module, say) {
    if (pure) {
      say("builtin-in-pure", `imports "node:${module}": ${home.name} is pure`);
      return;
    }
    if (module.startsWith("_")) {
      say("internal-builtin", `imports "node:${module}", which is Node's own affair`);
      return;
    }
    const folders = policy.foldersFor(module);
    if (folders === undefined || folders.some((folder) => file.path.startsWith(`packages/${folder}`))) return;
    const where = folders.length > 0 ? `only ${folders.join(" and ")} may` : "nobody may";
    say("network-import", `imports "node:${module}": ${where}`);
  }

  function checkOwn(specifier, say) {
    const name = specifier.split("/").slice(0, 2).join("/");
    const entry = `.${specifier.slice(name.length)}`;
    if (name === home.name) {
      say("self-import", `imports "${specifier}", itself, by name`);
      return;
    }
    used.add(name);
    if (home.manifest.dependencies?.[name] === undefined) {
      say("undeclared-dependency", `imports "${specifier}", which its dependencies do not declare`);
    }
    const target = byName.get(name);
    if (target === undefined) return;
    if (target.manifest.exports?.[entry] === undefined) {
      say("deep-import", `imports "${specifier}": ${name} exports no such entry`);
    }
    if (pure && !policy.isPure(target.folder))
      say("impure-import", `imports "${specifier}": ${home.name} is pure, ${name} is not`);
    const here = policy.line(home.folder);
    const there = policy.line(target.folder);
    if (here !== undefined && there !== undefined && there >= here) {
      const kind = there > here ? "upward-import" : "same-line-import";
      say(kind, `imports "${specifier}" (line ${there}) from line ${here}: earlier lines only`);
    }
  }
}
