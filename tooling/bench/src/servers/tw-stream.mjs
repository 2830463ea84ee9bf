// Programs on @tw/tcp and @tw/iostream as their READMEs write them:  node tw-stream.mjs attach|read|take|give|close PORT
import { TCPServer } from "@tw/tcp";

const [, , mode, port] = process.argv;
const nothing = () => {};

/** Fed by the stream: a view is ours until we return, and may be sent as it is. */
const attach = (stream) => {
  stream.attach({
    onBytes: (view) => void stream.send(view),
    onEnd: () => void stream.close(),
    onDrain: nothing,
    onClose: nothing,
  });
};

/** The same, with a promise for each step. */
const read = async (stream) => {
  try {
    for (;;) await stream.write(await stream.readBytes(1024));
  } catch (error) {
    if (error.code !== "ERR_TW_STREAM_CLOSED") throw error;
  }
};

/** Counts what it is sent, and says at the end how much that was. */
const take = (stream) => {
  let received = 0;
  stream.attach({
    onBytes(view) {
      received += view.length;
    },
    onEnd() {
      stream.send(String(received));
      stream.close();
    },
    onDrain: nothing,
    onClose: nothing,
  });
};

const give = (stream) => {
  const chunk = new Uint8Array(65_536);
  const fill = () => {
    while (!stream.closed && stream.send(chunk));
  };
  stream.attach({ onBytes: nothing, onEnd: nothing, onDrain: fill, onClose: nothing });
  fill();
};

const close = (stream) => void stream.close();

const server = new TCPServer({ attach, read, take, give, close }[mode]);
await server.listen(Number(port), "127.0.0.1");
console.log("ready");
