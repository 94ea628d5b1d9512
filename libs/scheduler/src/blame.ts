/**
 * Who pays for what went wrong. The one place that counts retries: the local pool and the coordinator share it.
 *
 * A history belongs to a range of items that went through the same things, so that a million items lost together
 * cost one history. Histories are never changed, only replaced.
 */
import type { AttemptFact, FailureKind, FinalFailure, ItemFailure } from './failure.ts';
import type { AgentName } from './identity.ts';
import type { RetryBudgets } from './job-spec.ts';

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

/** Judges a failed try at an item with this history. */
export function judge(history: History, failure: ItemFailure, budgets: RetryBudgets): Verdict {
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
