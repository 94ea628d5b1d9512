import type { AgentName } from '../identity.ts';

/** When agents that come and go are set aside. */
export interface QuarantineOptions {
  readonly flapSessions: number;
  readonly flapWithinMs: number;
  readonly quarantineMs: number;
  readonly quarantineMsMax: number;
}

/** What follows from a session that began. */
export interface SetAside {
  readonly untilMs: number | undefined;
  readonly isNew: boolean;
}

interface Conduct {
  /** When its latest sessions began, at most `flapSessions` of them. */
  starts: number[];
  /** How often it was set aside. */
  times: number;
  setAsideUntilMs: number;
}

/**
 * Agents that lose their sessions too often. An agent that flaps would take work and drop it for ever; set aside,
 * it may stay connected but gets nothing, longer each time, until it has behaved as long as the longest time.
 */
export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #conducts: Map<AgentName, Conduct> = new Map();

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /** A session of an agent began. Answers until when the agent is set aside, and whether that is so from now on; undefined: it is not. */
  sessionStarted(agent: AgentName, atMs: number): SetAside {
    const { flapSessions, flapWithinMs, quarantineMs, quarantineMsMax } = this.#options;
    this.#forget(atMs);
    const conduct = this.#conducts.get(agent) ?? { starts: [], times: 0, setAsideUntilMs: 0 };
    // Into the map's end: the agents heard of longest ago come first in it.
    this.#conducts.delete(agent);
    this.#conducts.set(agent, conduct);
    if (atMs < conduct.setAsideUntilMs) return { untilMs: conduct.setAsideUntilMs, isNew: false };
    conduct.starts = [...conduct.starts.filter((startMs) => startMs > atMs - flapWithinMs), atMs];
    if (conduct.starts.length < flapSessions) return { untilMs: undefined, isNew: false };
    conduct.starts = [];
    conduct.setAsideUntilMs = atMs + Math.min(quarantineMsMax, quarantineMs * 2 ** conduct.times);
    conduct.times += 1;
    return { untilMs: conduct.setAsideUntilMs, isNew: true };
  }

  /** An agent left as it should: its last session does not count. */
  leftOrderly(agent: AgentName): void {
    this.#conducts.get(agent)?.starts.pop();
  }

  #forget(atMs: number): void {
    const { quarantineMsMax, flapWithinMs } = this.#options;
    for (const [agent, conduct] of this.#conducts) {
      const lastMs = Math.max(conduct.setAsideUntilMs, conduct.starts.at(-1) ?? 0);
      if (lastMs + Math.max(quarantineMsMax, flapWithinMs) > atMs) return;
      this.#conducts.delete(agent);
    }
  }
}
