import { expect, it } from "vitest";
import * as deadline from "../src/deadline.js";
import * as main from "../src/index.js";
import * as testing from "../src/testing.js";

it("the entries export what they promise, and nothing else", () => {
  expect(Object.keys(main).sort()).toEqual([
    "CachingResolver",
    "ConnectTimeoutError",
    "DEFAULT_MAX_CONNECTIONS",
    "DefaultResolver",
    "ListenError",
    "ListeningSocket",
    "NoAddressError",
    "OverrideResolver",
    "ProxyProtocolError",
    "TCPClient",
    "TCPServer",
    "adoptSocket",
    "bindSockets",
    "bindUnixSocket",
    "checkBinding",
    "inheritedSockets",
    "isValidIp",
    "listenFds",
    "networkOf",
    "proxyHeaderOf",
    "trustedPeers",
    "useNetwork",
  ]);
  expect(Object.keys(deadline)).toEqual(["withDeadline"]);
  expect(Object.keys(testing).sort()).toEqual(["MemoryNetwork", "deliver", "networkConformance"]);
});
