export { paramsOf } from "./params.js";
export type { PathArgs, PathParams, UrlParams } from "./path-types.js";
export { type RouteMatch, type RouteRow, RouteTable } from "./route-table.js";
export { reversePath, type UrlForArgs, urlFor } from "./url-for.js";
