import type { AgentHost } from '../agent/agent-host.ts';
import type { ChunkWork } from '../child-host.ts';
import type { Execution } from '../execution.ts';
import { runsOnce } from '../scenario.ts';
import { must } from '../violation.ts';
import type { World } from '../world.ts';
import type { JobBooks } from './job-book.ts';
import type { Tally } from './tally.ts';

/** From the order to stop to the kill, and a little more: children on slow machines, messages on their way. */
const stopMs = 4_000;

/** Calls of the function: each with its own argument, in a current epoch, and none for a job that is over. */
export class Executions {
  readonly #world: World;
  readonly #books: JobBooks;
  readonly #tally: Tally;
  readonly #all: Execution[] = [];
  /** By agent, its life, and child. */
  readonly #children = new Map<string, { calls: number; limit: number }>();

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
      startedLocalMs: agent.host.now(),
      endedLocalMs: Number.NaN,
      outcome: 'running',
      isUnseen: false,
    };
    this.#all.push(execution);
    this.#tally.executions += 1;
    this.#checkProcesses(agent, work.job.group, child);
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
    this.#count(agent, child, work.job.maxTasksPerChild);
    if (work.epoch !== book.epoch) return execution;
    const again = book.executionsOf(index).filter(({ attempt }) => attempt === work.attempt).length;
    must(
      again <= (book.givenBack[index] ?? 0),
      runsOnce(work.job) ? 'G5' : 'G6',
      () => `${work.job.name}[${index}] is called twice in attempt ${work.attempt}`,
      about,
    );
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

  ended(agent: AgentHost, execution: Execution, outcome: Execution['outcome']): void {
    const { host } = agent;
    execution.outcome = outcome;
    execution.endedAtMs = this.#world.clock.nowMs;
    execution.endedLocalMs = host.now();
    this.#checkAbandoned(agent, execution);
  }

  /** An agent is answered again: what it runs has run through the whole silence. */
  silenceEnds(agent: AgentHost): void {
    for (const execution of agent.children.running()) this.#checkAbandoned(agent, execution);
  }

  /** Its child was killed for another call in it: it is run again at no cost, unless it may run only once. */
  cutShort(execution: Execution): void {
    const book = this.#books.find(execution.job);
    if (book === undefined || book.epoch !== execution.epoch || runsOnce(book.plan)) return;
    book.givenBack[execution.index] = (book.givenBack[execution.index] ?? 0) + 1;
  }

  /** An agent that nobody has answered for long has stopped whatever it ran. */
  #checkAbandoned({ abandonMs, host, plan, provenAtMs }: AgentHost, execution: Execution): void {
    const unprovenMs = host.now() - provenAtMs;
    const lateMs = Math.min(unprovenMs - abandonMs, host.now() - host.wokeAtMs);
    must(
      lateMs <= stopMs || !host.isAlive || host.isFrozen,
      'G17',
      () =>
        `${plan.name} has had no answer for ${Math.round(unprovenMs)} ms and still ran ${execution.job}[${execution.index}]`,
      { job: execution.job, index: execution.index, attempt: execution.attempt, agent: plan.name },
    );
  }

  earlierStarts(job: string, index: number): number {
    return this.#books.find(job)?.executionsOf(index).length ?? 0;
  }

  /**
   * No more children are busy for a group than it may use: on one agent whatever happens, and in the whole cluster where
   * nobody is taken for lost who still runs what was his.
   */
  #checkProcesses(agent: AgentHost, group: string, child: number): void {
    const jobs = this.#world.scenario.jobs.filter((each) => each.group === group);
    // The first job says it for all of them.
    const most = Math.max(...jobs.map(({ processes }) => processes));
    if (most >= 1_000_000) return;
    const names = new Set(jobs.map(({ name }) => name));
    const busy = new Set([`${agent.plan.name}/${child}`]);
    for (const { plan, children } of this.#world.isCalm ? this.#world.agents : [agent]) {
      for (const each of children.running()) if (names.has(each.job)) busy.add(`${plan.name}/${each.child}`);
    }
    must(
      busy.size <= most,
      'G28',
      () => `${[...busy].join(', ')} are busy for ${group}, which may use ${most} processes`,
      { agent: agent.plan.name },
    );
  }

  /** No child calls functions more often than the strictest of the jobs that it has served allows. */
  #count({ host, plan }: AgentHost, child: number, limit: number = Number.POSITIVE_INFINITY): void {
    const key = `${plan.name}/${host.life}/${child}`;
    const served = this.#children.get(key) ?? { calls: 0, limit };
    this.#children.set(key, served);
    served.calls += 1;
    served.limit = Math.min(served.limit, limit);
    must(
      served.calls <= served.limit,
      'G30',
      () => `child ${child} of ${plan.name} starts call ${served.calls} of at most ${served.limit}`,
      { agent: plan.name },
    );
  }
}
