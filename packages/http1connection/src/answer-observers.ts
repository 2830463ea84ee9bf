// Who hears what becomes of one answer. There while somebody does: most answers have nobody.

import type { AnswerEnd, AnswerObserver, BodyChunk, HTTPHeaders, ResponseStartLine } from "@tw/httputil";

/** The observers of one answer. What they throw is reported, and changes nothing. */
export class AnswerObservers {
  readonly #observers: AnswerObserver[] = [];
  readonly #report: (error: unknown) => void;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  add(observer: AnswerObserver): void {
    this.#observers.push(observer);
  }

  /** The head goes out with the fields that this returns. */
  head(startLine: ResponseStartLine, headers: HTTPHeaders): HTTPHeaders {
    let fields = headers;
    for (const observer of this.#observers) {
      try {
        fields = observer.onAnswerHead?.(startLine, fields) ?? fields;
      } catch (error) {
        this.#report(error);
      }
    }
    return fields;
  }

  data(chunk: BodyChunk | { readonly length: number }): void {
    const size = typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.length;
    if (size > 0) this.#each((observer) => observer.onAnswerData?.(size));
  }

  over(end: AnswerEnd): void {
    this.#each((observer) => observer.onAnswerOver?.(end));
  }

  #each(tell: (observer: AnswerObserver) => void): void {
    for (const observer of this.#observers) {
      try {
        tell(observer);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
