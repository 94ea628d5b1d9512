import type { AgentHost } from '../agent/agent-host.ts';
import type { ChunkWork } from '../child-host.ts';
import type { Execution } from '../execution.ts';
import { runsOnce } from '../scenario.ts';
import { must } from '../violation.ts';
import type { World } from '../world.ts';
import type { JobBooks } from './job-book.ts';
import type { Tally } from './tally.ts';

/** Calls of the function: each with its own argument, in a current epoch, and none for a job that is over. */
export class Executions {
  readonly #world: World;
  readonly #books: JobBooks;
  readonly #tally: Tally;
  readonly #all: Execution[] = [];

  constructor(world: World, books: JobBooks, tally: Tally) {
    this.#world = world;
    this.#books = books;
    this.#tally = tally;
  }

  /** By its number, which its value carries. */
  find(id: number): Execution | undefined {
    return this.#all[id - 1];
  }

  /** A child calls the function. */
  began(agent: AgentHost, work: ChunkWork, index: number, child: number): Execution {
    const { clock, isCalm, quietSinceMs } = this.#world;
    const argument = work.argumentOf(index);
    const execution: Execution = {
      id: this.#all.length + 1,
      job: argument.job,
      index: argument.index,
      agent: agent.plan.name,
      child,
      epoch: work.epoch,
      attempt: work.attempt,
      startedAtMs: clock.nowMs,
      endedAtMs: Number.NaN,
      outcome: 'running',
      isUnseen: false,
    };
    this.#all.push(execution);
    this.#tally.executions += 1;
    const about = { job: argument.job, index: argument.index, attempt: work.attempt };
    must(
      argument.job === work.job.name && argument.index === index,
      'G4',
      () => `a child found ${argument.job}[${argument.index}] where ${work.job.name}[${index}] should be`,
      { job: work.job.name, index },
    );
    const book = this.#books.of(work.job.name);
    must(
      agent.epochSeen <= work.epoch,
      'G13',
      () => `${agent.plan.name} starts work of epoch ${work.epoch} and has seen epoch ${agent.epochSeen}`,
      { ...about, agent: agent.plan.name },
    );
    if (work.epoch !== book.epoch) return execution;
    if (book.executionsOf(index).length > 0) this.#tally.extra += 1;
    book.executionsOf(index).push(execution);
    const endedAtMs = book.endedAtMs;
    if (endedAtMs !== undefined) {
      const patienceMs = isCalm ? 200 : 8_000;
      const sinceMs = isCalm ? endedAtMs : Math.max(endedAtMs, (quietSinceMs ?? Infinity) + 25_000);
      must(
        clock.nowMs - sinceMs <= patienceMs,
        'G25',
        () =>
          `${work.job.name}[${index}] starts ${Math.round(clock.nowMs - endedAtMs)} ms after its job ended`,
        about,
      );
    }
    return execution;
  }

  ended(execution: Execution, outcome: Execution['outcome']): void {
    execution.outcome = outcome;
    execution.endedAtMs = this.#world.clock.nowMs;
    // What was in a child that was killed because its neighbour ran too long is run again, and not charged to
    // anybody; unless it may run only once.
    const book = this.#books.find(execution.job);
    if (book === undefined || book.epoch !== execution.epoch || runsOnce(book.plan)) return;
    if (outcome === 'killed' && book.plan.timeoutMs !== undefined) {
      book.givenBack[execution.index] = (book.givenBack[execution.index] ?? 0) + 1;
    }
  }

  earlierStarts(job: string, index: number): number {
    return this.#books.find(job)?.executionsOf(index).length ?? 0;
  }

  lastExecutionOf(job: string, index: number): number {
    return this.#books.find(job)?.executionsOf(index).at(-1)?.id ?? 0;
  }

  counted(agent: string, child: number, calls: number, limit: number): void {
    must(calls <= limit, 'G30', () => `child ${child} of ${agent} starts call ${calls} of at most ${limit}`, {
      agent,
    });
  }
}
