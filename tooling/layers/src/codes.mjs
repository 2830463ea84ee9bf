// The error codes that a file gives to errors, as against those that it only asks for.

const CODE = /^ERR_TW_[A-Z0-9_]*[A-Z0-9]$/;

/** @returns {{ code: string, line: number }[]} */
export function findCodes(/** @type {import("./tokens.mjs").Token[]} */ tokens) {
  return tokens.flatMap(({ kind, text, line }, i) =>
    kind === "string" && CODE.test(text) && !isAsked(tokens, i) ? [{ code: text, line }] : [],
  );
}

/** `=== "…"`, `case "…"` and `isTwError(error, "…")`. */
function isAsked(tokens, i) {
  const before = (count) => tokens[i - count]?.text;
  return before(1) === "case" || (before(1) === "=" && before(2) === "=") || before(4) === "isTwError";
}
