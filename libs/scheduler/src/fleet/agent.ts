import type { Attempt } from '../attempts/attempt.ts';
import type { Timed } from '../attempts/leases.ts';
import type { AgentJoined } from '../event.ts';
import type { AgentName, SessionId } from '../identity.ts';
import type { Share } from '../jobs/group.ts';
import type { Chained } from '../structures/chain.ts';
import { Seat } from '../structures/heap.ts';
import type { Berth } from './free-agents.ts';

/** An agent with a session: connected, or gone for so short a time that it may come back. */
export class Agent implements Timed, Chained<Agent> {
  readonly name: AgentName;
  labels: Readonly<Record<string, string>>;
  /** What items may come in; undefined: all there is. */
  encodings: readonly string[] | undefined;
  /** The one agent of a local pool: no lease, no confirmation, cannot be lost. */
  readonly permanent: boolean;
  session: SessionId;
  slots: number;
  /** It holds back what it has of a group beyond the slots that the group may use there. */
  keepsGroupSlots: boolean;
  /** False from the moment its stream closes until it is back. */
  connected = true;
  /** It takes nothing new, what runs may finish. */
  draining = false;
  /** It came and went too often and gets nothing new until then. */
  setAsideUntilMs: number | undefined;
  /**
   * Everything it holds in the order in which it got it, what was revoked and has not ended included: a few a slot, or as
   * many as its children have calls.
   */
  readonly attempts: Attempt[] = [];
  /** What it has of each group. */
  readonly shares: Share[] = [];
  /** Slots that these may use. With fewer of them than slots one is free, however many attempts queue behind the others. */
  slotsInUse = 0;
  /** Sum of the weights of its attempts. */
  load = 0;
  /** Its last sign of life; while it is reconnecting, when its stream closed. On the lease clock. */
  sinceMs = 0;
  /** Number of its heartbeats, to tell which attempts the last one listed. */
  beats = 0;
  previous: Agent | undefined;
  next: Agent | undefined;
  chain: Chained<Agent>['chain'];
  readonly seat: Seat<Agent> = new Seat<Agent>(this);
  /** Its place in each lane whose demands it meets. */
  readonly berths: Berth[] = [];

  constructor(joined: AgentJoined) {
    this.name = joined.agent;
    this.labels = joined.labels;
    this.encodings = joined.encodings;
    this.permanent = joined.permanent;
    this.session = joined.session;
    this.slots = joined.slots;
    this.keepsGroupSlots = joined.keepsGroupSlots === true;
  }

  hasLabels(labels: Readonly<Record<string, string>>): boolean {
    for (const [label, value] of Object.entries(labels)) {
      if (this.labels[label] !== value) return false;
    }
    return true;
  }

  /** Whether it takes items in this encoding; those of a job that names none it takes whatever they are. */
  accepts(encoding: string | undefined): boolean {
    return encoding === undefined || this.encodings === undefined || this.encodings.includes(encoding);
  }

  /** Whether it may get new work, room left aside. */
  get takesWork(): boolean {
    return this.connected && !this.draining && this.setAsideUntilMs === undefined;
  }

  get state(): 'live' | 'reconnecting' | 'draining' | 'setAside' {
    if (!this.connected) return 'reconnecting';
    if (this.draining) return 'draining';
    return this.setAsideUntilMs === undefined ? 'live' : 'setAside';
  }
}
