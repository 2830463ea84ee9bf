// What the tests share: a moment for the kernel, and waiting for what it does.
import { readdirSync } from "node:fs";
import { expect } from "vitest";

/** A moment for the kernel. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

/** Waits for real I/O. */
export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 5000 && !condition(); i++) await settle();
  expect(condition()).toBe(true);
}

/** Descriptors that this process has open. */
export function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** Waits until no more descriptors are open than there were. */
export async function descriptorsBackTo(count: number): Promise<void> {
  await until(() => openDescriptors() <= count);
}
