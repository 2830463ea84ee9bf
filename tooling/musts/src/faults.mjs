// What is wrong with a list of requirements and the markers beside it.

/**
 * @typedef {object} Rfc
 * @property {number} number
 * @property {string} title
 * @property {Record<string, number>} sentences  by section: how many of its sentences say MUST, MUST NOT, SHALL or REQUIRED
 * @property {Record<string, string>} ours       by `section (n)`: the requirement in words of our own
 * @property {{ who: string, why: string, which: string[] }[]} notOurs
 */

/** @returns {string[]} one line each */
export function findFaults(/** @type {Rfc[]} */ rfcs, sources, proofs) {
  const faults = rfcs.flatMap((rfc) => unaccounted(rfc));
  const known = new Set(rfcs.flatMap(({ number, ours }) => Object.keys(ours).map((id) => `${number} ${id}`)));
  const obeyed = new Set(sources.map(({ id }) => id));
  const proved = new Set(proofs.map(({ id }) => id));
  for (const id of known) {
    if (!obeyed.has(id)) faults.push(`RFC ${cite(id)}: no line obeys it`);
    if (!proved.has(id)) faults.push(`RFC ${cite(id)}: nothing proves it`);
  }
  for (const { id, file, line, text } of [...sources, ...proofs]) {
    if (!known.has(id))
      faults.push(`packages/${file}:${line}: RFC ${cite(id)} is no requirement of the list`);
    if (text === "") faults.push(`packages/${file}:${line}: RFC ${cite(id)} stands beside nothing`);
  }
  return faults;
}

/** Sentences that are in no list or in two, and entries of the lists that are no sentence. */
function unaccounted({ number, sentences, ours, notOurs }) {
  const entries = [...Object.keys(ours), ...notOurs.flatMap(({ which }) => which)];
  const wanted = Object.entries(sentences).flatMap(([section, count]) =>
    Array.from({ length: count }, (_, i) => `${section} (${i + 1})`),
  );
  return [
    ...wanted.filter((id) => !entries.includes(id)).map((id) => `RFC ${number} §${id}: in no list`),
    ...entries.filter((id) => !wanted.includes(id)).map((id) => `RFC ${number} §${id}: no such sentence`),
    ...entries.filter((id, i) => entries.indexOf(id) !== i).map((id) => `RFC ${number} §${id}: in two lists`),
  ];
}

function cite(/** @type {string} */ id) {
  return id.replace(" ", " §");
}
