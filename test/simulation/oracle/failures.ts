import { type Execution, thrownBy } from '../execution.ts';
import type { StoredFailure } from '../messages.ts';
import { must } from '../violation.ts';
import type { World } from '../world.ts';
import type { Executions } from './executions.ts';
import type { JobBook } from './job-book.ts';
import type { Tally } from './tally.ts';

/** Failures as users get them: somebody is blamed only for what his own calls did. */
export class Failures {
  readonly #world: World;
  readonly #executions: Executions;
  readonly #tally: Tally;

  constructor(world: World, executions: Executions, tally: Tally) {
    this.#world = world;
    this.#executions = executions;
    this.#tally = tally;
  }

  /** A failure has to be true, and used up its budget. */
  check(book: JobBook, failure: StoredFailure): void {
    const { plan } = book;
    const { index, kind, attempts } = failure;
    const about = { job: plan.name, index };
    this.#tally.failures += 1;
    const calls = book.executionsOf(index);
    const count = (is: (execution: Execution) => boolean): number => calls.filter(is).length;
    must(attempts.length > 0, 'G4', () => `${plan.name}[${index}] failed, in no attempt`, about);
    switch (kind) {
      case 'thrown': {
        const threw = count(({ outcome }) => outcome === 'threw');
        const behaviour = plan.behaviours.get(index);
        const isFinal = behaviour?.kind === 'throws' && !behaviour.retryable;
        must(
          threw > plan.retries.thrown || (isFinal && threw > 0),
          'G7',
          () => `${plan.name}[${index}] failed after ${threw} throws; it has ${plan.retries.thrown} retries`,
          about,
        );
        const execution = this.#executions.find(thrownBy(failure.error) ?? 0);
        must(
          execution?.outcome === 'threw' && execution.job === plan.name && execution.index === index,
          'G4',
          () => `the error of ${plan.name}[${index}] is another call's`,
          about,
        );
        return;
      }
      case 'crash': {
        // The first time it may have been one suspect of several; then it ran alone, and the blame is exact.
        const deaths = count(({ outcome, isUnseen }) => outcome === 'died' || isUnseen);
        must(
          deaths >= Math.max(1, plan.retries.crash),
          'G10',
          () => `${plan.name}[${index}] is blamed for ${attempts.length} deaths, and saw ${deaths}`,
          about,
        );
        return;
      }
      case 'timeout': {
        // A value that is on its way to the agent when the time is up comes too late.
        const limitMs = (plan.timeoutMs ?? Infinity) - 6;
        const slow = count(
          ({ endedAtMs, endedLocalMs, startedAtMs, startedLocalMs }) =>
            !(endedAtMs - startedAtMs < limitMs && endedLocalMs - startedLocalMs < limitMs),
        );
        must(
          slow > plan.retries.timeout,
          'G8',
          () => `${plan.name}[${index}] is said to have run too long; ${slow} of its calls did`,
          about,
        );
        return;
      }
      case 'lost':
        must(
          attempts.length > plan.retries.lost && !this.#world.isCalm,
          'G9',
          () => `${plan.name}[${index}] was lost ${attempts.length} times of ${plan.retries.lost} allowed`,
          about,
        );
        return;
    }
  }
}
