import { describe, expect, it } from "vitest";
import { givePiece, PIECE_SIZE, takePiece } from "../src/file-pieces.js";
import { FileSend } from "../src/file-send.js";
import { TemporaryFiles } from "./temporary-files.js";

const files = new TemporaryFiles();
const { fd } = files.make(new Uint8Array(100).fill(65));

function read(send: FileSend): Promise<void> {
  return new Promise((resolve, reject) =>
    send.read((error, count) => (error === null && count > 0 ? resolve() : reject(error))),
  );
}

/** All pieces that are spare, and one more. */
function spare(): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < 20; i++) pieces.push(takePiece());
  return pieces;
}

describe("FileSend", () => {
  it("gives its piece back when all of it has gone", async () => {
    spare();
    const send = new FileSend({ fd, offset: 0, length: 100 });
    await read(send);
    const { buffer } = send.view as Uint8Array;
    send.advance(99);
    expect(spare().some((piece) => piece.buffer === buffer)).toBe(false);
    send.advance(1);
    expect([send.view, send.left]).toEqual([undefined, 0]);
    expect(spare().some((piece) => piece.buffer === buffer)).toBe(true);
  });

  it("keeps the piece from everybody when it fails: a Node stream may still send from it", async () => {
    const send = new FileSend({ fd, offset: 0, length: 100 });
    await read(send);
    const { buffer } = send.view as Uint8Array;
    send.fail(new Error("enough"));
    expect(spare().some((piece) => piece.buffer === buffer)).toBe(false);
    await expect(send.promise).rejects.toThrow("enough");
  });

  it("gives the piece back of a read that ends after it has failed, and tells nobody of it", async () => {
    spare();
    const send = new FileSend({ fd, offset: 0, length: 100 });
    let told = false;
    send.read(() => {
      told = true;
    });
    send.fail(new Error("enough"));
    send.fail(new Error("again"));
    await expect(send.promise).rejects.toThrow("enough");
    expect([told, send.view]).toEqual([false, undefined]);
    const piece = takePiece();
    expect(piece[0]).toBe(65);
  });

  it("keeps few spare pieces", () => {
    const pieces = spare();
    for (const piece of pieces) givePiece(piece);
    const kept = spare().filter((piece) => pieces.includes(piece));
    expect(kept.length).toBe(8);
    expect(kept[0]?.length).toBe(PIECE_SIZE);
  });
});
