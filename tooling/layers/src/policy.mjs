// layers.mjs as questions that the rules can ask.

export class Policy {
  #lines = new Map();
  #pure;
  #nodeImports;
  #computedImports;
  #requires;
  /** Names that layers.mjs lists more than once. */
  repeated = [];

  constructor(/** @type {import("./workspace.mjs").Tree["policy"]} */ policy) {
    const { layers, pure, nodeImports, computedImports = [], requires = [] } = policy;
    layers.forEach((line, number) => {
      for (const folder of line) {
        if (this.#lines.has(folder)) this.repeated.push(folder);
        this.#lines.set(folder, number);
      }
    });
    this.#pure = new Set(pure);
    this.#nodeImports = nodeImports;
    this.#computedImports = new Set(computedImports.map((path) => `packages/${path}`));
    this.#requires = new Set(requires.map((path) => `packages/${path}`));
  }

  /** Every package that layers.mjs speaks of, in `layers` or in `pure`. */
  get listed() {
    return [...new Set([...this.#lines.keys(), ...this.#pure])];
  }

  line(folder) {
    return this.#lines.get(folder);
  }

  isPure(folder) {
    return this.#pure.has(folder);
  }

  /** Whether this file, by its path from the root, may import() a computed name. */
  mayCompute(path) {
    return this.#computedImports.has(path);
  }

  /** Whether this file may make a require() of its own. */
  mayRequire(path) {
    return this.#requires.has(path);
  }

  /** The folders that may import this built-in module, or undefined where all may. */
  foldersFor(builtin) {
    return this.#nodeImports[`node:${builtin.split("/")[0]}`];
  }
}
