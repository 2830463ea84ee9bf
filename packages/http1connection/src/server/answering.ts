// The answer of one exchange: what the delegate writes goes through the machine, which frames it, to the stream.

import {
  type BodyChunk,
  type FileRange,
  type HTTPHeaders,
  HTTPOutputError,
  type MaybePromise,
  type RequestStartLine,
  type ResponseStartLine,
  type UpgradedStream,
} from "@tw/httputil";
import { checkFileRange } from "@tw/iostream";
import { afterDropping, checkTrailers, isFileFault, sendFilePiece, sendPiece } from "../body-writer.js";
import { serverChannels as channels } from "../channels.js";
import { refuseWrite } from "../farewell.js";
import { type AnswerState, ServerCycle } from "./cycle.js";

/** Tornado's HTTPConnection, as the delegate writes to it. */
export abstract class AnsweringHalf extends ServerCycle {
  writeInformation(code: number, headers?: HTTPHeaders): MaybePromise {
    const { stream } = this.connection;
    if (this.answer === "gone") return refuseWrite(stream);
    if (this.answer !== "none") throw new HTTPOutputError("The head of this response was written already");
    const text = this.machine.writeInformation(code, headers);
    // Whoever waits for a 100 has it.
    if (code === 100) this.continueOwed = false;
    if (text !== "" && !stream.send(text)) return this.connection.drained();
  }

  writeHeaders(
    startLine: RequestStartLine | ResponseStartLine,
    headers: HTTPHeaders,
    chunk?: BodyChunk,
  ): MaybePromise {
    if (this.answer === "gone") return refuseWrite(this.connection.stream);
    if (this.answer !== "none") throw new HTTPOutputError("The head of this response was written already");
    if (typeof startLine !== "object" || !("code" in startLine))
      throw new TypeError("A server answers with a start line: { version, code, reason }");
    if (this.request.method === "CONNECT") checkRefusal(startLine);
    const { stream, server } = this.connection;
    const fields = this.observers === undefined ? headers : this.observers.head(startLine, headers);
    if (this.gone()) return refuseWrite(stream); // an observer may have aborted
    const whole = this.bodyMissing && (this.isHead || isWhole(startLine.code, fields, chunk));
    const go = this.continueOwed && !whole ? this.lastContinue(startLine) : "";
    const head = this.machine.writeHead(startLine, fields, {
      // RFC 9110 §6.6.1 (1): in every answer.
      date: server.date.value,
      // RFC 9112 §9.6: whoever is going to close says so.
      close: this.connection.closing || whole || (this.continueOwed && this.waits && go === ""),
    });
    if (channels.responseStart.hasSubscribers) {
      this.publishHead(startLine, fields);
      if (this.gone()) return refuseWrite(stream); // as above
    }
    this.answer = "head";
    if (go !== "" && this.machine.bodyAllowed) return this.sendOn(go + head, chunk ?? "");
    return this.sendOn(head, chunk ?? "", this.machine.headBytes);
  }

  private publishHead(startLine: ResponseStartLine, headers: HTTPHeaders): void {
    const time = this.connection.server.loop.time();
    channels.responseStart.publish({ connection: this, time, startLine, headers });
  }

  /** What goes in front of a success that more will follow on: whoever writes it may read the body meanwhile, and behind
   * a final head there is no 100. A refusal, or an answer that is whole at once, takes its place. RFC 9110 §10.1.1. */
  private lastContinue({ code }: ResponseStartLine): string {
    return this.waits && code >= 200 && code < 300 ? this.machine.writeInformation(100) : "";
  }

  /** Whether nothing came of what is still to come. Who waits for a 100 may leave it out, RFC 9110 §10.1.1. */
  private get waits(): boolean {
    return !this.received && this.machine.buffered === 0;
  }

  write(chunk: BodyChunk): MaybePromise {
    if (this.answer === "gone") return refuseWrite(this.connection.stream);
    if (this.answer !== "head") throw new HTTPOutputError(`Cannot write a body: ${REFUSED[this.answer]}`);
    return this.machine.bodyAllowed ? this.sendOn("", chunk) : afterDropping(this.connection.stream);
  }

  writeFile(file: FileRange): MaybePromise {
    checkFileRange(file);
    const { stream } = this.connection;
    if (this.answer === "gone") return refuseWrite(stream);
    if (this.answer !== "head") throw new HTTPOutputError(`Cannot write a body: ${REFUSED[this.answer]}`);
    if (!this.machine.bodyAllowed) return afterDropping(stream);
    let sent: Promise<void> | undefined;
    try {
      sent = sendFilePiece(stream, this.machine, file);
    } catch (error) {
      this.abort(error);
      throw error;
    }
    if (sent === undefined) return;
    this.observers?.data(file);
    // The next request waits until the peer has taken the file.
    if (stream.writing) void this.connection.drained();
    const written = sent.catch((error) => this.fileFailed(error));
    written.catch(ignore);
    return written;
  }

  /** The stream has been aborted. Where the answer was called complete before, the log is all that can tell. */
  private fileFailed(error: unknown): MaybePromise {
    // As with any write: whoever goes on behind it has been told that the peer is gone.
    if (!isFileFault(error)) return this.connection.stream.whenClosed;
    if (this.answer === "complete")
      this.connection.server.report(error, `Answer broken off ${this.summary()}`);
    this.abort(error);
    throw error;
  }

  private sendOn(head: string, chunk: BodyChunk, headBytes?: Uint8Array): MaybePromise {
    const { stream } = this.connection;
    try {
      const ready = sendPiece(stream, this.machine, head, chunk, headBytes);
      if (this.observers !== undefined && this.machine.bodyAllowed) {
        this.observers.data(chunk);
        if (this.gone()) return refuseWrite(stream); // as above
      }
      if (!ready) return this.connection.drained();
    } catch (error) {
      this.abort(error);
      throw error;
    }
  }

  finish(trailers?: HTTPHeaders): void {
    checkTrailers(trailers);
    if (this.answer === "gone") return;
    if (this.answer !== "head") throw new HTTPOutputError(`Cannot finish: ${REFUSED[this.answer]}`);
    try {
      const end = this.machine.writeEnd(trailers);
      if (end !== "") this.connection.stream.send(end);
    } catch (error) {
      this.abort(error);
      throw error;
    }
    this.answer = "complete";
    if (channels.requestFinish.hasSubscribers)
      channels.requestFinish.publish({ connection: this, time: this.connection.server.loop.time() });
    this.observers?.over({ outcome: "complete", status: 0 });
    this.connection.answered(this);
    if (!this.received) this.tellAnswerEnd();
  }

  abort(reason?: unknown): void {
    if (this.answer === "gone" || this.answer === "upgraded") return;
    this.giveUp(reason, 0);
    this.connection.stream.abort(reason);
    if (!this.received) this.tellAnswerEnd();
  }

  upgrade(headers: HTTPHeaders): UpgradedStream {
    if (this.answer !== "none") throw new HTTPOutputError(`Cannot upgrade: ${REFUSED[this.answer]}`);
    if (!this.received) throw new HTTPOutputError("Cannot upgrade before the request is complete");
    const startLine = this.request.method === "CONNECT" ? TUNNEL_OPEN : SWITCHING_PROTOCOLS;
    const fields = this.observers?.head(startLine, headers) ?? headers;
    this.checkThere();
    const head = this.machine.writeHead(startLine, fields, {
      date: this.connection.server.date.value,
    });
    if (channels.responseStart.hasSubscribers) this.publishHead(startLine, fields);
    this.checkThere();
    try {
      this.connection.stream.send(head);
    } catch (error) {
      this.abort(error);
      throw error;
    }
    this.answer = "upgraded";
    const stream = this.connection.handOver();
    if (channels.upgrade.hasSubscribers)
      channels.upgrade.publish({ connection: this, time: stream.loop.time(), stream });
    this.observers?.over({ outcome: "upgraded", status: 0 });
    return stream;
  }

  /** Who was told of the head may have aborted. */
  private checkThere(): void {
    if (this.gone()) throw new HTTPOutputError(`Cannot upgrade: ${REFUSED.gone}`);
  }
}

const SWITCHING_PROTOCOLS: ResponseStartLine = {
  version: "HTTP/1.1",
  code: 101,
  reason: "Switching Protocols",
};

const TUNNEL_OPEN: ResponseStartLine = { version: "HTTP/1.1", code: 200, reason: "OK" };

/** A success would tell the peer that it has a tunnel now, and what it sends would be answered as HTTP. */
function checkRefusal({ code }: ResponseStartLine): void {
  if (code >= 200 && code < 300)
    throw new HTTPOutputError(
      `A ${code} to CONNECT opens a tunnel: upgrade() does that, anything else refuses`,
    );
}

const REFUSED: Record<AnswerState, string> = {
  none: "no head was written",
  head: "the head is out",
  complete: "the response is complete",
  upgraded: "the connection was upgraded",
  gone: "the connection is closed",
};

/** Whether no more of the answer follows: given before its request was read, it ends the connection. */
function isWhole(code: number, headers: HTTPHeaders, chunk: BodyChunk = ""): boolean {
  if (code === 204 || code === 205 || code === 304) return true;
  const length = typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.length;
  return headers.get("Content-Length") === String(length);
}

function ignore(): void {}
