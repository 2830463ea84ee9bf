// Who hears what: channels by name, and patterns over names.

import { array, bulk } from "./resp/replies.js";
import { globMatches } from "./store/glob.js";

/** Somebody who can be told something at any time. */
export interface Subscriber {
  /** Sends an answer nobody asked for. */
  tell(reply: string): void;
}

/** Channels and patterns of a server. */
export class PubSub {
  readonly channels: Map<string, Set<Subscriber>> = new Map();
  readonly patterns: Map<string, Set<Subscriber>> = new Map();

  /** Tells everybody who listens; how many that were (one who listens twice is told twice). */
  publish(channel: string, message: string): number {
    let count = 0;
    const direct = this.channels.get(channel);
    if (direct !== undefined) {
      // One text for all of them.
      const reply = array([bulk("message"), bulk(channel), bulk(message)]);
      for (const subscriber of [...direct]) subscriber.tell(reply);
      count += direct.size;
    }
    for (const [pattern, listeners] of [...this.patterns]) {
      if (!globMatches(pattern, channel)) continue;
      const reply = array([bulk("pmessage"), bulk(pattern), bulk(channel), bulk(message)]);
      for (const subscriber of [...listeners]) subscriber.tell(reply);
      count += listeners.size;
    }
    return count;
  }
}

/** Adds `subscriber` to `topic`. */
export function join(topics: Map<string, Set<Subscriber>>, topic: string, subscriber: Subscriber): void {
  let listeners = topics.get(topic);
  if (listeners === undefined) {
    listeners = new Set();
    topics.set(topic, listeners);
  }
  listeners.add(subscriber);
}

/** Removes it; a topic without listeners is none. */
export function leave(topics: Map<string, Set<Subscriber>>, topic: string, subscriber: Subscriber): void {
  const listeners = topics.get(topic);
  if (listeners?.delete(subscriber) && listeners.size === 0) topics.delete(topic);
}
