// Who hears what becomes of one answer. There while somebody does: most answers have nobody.

import type { AnswerEnd, AnswerObserver, BodyChunk, HTTPHeaders, ResponseStartLine } from "@tw/httputil";
import { LazyAsyncResource } from "@tw/ioloop";

/** The observers of one answer, each in the async context in which it came. What they throw is reported, and changes nothing. */
export class AnswerObservers {
  readonly #observations: Observation[] = [];
  readonly #report: (error: unknown) => void;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  add(observer: AnswerObserver): void {
    this.#observations.push(new Observation(observer));
  }

  /** The head goes out with the fields that this returns. */
  head(startLine: ResponseStartLine, headers: HTTPHeaders): HTTPHeaders {
    let fields = headers;
    this.#each((observer) => {
      fields = observer.onAnswerHead?.(startLine, fields) ?? fields;
    });
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
    for (const observation of this.#observations) {
      try {
        observation.runInAsyncScope(tell, undefined, observation.observer);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}

class Observation extends LazyAsyncResource {
  readonly observer: AnswerObserver;

  constructor(observer: AnswerObserver) {
    super("TWAnswerObserver");
    this.observer = observer;
  }
}
