// For tests: the records that are expected.

export { ExpectedLogError, ExpectLog, type ExpectLogOptions, expectLog } from "./expect-log.js";
