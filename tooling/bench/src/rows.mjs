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
  const measured = ({ command: [binary, ...rest], ...row }) => ({
    ...row,
    command: [binary, "--expose-gc", "--import", control, ...rest],
    env: { ...row.env, BENCH_IDLE: "1" },
  });
  return [
    ...bothEngines("tw-httpserver", "**@tw/httpserver** callback"),
    ...bothEngines("tw-application", "**@tw/web** Application"),
    node("node-http", "node:http"),
  ].map(measured);
}

/** The rows that `--rows` asks for; the limit is always among them. */
export function chosen(/** @type {Row[]} */ rows, /** @type {string[]} */ words) {
  if (words.length === 0) return rows;
  return rows.filter(({ id, limit }) => limit || words.some((word) => id.includes(word)));
}
