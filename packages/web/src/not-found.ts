// Where a request goes that no row matches.

import { HTTPError } from "./errors.js";
import { ServiceTarget } from "./target.js";

/** Answers 404 to every method. */
export const NOT_FOUND: ServiceTarget = new ServiceTarget(() => {
  throw new HTTPError(404);
});
