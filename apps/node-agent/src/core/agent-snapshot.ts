/** What the machine knows, for statistics, tests and simulation. */
import type { AttemptId, ChunkId, LinkId } from './agent-event.ts';
import type { AttemptTable } from './attempt-table.ts';
import type { Departure } from './departure.ts';
import type { Fence } from './fence.ts';
import type { HeldAttempts } from './held-attempts.ts';
import type { JobSetups } from './job-setups.ts';
import type { OutboxLedger } from './outbox-ledger.ts';
import type { Redial } from './redial.ts';
import type { SessionLife } from './session-life.ts';

/** What an agent machine is made of. */
export interface AgentParts {
  readonly life: SessionLife;
  readonly redial: Redial;
  readonly fence: Fence;
  readonly table: AttemptTable;
  readonly held: HeldAttempts;
  readonly setups: JobSetups;
  readonly ledger: OutboxLedger;
  readonly departure: Departure;
}

/** One attempt in an {@link AgentSnapshot}. */
export interface AttemptSnapshot {
  readonly attempt: AttemptId;
  readonly epoch: number;
  readonly job: string;
  readonly state: 'waiting' | 'resting' | 'running' | 'reported';
  readonly isRevoked: boolean;
  readonly chunk: ChunkId | undefined;
}

export interface AgentSnapshot {
  readonly link: LinkId | undefined;
  readonly state: SessionLife['state'];
  readonly departure: Departure['state'];
  /** Of the session that is open, or was last. */
  readonly session: number;
  readonly epochSeen: number;
  /** Tries in a row that led to no session. */
  readonly failures: number;
  readonly isFenced: boolean;
  /** How long it has been since the coordinator must have heard of the agent. */
  readonly silentForMs: number;
  readonly attempts: readonly AttemptSnapshot[];
  /** Attempts known by number alone. */
  readonly remembered: { readonly dispatched: number; readonly revokedAhead: number };
  readonly setups: number;
  /** News that the coordinator has not taken. */
  readonly outbox: { readonly entries: number; readonly bytes: number; readonly isFull: boolean };
}

export function snapshotOf(parts: AgentParts): AgentSnapshot {
  const { life, redial, fence, table, held, setups, ledger, departure } = parts;
  return {
    link: life.link,
    state: life.state,
    departure: departure.state,
    session: life.session,
    epochSeen: life.epochSeen,
    failures: redial.failures,
    isFenced: fence.isClosed,
    silentForMs: fence.silentForMs,
    attempts: [...table.records].map((record) => ({
      attempt: record.id,
      epoch: record.epoch,
      job: record.dispatch.job,
      state: record.state,
      isRevoked: record.isRevoked,
      chunk: record.chunk,
    })),
    remembered: held.remembered,
    setups: [...setups.all].length,
    outbox: { entries: ledger.entries().length, bytes: ledger.heldBytes, isFull: ledger.isFull },
  };
}
