/**
 * Who pays for what went wrong. The one place that counts retries: the local pool and the coordinator share it.
 *
 * A history belongs to a range of items that went through the same things, so that a million items lost together
 * cost one history. Histories are never changed, only replaced.
 */

import type { AgentName } from '../identity.ts';
import type { RetryBudgets } from '../jobs/job-spec.ts';
import type { AttemptFact, FailureKind, FinalFailure, ItemFailure } from './failure.ts';
import type { SharedDeath } from './shared-death.ts';

/** What items have been through. */
export interface History {
  /** Failed tries by kind. */
  readonly failures: Readonly<Record<FailureKind, number>>;
  /** Where each failed try ran. */
  readonly attempts: readonly AttemptFact[];
  /** A child died with it: it runs in a shard of its own from now on, so that the next death blames it alone. */
  readonly alone: boolean;
  /** The agent on which a child died with it; another one is better. */
  readonly avoids?: AgentName;
  readonly stderrTail?: string;
  /**
   * It was given to a second agent to beat a straggler. Once in the life of an item: it runs one time more at most than
   * its retries allow.
   */
  readonly copied: boolean;
  /**
   * One of its two attempts used up its retries with this: it runs on in the other one, and has no try after that.
   * Undefined: it was not so.
   */
  readonly spent?: FailureKind;
  /** The death that made it a suspect beside others, as long as it may have been its doing. */
  readonly shared?: SharedDeath;
  /** How often in a row it came back from an agent without a single outcome and without a failure. */
  readonly bounces: number;
}

/** The history of an item that was never in trouble. */
export const spotless: History = {
  failures: { thrown: 0, crash: 0, timeout: 0, lost: 0 },
  attempts: [],
  alone: false,
  copied: false,
  bounces: 0,
};

/** What follows from a failed try: another one with this history, or the end. */
export type Verdict = { readonly retry: History } | { readonly final: FinalFailure };

/**
 * The history of an item before its next failure is judged: without a death that another one has explained by now. A
 * failure that is a death of its own may explain the one that it shares with others.
 */
export function cleared(history: History, item: number, failure: ItemFailure): History {
  const { shared, ...rest } = history;
  if (shared === undefined) return history;
  if (failure.kind === 'crash') shared.compare(item, failure.attempt);
  if (!shared.clears(item)) return history;
  return {
    ...rest,
    failures: { ...history.failures, crash: history.failures.crash - 1 },
    attempts: history.attempts.filter((attempt) => attempt !== shared.attempt),
  };
}

/**
 * A failure as it counts against an item with this history. A child that dies with the process of which it is a copy may have been
 * ended by anything: the first such death is a loss. From the second one on the item may be what ends them, and it is a crash.
 */
export function asCharged(history: History, failure: ItemFailure): ItemFailure {
  const { kind, attempt } = failure;
  if (kind !== 'crash' || attempt.withItsServer !== true) return failure;
  return history.attempts.some(({ withItsServer }) => withItsServer) ? failure : { ...failure, kind: 'lost' };
}

/** Judges a failed try at an item with this history. `shared`: other items are suspects of the same death. */
export function judge(
  history: History,
  failure: ItemFailure,
  budgets: RetryBudgets,
  shared: SharedDeath | undefined = history.shared,
): Verdict {
  const { kind } = failure;
  const attempts = [...history.attempts, failure.attempt];
  const stderrTail = failure.stderrTail ?? history.stderrTail;
  const tail = stderrTail === undefined ? {} : { stderrTail };
  const mayRetry = kind !== 'thrown' || failure.retryable;
  const isOver = history.spent !== undefined || !mayRetry || history.failures[kind] >= budgets[kind];
  if (isOver) {
    // That the machine of its last try was lost as well is not what it failed for.
    const cause = kind === 'lost' && history.spent !== undefined ? history.spent : kind;
    return { final: { kind: cause, attempts, ...tail } };
  }

  const crashed = kind === 'crash';
  const avoids = crashed ? failure.attempt.agent : history.avoids;
  return {
    retry: {
      failures: { ...history.failures, [kind]: history.failures[kind] + 1 },
      attempts,
      alone: history.alone || crashed,
      copied: history.copied,
      ...(avoids === undefined ? {} : { avoids }),
      ...(shared === undefined ? {} : { shared }),
      ...tail,
      bounces: 0,
    },
  };
}

/** The history of an item after this verdict, while another attempt at it goes on: the verdict waits for that one. */
export function whileTwinRuns(history: History, verdict: Verdict): History {
  if ('retry' in verdict) return verdict.retry;
  const { kind, ...told } = verdict.final;
  return { ...history, ...told, spent: kind };
}

/** The history of items that came back unrun, and whether the shard had got anywhere. */
export function comeBack(history: History, gotSomewhere: boolean): History {
  if (gotSomewhere) return history.bounces === 0 ? history : { ...history, bounces: 0 };
  return { ...history, bounces: history.bounces + 1 };
}

/** How many tries have failed. */
export function failuresOf(history: History): number {
  return history.attempts.length;
}
