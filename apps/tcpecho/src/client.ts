// A client that says something and prints what comes back.

import { TCPClient } from "@tw/tcp";
import { codec } from "./server.js";

export async function echo(port: number, messages: readonly string[]): Promise<void> {
  await using stream = await new TCPClient().connect("127.0.0.1", port, { timeoutMs: 5000 });
  const frames = stream.frames(codec);
  // Everything at once: the answers come in order.
  for (const message of messages) frames.send(message);
  stream.end();
  for await (const line of frames) console.log(line);
}
