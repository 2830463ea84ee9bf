// How error messages repeat what they complain about: quoted, escaped (S-43), and not all of a megabyte.

/** The first hundred characters of a text as JSON, and anything else as it is written. */
export function quote(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : String(value);
}
