import * as web from "@tw/web";
import { expect, test } from "vitest";

test("the package exports these names", () => {
  expect(Object.keys(web).sort()).toEqual([
    "Application",
    "ClientGoneError",
    "Finish",
    "HTTPError",
    "HeadersSentError",
    "InvalidBodyError",
    "MissingArgumentError",
    "RequestHandler",
    "ResponseFinishedError",
    "errorPage",
    "isHTTPError",
    "route",
  ]);
});
