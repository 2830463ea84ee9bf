// Connected pairs of TCP descriptors, as the poller sees them.
import type { NativeEngine } from "../src/transports.js";

/** `[accepted, connected]`; both are the caller's to close. */
export function tcpDescriptors({ poller }: NativeEngine): [number, number] {
  const listener = poller.socket(4);
  poller.bind(listener, "127.0.0.1", 0);
  poller.listen(listener, 1);
  const { port } = poller.getsockname(listener) as { port: number };
  const connected = poller.socket(4);
  poller.connect(connected, "127.0.0.1", port);
  let accepted = poller.accept(listener);
  while (typeof accepted === "number") accepted = poller.accept(listener);
  poller.closeFd(listener);
  return [accepted.fd, connected];
}
