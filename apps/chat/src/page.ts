// The files of the page, read once at the start and served from memory: no path of a request ever reaches a file system.

import { readFileSync } from "node:fs";
import { RequestHandler, type RouteLike, route, type Settings } from "@tw/tornado";

/** From dist/ as from src/, the page is beside it. */
const PUBLIC = new URL("../public/", import.meta.url);

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "/": ["index.html", "text/html; charset=UTF-8"],
  "/chat.css": ["chat.css", "text/css; charset=UTF-8"],
  "/main.js": ["main.js", "text/javascript; charset=UTF-8"],
  "/connection.js": ["connection.js", "text/javascript; charset=UTF-8"],
  "/composer.js": ["composer.js", "text/javascript; charset=UTF-8"],
  "/log.js": ["log.js", "text/javascript; charset=UTF-8"],
  "/people.js": ["people.js", "text/javascript; charset=UTF-8"],
  "/icon.svg": ["icon.svg", "image/svg+xml"],
};

/**
 * Scripts and styles from here only, connections to here only, nobody may frame us. Were text of another user ever taken
 * for HTML, it could run nothing and reach nobody.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

interface Asset {
  readonly body: Uint8Array;
  readonly type: string;
}

class AssetHandler extends RequestHandler {
  #asset: Asset | undefined;

  initialize(asset: Asset): void {
    this.#asset = asset;
  }

  override setDefaultHeaders(): void {
    this.setHeader("Content-Security-Policy", POLICY);
    this.setHeader("X-Content-Type-Options", "nosniff");
    this.setHeader("Referrer-Policy", "no-referrer");
    this.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  }

  get(): void {
    const { body, type } = this.#asset as Asset;
    this.setHeader("Content-Type", type);
    this.setHeader("Cache-Control", "no-cache");
    this.write(body);
  }

  head(): void {
    this.get();
  }
}

/** The routes of the page. @throws when a file of it is missing */
export function pageRoutes(): RouteLike<Settings>[] {
  return Object.entries(FILES).map(([path, [file, type]]) =>
    route(path, AssetHandler, { body: readFileSync(new URL(file, PUBLIC)), type }),
  );
}
