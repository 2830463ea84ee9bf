// A server that says every line back.

import type { IOStream } from "@tw/iostream";
import { lines } from "@tw/iostream/framing";
import { TCPServer } from "@tw/tcp";

/** Both sides agree on it: one line of UTF-8, at most this long. */
export const codec = lines({ maxFrameSize: 1024 });

export class EchoServer extends TCPServer {
  override async handleStream(stream: IOStream): Promise<void> {
    const frames = stream.frames(codec);
    for await (const line of frames) await frames.write(line);
    await stream.close();
  }
}
