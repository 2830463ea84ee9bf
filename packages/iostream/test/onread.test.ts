// Memory that sockets read to: whose it is, and that no receiver can transfer it away from under Node, which writes to it.
import { MessageChannel } from "node:worker_threads";
import { expect, it } from "vitest";
import { testLoop } from "./helpers.js";
import { readingSocket as socket } from "./reading-socket.js";

const SHARED = 16 * 1024;
const OWN = 64 * 1024;

it("a read that fills the shared buffer is followed by one into its own, and one that does not fill that by the shared again", () => {
  const { reads, views } = socket();
  const shared = reads.buffer();
  expect(shared.length).toBe(SHARED);
  reads.callback(SHARED - 1);
  expect(reads.buffer()).toBe(shared);
  reads.callback(SHARED);
  const own = reads.buffer();
  expect(own.length).toBe(OWN);
  reads.callback(OWN);
  expect(reads.buffer()).toBe(own);
  reads.callback(OWN - 1);
  expect(reads.buffer()).toBe(shared);
  expect(views.map((view) => view.length)).toEqual([SHARED - 1, SHARED, OWN, OWN - 1]);
});

it("what receivers see of bulk is not transferred, but refused or copied", () => {
  const { reads, views } = socket();
  reads.callback(SHARED);
  reads.callback(OWN);
  const { buffer } = views[1] as Uint8Array<ArrayBuffer>;
  const { port1, port2 } = new MessageChannel();
  for (const transfer of [
    () => structuredClone(buffer, { transfer: [buffer] }),
    () => port1.postMessage(buffer, [buffer]),
  ]) {
    try {
      transfer();
    } catch (error) {
      expect(error).toMatchObject({ name: "DataCloneError" });
    }
    expect(buffer.byteLength).toBe(OWN);
  }
  port1.close();
  port2.close();
  expect(reads.buffer().buffer).toBe(buffer);
});

/** As `ArrayBuffer.transfer` leaves it on Node 22, which does not ask. */
function detach(buffer: Uint8Array): void {
  Object.defineProperty(buffer, "length", { value: 0 });
}

it("who detaches bulk that is no longer his all the same loses his connection", () => {
  const { reads, views, aborted } = socket();
  reads.callback(SHARED);
  reads.callback(OWN);
  detach(reads.buffer());
  reads.callback(100);
  expect(aborted).toMatchObject([{ code: "ERR_TW_READ_DETACHED" }]);
  expect([views.length, reads.buffer().length]).toEqual([2, SHARED]);
});

it("a spare buffer that was detached is given to nobody", () => {
  const loop = testLoop();
  const { reads } = socket(loop);
  reads.callback(SHARED);
  const own = reads.buffer();
  reads.callback(100);
  detach(own);
  const other = socket(loop);
  other.reads.callback(SHARED);
  expect(other.reads.buffer().length).toBe(OWN);
});
