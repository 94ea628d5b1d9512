import type { AgentLimits } from './agent-limits.ts';
import type { Turn } from './turn.ts';

/** What the coordinator said about silence. */
export interface Patience {
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly selfFenceMs: number;
  readonly abandonMs: number;
}

/**
 * Keeps an agent from starting work that others may have by now.
 *
 * What counts is not when an answer came but when that was sent which it answers: then the coordinator's lease cannot
 * have begun earlier. So a process that stood still for a minute is not taken in by answers that waited for it as
 * long: the first thing that it does is to fence itself, and only an answer to a fresh heartbeat lets it go on.
 */
export class Fence {
  /** Nothing new is started. */
  isClosed = false;
  readonly #limits: AgentLimits;
  readonly #turn: Turn;
  #patience: Patience | undefined;
  /** The coordinator had heard of us at this time, or later. */
  #provenAtMs = 0;

  constructor(limits: AgentLimits, turn: Turn) {
    this.#limits = limits;
    this.#turn = turn;
  }

  /** How long it has been since we can be sure to have been heard. */
  get silentForMs(): number {
    return this.#patience === undefined ? 0 : this.#turn.nowMs - this.#provenAtMs;
  }

  /** A session, or the time between two heartbeats, has begun under these terms. */
  agreed(patience: Patience): void {
    this.#patience = patience;
  }

  /** Time has passed. To be asked before anything else is done. */
  observe(): void {
    const closesAtMs = this.#closesAtMs();
    if (this.isClosed || closesAtMs === undefined || this.#turn.nowMs < closesAtMs) return;
    this.isClosed = true;
    this.#turn.emit({ type: 'holdStarts' });
    this.#turn.note({ what: 'fenced', silentForMs: this.silentForMs });
  }

  /** Something that was sent at `sentAtMs` was answered. Returns whether this has opened the fence. */
  answered(sentAtMs: number): boolean {
    this.#provenAtMs = Math.max(this.#provenAtMs, sentAtMs);
    const closesAtMs = this.#closesAtMs();
    if (!this.isClosed || (closesAtMs !== undefined && this.#turn.nowMs >= closesAtMs)) return false;
    this.isClosed = false;
    this.#turn.emit({ type: 'allowStarts' });
    this.#turn.note({ what: 'answered' });
    return true;
  }

  /** When the session is to be given up for want of answers. */
  silentAtMs(): number {
    const leaseMs = this.#patience?.leaseMs ?? 0;
    return this.#provenAtMs + Math.max(this.#limits.silentMs, 2 * leaseMs);
  }

  /** When whatever runs is to be stopped: others were given it long ago. */
  abandonAtMs(): number {
    const { abandonMs, leaseMs } = this.#patience ?? { abandonMs: 0, leaseMs: 0 };
    return this.#provenAtMs + Math.max(abandonMs, 2 * leaseMs);
  }

  /** When {@link observe} has something to see. */
  nextDeadlineMs(): number | undefined {
    return this.isClosed ? undefined : this.#closesAtMs();
  }

  /** The coordinator stretches heartbeats and lease in a big cluster; the fence has to fit between them. */
  #closesAtMs(): number | undefined {
    if (this.#patience === undefined) return undefined;
    const { heartbeatMs, leaseMs, selfFenceMs } = this.#patience;
    return this.#provenAtMs + Math.max(selfFenceMs, leaseMs - heartbeatMs);
  }
}
