/** A small world around a scheduler: a clock, agents by name, attempts by number. Tests say what happens. */

import type { ItemFailure } from './attempts/failure.ts';
import type { Dispatch, SchedulerCommand } from './command.ts';
import type { AttemptEnding, SchedulerEvent } from './event.ts';
import type { ItemRange } from './identity.ts';
import { defaultRetries, type JobSpec } from './jobs/job-spec.ts';
import type { SchedulerOptions } from './options.ts';
import { Scheduler } from './scheduler.ts';

type Untimed<E> = E extends { atMs: number } ? Omit<E, 'atMs'> : never;

/** A job as the tests want it: one item a shard, in order, endless windows. */
export function specOf(given: Partial<JobSpec> = {}): JobSpec {
  return {
    priority: 0,
    labels: {},
    chunkSize: 1,
    group: { id: 'group', processes: Number.POSITIVE_INFINITY },
    retries: defaultRetries,
    ordered: true,
    failFast: false,
    pure: false,
    marksStarts: false,
    windowItems: 1_000_000,
    windowBytes: 1_000_000_000,
    ...given,
  };
}

export const crash: ItemFailure = { kind: 'crash', retryable: true, attempt: { pid: 7, signal: 'SIGSEGV' } };
export const thrown: ItemFailure = { kind: 'thrown', retryable: true, attempt: { pid: 7 } };

/** What an agent is told when it joins, beyond its name and slots. */
export interface JoinDetail {
  readonly encodings?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly held?: readonly number[];
  readonly resumes?: number;
  readonly permanent?: boolean;
  readonly keepsGroupSlots?: boolean;
}

export class World {
  readonly scheduler: Scheduler;
  readonly dispatches: Map<number, Dispatch> = new Map();
  /** The current session of each agent. */
  readonly sessions: Map<string, number> = new Map();
  nowMs = 0;
  #lastSession = 0;
  #lastJob = 0;

  constructor(options?: Partial<SchedulerOptions>) {
    this.scheduler = new Scheduler(options);
  }

  /** Says that something happened now, and checks every invariant. */
  step(event: Untimed<SchedulerEvent>): SchedulerCommand[] {
    const commands = this.scheduler.step({ ...event, atMs: this.nowMs } as SchedulerEvent);
    for (const command of commands) {
      if (command.type === 'dispatch') this.dispatches.set(command.attempt, command);
    }
    this.scheduler.check();
    return commands;
  }

  /** Lets time pass, ticking whenever the scheduler wants it; agents do not beat. */
  pass(ms: number): SchedulerCommand[] {
    const untilMs = this.nowMs + ms;
    const commands: SchedulerCommand[] = [];
    for (;;) {
      const nextMs = this.scheduler.nextDeadlineMs();
      if (nextMs === undefined || nextMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      commands.push(...this.step({ type: 'clockTicked' }));
    }
    this.nowMs = untilMs;
    return commands;
  }

  /** Lets time pass while these agents beat every second, listing what they were given. */
  passBeating(ms: number, ...agents: string[]): SchedulerCommand[] {
    const commands: SchedulerCommand[] = [];
    for (let passed = 0; passed < ms; passed += 1000) {
      for (const agent of agents) commands.push(...this.beat(agent));
      commands.push(...this.pass(Math.min(1000, ms - passed)));
    }
    return commands;
  }

  join(agent: string, slots: number, detail: JoinDetail = {}): SchedulerCommand[] {
    this.#lastSession += 1;
    this.sessions.set(agent, this.#lastSession);
    const { encodings, labels = {}, held = [], keepsGroupSlots, permanent = false, resumes } = detail;
    const heldAttempts = held.map((attempt) => ({
      attempt,
      job: this.dispatches.get(attempt)?.job ?? 'unknown',
    }));
    return this.step({
      type: 'agentJoined',
      agent,
      session: this.#lastSession,
      slots,
      labels,
      ...(encodings === undefined ? {} : { encodings }),
      held: heldAttempts,
      permanent,
      ...(resumes === undefined ? {} : { resumes }),
      ...(keepsGroupSlots === undefined ? {} : { keepsGroupSlots }),
    });
  }

  beat(agent: string, held: readonly number[] = this.heldBy(agent)): SchedulerCommand[] {
    return this.step({ type: 'heartbeatReceived', session: this.session(agent), held });
  }

  /** What an agent was given and nobody has reported the end of. */
  heldBy(agent: string): number[] {
    return [...this.dispatches.values()].filter((each) => each.agent === agent).map(({ attempt }) => attempt);
  }

  /** Creates a job and pushes its items, 10 bytes each; the input ends there unless it is said to go on. */
  add(
    items: number,
    spec: Partial<JobSpec> = {},
    goesOn = false,
  ): { job: string; commands: SchedulerCommand[] } {
    this.#lastJob += 1;
    const job = `job-${this.#lastJob}`;
    const commands = this.step({ type: 'jobCreated', job, spec: specOf(spec) });
    if (items > 0) commands.push(...this.push(job, items));
    if (!goesOn) commands.push(...this.step({ type: 'inputEnded', job }));
    return { job, commands };
  }

  push(job: string, count: number, bytes: number = count * 10): SchedulerCommand[] {
    return this.step({ type: 'itemsPushed', job, count, bytes });
  }

  /** An attempt's items gave values, in 1 ms and 10 bytes each unless said otherwise. */
  values(attempt: number, range: Partial<ItemRange> = {}, msEach = 1, bytesEach = 10): SchedulerCommand[] {
    const dispatch = this.#of(attempt);
    const { first = dispatch.first, count = dispatch.count } = range;
    return this.step({
      type: 'itemsSucceeded',
      session: this.session(dispatch.agent),
      attempt,
      first,
      count,
      bytes: bytesEach * count,
      runMs: msEach * count,
    });
  }

  failed(attempt: number, index: number, failure: ItemFailure): SchedulerCommand[] {
    const session = this.session(this.#of(attempt).agent);
    return this.step({ type: 'itemFailed', session, attempt, index, failure });
  }

  ended(attempt: number, ending: AttemptEnding = { kind: 'finished' }): SchedulerCommand[] {
    const session = this.session(this.#of(attempt).agent);
    this.dispatches.delete(attempt);
    return this.step({ type: 'attemptEnded', session, attempt, ending });
  }

  /** A child died while one of these ran. */
  died(attempt: number, ...suspects: ItemRange[]): SchedulerCommand[] {
    return this.ended(attempt, { kind: 'childDied', death: { attempt: crash.attempt }, suspects });
  }

  /** An attempt's items gave values and it is over. */
  finish(attempt: number, msEach = 1): SchedulerCommand[] {
    return [...this.values(attempt, {}, msEach), ...this.ended(attempt)];
  }

  session(agent: string): number {
    const session = this.sessions.get(agent);
    if (session === undefined) throw new Error(`agent ${agent} never joined`);
    return session;
  }

  waiting(job: string): string | undefined {
    return this.scheduler.progress(job, this.nowMs)?.waitingFor;
  }

  #of(attempt: number): Dispatch {
    const dispatch = this.dispatches.get(attempt);
    if (dispatch === undefined) throw new Error(`attempt ${attempt} was not dispatched or has ended`);
    return dispatch;
  }
}

/** A world with these agents (and their slots) and, where one is given, a job called job-1. */
export function schedulerWith(given: {
  readonly agents?: Readonly<Record<string, number>>;
  readonly job?: Partial<JobSpec> & { readonly items: number };
  readonly options?: Partial<SchedulerOptions>;
}): World {
  const world = new World(given.options);
  for (const [agent, slots] of Object.entries(given.agents ?? {})) world.join(agent, slots);
  if (given.job !== undefined) {
    const { items, ...spec } = given.job;
    world.add(items, spec);
  }
  return world;
}

/** The commands of these types, without what a test is not about. */
export function only<T extends SchedulerCommand['type']>(
  commands: readonly SchedulerCommand[],
  ...types: readonly T[]
): Array<Extract<SchedulerCommand, { type: T }>> {
  return commands.filter((command): command is Extract<SchedulerCommand, { type: T }> =>
    (types as readonly string[]).includes(command.type),
  );
}

/** Dispatches in short: `2: items 4-6 on a`. */
export function placed(commands: readonly SchedulerCommand[]): string[] {
  return only(commands, 'dispatch').map(({ attempt, agent, first, count }) => {
    const items = count === 1 ? `item ${first}` : `items ${first}-${first + count - 1}`;
    return `${attempt}: ${items} on ${agent}`;
  });
}
