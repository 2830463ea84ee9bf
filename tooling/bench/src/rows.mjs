// What is compared: an id, what the table calls it, and how its server is started.
import { fileURLToPath } from "node:url";
import { packageVersion } from "./machine.mjs";

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} title
 * @property {string[]} command  the port follows as the last argument
 * @property {Record<string, string>} [env]
 * @property {boolean} [limit]  the row that the others are set in relation to
 */

const file = (name) => fileURLToPath(new URL(`servers/${name}.mjs`, import.meta.url));
const control = fileURLToPath(new URL("servers/control.mjs", import.meta.url));

const node = (id, title, name = id, env = {}) => ({
  id,
  title,
  command: [process.execPath, file(name)],
  env,
});
const bothEngines = (name, title) => [
  node(`${name}-native`, `${title}, native engine`, name, { TW_ENGINE: "native" }),
  node(`${name}-node`, `${title}, node engine`, name, { TW_ENGINE: "node" }),
];
const titled = (name) => `${name} ${packageVersion(name)}`;

/** @returns {Row[]} */
export function httpRows({ server, runtimes }) {
  const limit = { id: "c", title: "C, epoll, canned answer (the limit)", command: [server], limit: true };
  return [
    ...(server === undefined ? [] : [limit]),
    ...bothEngines("tw-httpserver", "**@tw/httpserver** callback"),
    ...bothEngines("tw-application", "**@tw/web** Application"),
    node("node-http", "node:http"),
    node("fastify", titled("fastify")),
    node("express", titled("express")),
    node("hono", `${titled("hono")} on node-server ${packageVersion("@hono/node-server")}`),
    ...runtimes.map(({ name, version, binary }) => ({
      id: name,
      title: `${name} ${version}`,
      command: name === "deno" ? [binary, "run", "--allow-net", file(name)] : [binary, file(name)],
    })),
  ];
}

/** Those that every comparison of HTTP has; the frameworks are in the first only, unless `--rows` names them. */
const CORE = ["c", "tw-httpserver-native", "tw-httpserver-node", "node-http", "bun", "deno"];
export const coreRows = (/** @type {Row[]} */ rows) => rows.filter(({ id }) => CORE.includes(id));

/**
 * The servers of large bodies: a MiB from memory (`body`), or from a file (`file`), and an upload that is counted.
 * @returns {Row[]}
 */
export function bodyRows({ bodyServer, runtimes, path }, /** @type {"body" | "file" | "upload"} */ mode) {
  const limit = { id: "c", title: "C, epoll (the limit)", command: [bodyServer], limit: true };
  const rows = [
    ...(bodyServer === undefined ? [] : [limit]),
    ...bothEngines("tw-httpserver-bodies", "**@tw/httpserver**").map(shortId),
    shortId(node("node-http-bodies", "node:http")),
    ...runtimes
      .filter(({ name }) => name === "bun")
      .map(({ name, version, binary }) => ({
        id: name,
        title: `${name} ${version}`,
        command: [binary, file("bun-bodies")],
      })),
  ];
  return rows.map((row) => ({
    ...row,
    command: [...row.command, mode],
    env: { ...row.env, BENCH_FILE: path },
  }));
}

const shortId = (row) => ({ ...row, id: row.id.replace("-bodies", "") });

/** The rows whose peak memory is read while a gigabyte goes through: their servers collect garbage when told to. */
export const transferRows = (/** @type {string} */ mode) =>
  [...bothEngines("tw-httpserver-bodies", "**@tw/httpserver**"), node("node-http-bodies", "node:http")]
    .map(shortId)
    .map(withControl)
    .map((row) => ({ ...row, command: [...row.command, mode] }));

/** The rows that slow clients are set upon. */
export const slowRows = (/** @type {number} */ headTimeoutMs) =>
  [...bothEngines("tw-httpserver", "**@tw/httpserver**"), node("node-http", "node:http")].map((row) => ({
    ...row,
    env: { ...row.env, BENCH_HEAD_TIMEOUT_MS: String(headTimeoutMs) },
  }));

/** @returns {Row[]} */
export const webSocketRows = () => [
  ...bothEngines("tw-websocket", "**@tw/websocket**"),
  node("ws", titled("ws")),
];

/**
 * @param {string | undefined} limit  our C server
 * @param {string} kind  what the servers that have one way of doing it are told
 * @param {string[]} modes  the ways that ours have
 * @returns {Row[]}
 */
export function streamRows(limit, kind, modes) {
  const told = ({ command, ...row }, what) => ({ ...row, command: [...command, what] });
  const names = { attach: "attached receiver", read: "`readBytes` and awaited `write`" };
  return [
    ...(limit === undefined
      ? []
      : [{ id: "c", title: "C, epoll (the limit)", command: [limit, kind], limit: true }]),
    ...modes.flatMap((mode) =>
      bothEngines("tw-stream", `**@tw/iostream**${names[mode] ? `, ${names[mode]}` : ""}`).map((row) => ({
        ...told(row, mode),
        id: `${row.id}-${mode}`,
      })),
    ),
    told(node("node-net", "node:net"), kind),
  ];
}

/** The rows whose memory per idle connection is measured: their servers collect garbage when told to. */
export function idleRows() {
  return [
    ...bothEngines("tw-httpserver", "**@tw/httpserver** callback"),
    ...bothEngines("tw-application", "**@tw/web** Application"),
    node("node-http", "node:http"),
  ]
    .map(withControl)
    .map((row) => ({ ...row, env: { ...row.env, BENCH_IDLE: "1" } }));
}

/** Collects garbage when told to on stdin. */
const withControl = ({ command: [binary, ...rest], ...row }) => ({
  ...row,
  command: [binary, "--expose-gc", "--import", control, ...rest],
});

/** The rows that `--rows` asks for; the limit is always among them. */
export function chosen(/** @type {Row[]} */ rows, /** @type {string[]} */ words) {
  if (words.length === 0) return rows;
  return rows.filter(({ id, limit }) => limit || words.some((word) => id.includes(word)));
}
