// Field lines to write. Programs send the same few fields with most of their answers, and putting a line together costs
// as much as reading one: lines that came twice are kept, whole and in one piece.

/** A field, and its line from the second time on. */
interface KnownField {
  name: string;
  value: string;
  line: string | undefined;
}

/** Power of two. */
const SLOTS = 64;

/** Longer values are seldom the same. */
const MAX_VALUE = 128;

const known: (KnownField | undefined)[] = new Array<KnownField | undefined>(SLOTS).fill(undefined);

/** `name: value CRLF`, of what was validated when it was put into HTTPHeaders. */
export function fieldLine(name: string, value: string): string {
  const field = known[slotOf(name, value)];
  if (field !== undefined && field.name === name && field.value === value && field.line !== undefined)
    return field.line;
  return newLine(name, value);
}

function newLine(name: string, value: string): string {
  if (value.length > MAX_VALUE) return `${name}: ${value}\r\n`;
  const slot = slotOf(name, value);
  const field = known[slot];
  if (field === undefined || field.name !== name || field.value !== value) {
    known[slot] = { name, value, line: undefined };
    return `${name}: ${value}\r\n`;
  }
  // Joined, because that copies the parts, where adding them would make a tree of them.
  field.line = [name, ": ", value, "\r\n"].join("");
  return field.line;
}

function slotOf(name: string, value: string): number {
  return (name.length * 5 + value.length) & (SLOTS - 1);
}
