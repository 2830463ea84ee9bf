// A package registry on loopback, without uplinks: what is not in it cannot be installed.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { setTimeout } from "node:timers/promises";

const START_MS = 20_000;

export class Registry {
  #child;
  #log = "";

  constructor(child, url) {
    this.#child = child;
    this.url = url;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        this.#log += chunk;
      });
    }
  }

  static async start(/** @type {string} */ dir) {
    mkdirSync(dir, { recursive: true });
    const config = {
      storage: join(dir, "storage"),
      auth: { htpasswd: { file: join(dir, "htpasswd") } },
      uplinks: {},
      packages: { "**": { access: "$anonymous", publish: "$anonymous" } },
      log: { type: "stdout", format: "json", level: "warn" },
      web: { enable: false },
    };
    const file = join(dir, "config.yaml");
    writeFileSync(file, JSON.stringify(config));
    const url = `http://127.0.0.1:${await freePort()}`;
    const binary = createRequire(import.meta.url).resolve("verdaccio/bin/verdaccio");
    const registry = new Registry(spawn(process.execPath, [binary, "--config", file, "--listen", url]), url);
    await registry.#ready();
    return registry;
  }

  async #ready() {
    for (
      const end = Date.now() + START_MS;
      Date.now() < end && this.#child.exitCode === null;
      await setTimeout(100)
    ) {
      const answer = await fetch(`${this.url}/-/ping`).catch(() => undefined);
      if (answer?.ok) return;
    }
    await this.stop();
    throw new Error(`verdaccio did not start: ${this.#log}`);
  }

  /** Publishes one tarball as `npm publish` does: one document with the manifest and the bytes. */
  async publish(
    /** @type {Record<string, any>} */ manifest,
    /** @type {Buffer} */ bytes,
    /** @type {string} */ path,
  ) {
    const { name, version } = manifest;
    const dist = {
      integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`,
      shasum: createHash("sha1").update(bytes).digest("hex"),
      tarball: `${this.url}/${name}/-/${basename(path)}`,
    };
    const attachment = {
      content_type: "application/octet-stream",
      data: bytes.toString("base64"),
      length: bytes.length,
    };
    const document = {
      _id: name,
      name,
      "dist-tags": { latest: version },
      versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
      _attachments: { [basename(path)]: attachment },
    };
    const answer = await fetch(`${this.url}/${name.replace("/", "%2f")}`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(document),
    });
    if (!answer.ok) throw new Error(`${name} was not published: ${answer.status} ${await answer.text()}`);
  }

  async stop() {
    if (this.#child.exitCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
