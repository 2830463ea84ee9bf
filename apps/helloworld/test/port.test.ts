import { onPort } from "@tw/tooling-samples/port";
import { afterEach, describe, expect, it, vi } from "vitest";

const listen = async (port: number): Promise<number> => port;

/** A socket that cannot be had. */
const refuse = (code: string) => (): Promise<never> =>
  Promise.reject(Object.assign(new Error(code), { code }));

describe("onPort()", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each([
    [undefined, 8888],
    ["", 8888],
    ["0", 0],
    ["65535", 65_535],
  ])("PORT=%s is port %i", async (PORT, port) => {
    vi.stubEnv("PORT", PORT);
    expect(await onPort(8888, listen)).toBe(port);
  });

  it.each(["abc", "-1", "65536", "80.5"])("PORT=%s is no port", async (PORT) => {
    vi.stubEnv("PORT", PORT);
    await expect(onPort(8888, listen)).rejects.toThrow(`PORT is "${PORT}", which is not a port.`);
  });

  it.each([
    ["EADDRINUSE", "Port 80 is taken. Set PORT to another one: PORT=9000"],
    ["EACCES", "Port 80 may not be opened by this user. Set PORT to one above 1023."],
    ["EADDRNOTAVAIL", "EADDRNOTAVAIL"],
  ])("%s is: %s", async (code, message) => {
    vi.stubEnv("PORT", "");
    await expect(onPort(80, refuse(code))).rejects.toThrow(message);
  });
});
