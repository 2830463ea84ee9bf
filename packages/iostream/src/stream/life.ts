// How far the life of a stream has come: who ends it, and in which order.
//
//   open ── end ──► ending ─ flushed ─► ended          ours is finished, the peer's goes on
//     │               │                   │
//     └──── close ────┴─► closing         │ close
//                           └─ flushed ─► lingering     everything sent; what still comes is dropped
//
//   abort leads from all of these to `aborted`. The transport's end leads to `gone` what we were closing, and to `lost`
//   what the peer took from us: what it sent before may still be read.

/** What a stream is doing with its life. */
export type Life = "open" | "ending" | "ended" | "closing" | "lingering" | "aborted" | "lost" | "gone";

/** `flushed`: the last byte is with the kernel, FIN may follow. `gone`: the transport is. */
export type LifeEvent = "end" | "flushed" | "close" | "abort" | "gone";

/** Absent: the event changes nothing. */
const NEXT: Readonly<Record<Life, Readonly<Partial<Record<LifeEvent, Life>>>>> = {
  open: { end: "ending", close: "closing", abort: "aborted", gone: "lost" },
  ending: { flushed: "ended", close: "closing", abort: "aborted", gone: "lost" },
  ended: { close: "lingering", abort: "aborted", gone: "lost" },
  closing: { flushed: "lingering", abort: "aborted", gone: "gone" },
  lingering: { abort: "aborted", gone: "gone" },
  aborted: { gone: "gone" },
  lost: {},
  gone: {},
};

/** Where `event` leads from `life`, or `undefined` when it means nothing there. */
export function next(life: Life, event: LifeEvent): Life | undefined {
  return NEXT[life][event];
}

/** Whether nothing is accepted or delivered any more. */
export function isClosed(life: Life): boolean {
  return life !== "open" && life !== "ending" && life !== "ended";
}

/** Whether the transport is gone. */
export function isGone(life: Life): boolean {
  return life === "lost" || life === "gone";
}

/** Whether FIN follows the last byte that is queued. */
export function isFinDue(life: Life): boolean {
  return life === "ending" || life === "closing";
}
