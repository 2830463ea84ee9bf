// Fields that are for the next hop alone, RFC 9110 §7.6.1, and Trailer, which is about this hop's chunks. What is handed on goes
// without them, and without those that its Connection lists; who asks by another's connection may not set them.

/** Their names. `Proxy-Connection` never was in a standard, and is taken for one. */
export const hopByHopFields: readonly string[] = [
  "Connection",
  "Keep-Alive",
  "Proxy-Connection",
  "TE",
  "Trailer",
  "Transfer-Encoding",
  "Upgrade",
];

/** Tells whether `name` is one of {@link hopByHopFields}, in whatever case. */
export function isHopByHop(name: string): boolean {
  return names.has(name.toLowerCase());
}

const names: ReadonlySet<string> = new Set(hopByHopFields.map((name) => name.toLowerCase()));
