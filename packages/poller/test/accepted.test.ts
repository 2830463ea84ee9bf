import { expect, it } from "vitest";
import { acceptOn, hostText } from "../src/accepted.js";
import type { NativePoller } from "../src/native.js";
import type { Accepted, SocketAddress } from "../src/types.js";

/** What is accepted where the addon tells of a peer as `from`. */
function acceptedFrom(from: number | SocketAddress): Accepted {
  const native = { acceptFd: () => 7, acceptedFrom: () => from };
  return acceptOn(native as unknown as NativePoller, 3) as Accepted;
}

it.each([
  [0, 0, "0.0.0.0"],
  [0x7f000001, 1, "127.0.0.1"],
  [0x7fffffff, 65_535, "127.255.255.255"],
  [0x80000000, 0, "128.0.0.0"],
  [0xc0000201, 8080, "192.0.2.1"],
  [0xffffffff, 65_535, "255.255.255.255"],
])("accept() takes IPv4 address %i and port %i out of one number", (address, port, text) => {
  const accepted = acceptedFrom(address * 65_536 + port);
  expect(accepted).toMatchObject({ fd: 7, host: address | 0, port });
  expect(accepted.address).toBe(text);
  expect(hostText(address)).toBe(text);
});

it("accept() hands on the text of other addresses", () => {
  const accepted = acceptedFrom({ address: "fe80::1%lo", port: 9, family: 6 });
  expect(accepted).toMatchObject({ fd: 7, host: "fe80::1%lo", address: "fe80::1%lo", port: 9 });
});

it("accept() asks for no peer where there is none", () => {
  const acceptedFrom = () => expect.unreachable();
  expect(acceptOn({ acceptFd: () => -11, acceptedFrom } as unknown as NativePoller, 3)).toBe(-11);
});
