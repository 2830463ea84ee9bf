export { type CorpusCase, parseCorpus } from "./testing/corpus.js";
export { type FuzzOptions, type FuzzReport, fuzzHTTP1 } from "./testing/fuzz.js";
export { machineFor, piecesOf, runScenario, type Scenario } from "./testing/scenario.js";
