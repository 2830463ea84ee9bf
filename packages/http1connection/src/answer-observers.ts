// Who hears what becomes of one answer. There while somebody does: most answers have nobody.

import type { AnswerEnd, AnswerObserver, BodyChunk, HTTPHeaders, ResponseStartLine } from "@tw/httputil";
import { LazyAsyncResource } from "@tw/ioloop";
import { isPromiseLike } from "@tw/util";

/**
 * The observers of one answer, each in the async context in which it came. What they throw, or a promise of theirs rejects
 * with, is reported, and changes nothing.
 */
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
      const result: unknown = observer.onAnswerHead?.(startLine, fields);
      // The head does not wait for a promise.
      if (isPromiseLike(result)) return result;
      fields = (result as HTTPHeaders | undefined) ?? fields;
    });
    return fields;
  }

  data(chunk: BodyChunk | { readonly length: number }): void {
    const size = typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.length;
    if (size > 0) this.#each((observer) => observer.onAnswerData?.(size));
  }

  /** The last that they hear, also where one of them ends the answer while they are told of something else. */
  over(end: AnswerEnd): void {
    this.#each((observer) => observer.onAnswerOver?.(end), this.#observations.splice(0));
  }

  #each(tell: (observer: AnswerObserver) => unknown, observations = this.#observations): void {
    for (const observation of observations) {
      try {
        const result = observation.runInAsyncScope(tell, undefined, observation.observer);
        if (isPromiseLike(result)) result.then(undefined, this.#report);
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
