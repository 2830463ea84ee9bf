// What can go wrong with frames. After one of these nobody can tell where the next frame begins.

import { isTwError, TwError } from "@tw/util";

/** A frame is larger than `maxFrameSize`: one that was announced, one whose end did not come in time, one to be sent. */
export class FrameTooLargeError extends TwError {
  constructor(size: string, limit: number) {
    super("ERR_TW_FRAME_TOO_LARGE", `Frame is too large: ${size} bytes, limit ${limit}`);
  }
}

/** The stream ended within a frame. */
export class IncompleteFrameError extends TwError {
  constructor(bytes: number) {
    super("ERR_TW_FRAME_INCOMPLETE", `Stream ended within a frame: ${bytes} bytes of it came`);
  }
}

/** The peer sent what is no frame, or a frame that makes no sense. `cause` is the reason where there is one. */
export class MalformedFrameError extends TwError {
  constructor(message: string, cause?: unknown) {
    super("ERR_TW_FRAME_MALFORMED", message, cause === undefined ? undefined : { cause });
  }
}

/** A codec broke its contract: the fault of who wrote it, not of the peer. */
export class CodecError extends TwError {
  constructor(message: string) {
    super("ERR_TW_CODEC", message);
  }
}

/** What a function that makes sense of a peer's bytes threw, as an error about those bytes. */
export function malformed(message: string, thrown: unknown): TwError {
  if (isTwError(thrown) && thrown.code.startsWith("ERR_TW_FRAME_")) return thrown;
  const why = thrown instanceof Error && thrown.message !== "" ? `: ${thrown.message}` : "";
  return new MalformedFrameError(`${message}${why}`, thrown);
}
