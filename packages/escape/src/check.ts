/** Throws unless `text` is a string: most of what else there is would be taken for a text that it is not. @throws TypeError */
export function checkText(text: unknown): void {
  if (typeof text === "string") return;
  throw new TypeError(`text must be a string, got ${text === null ? "null" : typeof text}`);
}
