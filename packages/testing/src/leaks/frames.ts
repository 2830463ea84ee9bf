// The lines of a stack: what was called, where, and whether that is a part of this stack's face.

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as ioloop from "@tw/ioloop";
import { virtualLoop } from "@tw/ioloop/testing";
import * as iostream from "@tw/iostream";
import * as transports from "@tw/iostream/transports";
import * as tcp from "@tw/tcp";

/** One line of a stack. */
export interface Frame {
  /** `IOLoop.callLater`, or `""` at the top of a file. */
  readonly call: string;
  readonly file: string;
  readonly position: string;
}

const FRAME =
  /^\s+at (?:(?:async )?(.+?) \()?(?:async )?((?:file:\/\/|[/\\]|[A-Za-z]:[\\/]).*?):(\d+:\d+)\)?$/;

/** The frames of a stack as text; those of Node itself and of native code are left out. */
export function readFrames(stack: string): Frame[] {
  return stack.split("\n").flatMap((line) => {
    const [, call = "", file = "", position = ""] = FRAME.exec(line) ?? [];
    if (file === "") return [];
    return [
      {
        // A bundler may have put an underscore before the name of a class.
        call: call.replace(/ \[as .*\]$/, "").replace(/^(new )?_/, "$1"),
        file: (file.startsWith("file://") ? fileURLToPath(file) : file).replaceAll("\\", "/"),
        position,
      },
    ];
  });
}

/** `test/server.test.ts:12:20`, from the working directory. */
export function placeOf({ file, position }: Frame): string {
  const near = relative(process.cwd(), file);
  return `${near.startsWith("..") ? file : near}:${position}`;
}

/** What lies above the sources or the bundle of the package of a file. */
export function folderOf({ file }: Frame): string {
  return /^(.*\/)(?:src|dist)\//.exec(file)?.[1] ?? "\0";
}

/** Whether a package of this stack is in `frame`: one installed under its scope, or a neighbour of the loop's in a checkout. */
export function isOurs(frame: Frame): boolean {
  return packageOf(frame) !== undefined;
}

/**
 * The public part of a call of ours, or `""`: `TCPServer` of `TCPServer.#accepted`, nothing of a class or function that
 * its package does not export. Of packages that are not known here, whatever is not private.
 */
export function publicCall(frame: Frame): string {
  const { call } = frame;
  const [, made = "", name = "", member = ""] = /^(new )?([\w$]+)(\.[\w$]+)?/.exec(call) ?? [];
  // What is called on an object without a class, an iterator most often, says nothing.
  if (name === "" || name === "Object" || call.includes("<anonymous>")) return "";
  const exported = EXPORTS.get(packageOf(frame) ?? "");
  return exported === undefined || exported.has(name) ? `${made}${name}${member}` : "";
}

const EXPORTS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["ioloop", new Set(Object.keys(ioloop))],
  ["iostream", new Set([...Object.keys(iostream), ...Object.keys(transports)])],
  ["tcp", new Set(Object.keys(tcp))],
]);

function packageOf(frame: Frame): string | undefined {
  const { file } = frame;
  const installed = /\/node_modules\/@tw\/([^/]+)\//.exec(file)?.[1];
  if (installed !== undefined) return installed;
  home ??= findHome();
  return file.startsWith(home) ? /^([^/]+)\/(?:src|dist)\//.exec(file.slice(home.length))?.[1] : undefined;
}

let home: string | undefined;

/** The folder that holds the package of the loop, as its own frames tell it. */
function findHome(): string {
  try {
    virtualLoop().loop.callLater(-1, () => undefined);
  } catch (error) {
    for (const frame of readFrames(String((error as Error).stack))) {
      if (!frame.call.includes("callLater")) continue;
      const found = /^(.*\/)[^/]+\/$/.exec(folderOf(frame))?.[1];
      if (found !== undefined) return found;
    }
  }
  return "\0";
}
