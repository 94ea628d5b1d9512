/**
 * What a seed stands for, as plain data: who there is, what they want, and what goes wrong. Data, because a failure is
 * made small by leaving parts of it out.
 */

import type { RetryBudgets } from '@shoal/scheduler';
import type { Peer } from '../../libs/protocol/src/gen/shoal/v1/common.ts';

/** What the user's function does with one item; any other item gives a value. */
export type Behaviour =
  /** Throws each time. */
  | { readonly kind: 'throws'; readonly retryable: boolean }
  /** Throws the first few times. */
  | { readonly kind: 'throwsFirst'; readonly times: number }
  /** Takes its child down with it each time. */
  | { readonly kind: 'poison'; readonly how: 'signal' | 'exit' }
  /** Never ends by itself. */
  | { readonly kind: 'hangs' }
  /** Takes so much longer than others. */
  | { readonly kind: 'slow'; readonly factor: number };

export interface AgentPlan {
  readonly name: string;
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly latencyMs: number;
  /** How much longer everything takes here. */
  readonly slowness: number;
  readonly clockOffsetMs: number;
  readonly startsAtMs: number;
  /** The release that it is of, if not ours. */
  readonly peer?: Peer;
  /** Of an older release: whatever it is given it starts. */
  readonly ignoresGroupSlots?: true;
  /** Another one's name: a stranger who has to be turned away. */
  readonly joinsAs?: string;
}

export interface ClientPlan {
  readonly name: string;
  readonly latencyMs: number;
  readonly clockOffsetMs: number;
}

/** How a consumer takes results. */
export interface ConsumerPlan {
  /** Time that it spends on each. */
  readonly itemMs: number;
  /** Takes nothing for a while. */
  readonly pauseAtMs?: number;
  readonly pauseMs?: number;
}

export interface JobPlan {
  readonly name: string;
  /** Which client asks for it. */
  readonly client: number;
  readonly startsAtMs: number;
  readonly items: number;
  readonly blockItems: number;
  readonly group: string;
  /** Slots that the group may use at once. */
  readonly processes: number;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly chunkSize: number | 'auto';
  readonly concurrentTasks: number;
  readonly maxTasksPerChild?: number;
  readonly timeoutMs?: number;
  readonly deadlineMs?: number;
  readonly retries: RetryBudgets;
  readonly ordered: boolean;
  readonly failFast: boolean;
  readonly pure: boolean;
  readonly windowItems: number;
  readonly windowBytes: number;
  readonly tellsTotal: boolean;
  /** What an error weighs that its function throws. */
  readonly errorBytes: number;
  /** Of one call of the function, about. */
  readonly itemMs: number;
  readonly behaviours: ReadonlyMap<number, Behaviour>;
  /** What becomes of the function where it is loaded. */
  readonly code: 'works' | 'cannotBeLoaded' | 'initializerThrows' | 'initializerHangs';
  readonly cancelAtMs?: number;
  readonly consumer: ConsumerPlan;
}

/** Whether its items may be lost rather than run twice. */
export function runsOnce({ retries }: JobPlan): boolean {
  return retries.crash === 0 && retries.lost === 0;
}

/** Something that goes wrong at a certain time. */
export type FaultPlan =
  | {
      readonly kind: 'partition';
      readonly link: string;
      readonly ways: 'both' | 'up' | 'down';
      readonly ms: number;
    }
  | { readonly kind: 'reset'; readonly link: string }
  | {
      readonly kind: 'agentCrash';
      readonly agent: string;
      /** The machine goes, and nobody closes its connections. */
      readonly silent: boolean;
      /** Never, if left out. */
      readonly backAfterMs?: number;
    }
  | { readonly kind: 'agentStall'; readonly agent: string; readonly ms: number; readonly clockStops: boolean }
  | { readonly kind: 'agentDrain'; readonly agent: string; readonly backAfterMs?: number }
  | { readonly kind: 'operatorDrain'; readonly agent: string; readonly resumeAfterMs: number }
  | { readonly kind: 'childKill'; readonly agent: string; readonly which: number }
  | { readonly kind: 'coordinatorStall'; readonly ms: number }
  | {
      readonly kind: 'coordinatorRestart';
      readonly backAfterMs: number;
      /** One of an earlier epoch answers first, for so long. */
      readonly pastMs?: number;
    }
  | { readonly kind: 'agentResized'; readonly agent: string; readonly slots: number }
  /** Its clock jumps ahead while it runs. */
  | { readonly kind: 'clockJump'; readonly host: string; readonly ms: number }
  | { readonly kind: 'clientGone'; readonly client: string; readonly silent: boolean }
  /** Another process goes on with the jobs of a client. */
  | {
      readonly kind: 'clientReplaced';
      readonly client: string;
      readonly afterMs: number;
      /** Reads all that is still there once more, or what the first one has not taken. */
      readonly from: 'start' | 'cursor';
      /** The first one does not know, and lives on. */
      readonly livesOn: boolean;
    };

export type ScheduledFault = FaultPlan & { readonly atMs: number };

/** How likely each is for one message, while there is chaos. */
export interface WireFaults {
  readonly drop: number;
  readonly duplicate: number;
  readonly delay: number;
  readonly overtake: number;
  /** How late a message may be. */
  readonly lateMs: number;
}

export const noWireFaults: WireFaults = { drop: 0, duplicate: 0, delay: 0, overtake: 0, lateMs: 0 };

export interface Scenario {
  readonly seed: number;
  readonly agents: readonly AgentPlan[];
  readonly clients: readonly ClientPlan[];
  readonly jobs: readonly JobPlan[];
  readonly faults: readonly ScheduledFault[];
  readonly wire: WireFaults;
  /** Nothing here can lose work or a message: each item has to run exactly once. */
  readonly isCalm: boolean;
  /** How long a job without a client lives. */
  readonly graceMs: number;
  /** The chance that a bundle cannot be fetched at once. */
  readonly bundleFailures: number;
  /** When the chaos ends: from then on nothing goes wrong, and everything has to come to its end. */
  readonly chaosMs: number;
}
