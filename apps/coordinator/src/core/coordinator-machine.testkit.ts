import { defaultRetries, type JobSpec } from '@shoal/scheduler';
import type { CoordinatorCommand } from './coordinator-command.ts';
import type { CoordinatorEvent } from './coordinator-event.ts';
import type { CoordinatorLimits } from './coordinator-limits.ts';
import { CoordinatorMachine } from './coordinator-machine.ts';

/** An event before the world has put its time on it. */
type Happening<E = CoordinatorEvent> = E extends CoordinatorEvent ? Omit<E, 'atMs'> : never;
type Of<T extends CoordinatorCommand['type']> = Extract<CoordinatorCommand, { readonly type: T }>;

/** What concerns the job's clients: all that the scheduler alone says is left out. */
const clientCommands: ReadonlySet<CoordinatorCommand['type']> = new Set([
  'createJob',
  'answerCreate',
  'answer',
  'refuse',
  'bindReader',
  'offerOutcomes',
  'endReader',
  'bindWriter',
  'keepBlock',
  'holdBlock',
  'resumeWriter',
  'endWriter',
  'finishJob',
  'emptyJob',
  'forgetJob',
]);

/** A coordinator's core in virtual time, with the events of clients and agents as short words. */
export class CoordinatorWorld {
  readonly machine: CoordinatorMachine;
  nowMs = 0;

  constructor(limits: Partial<CoordinatorLimits> = {}) {
    this.machine = new CoordinatorMachine({ epoch: 7, maxJobs: 100, graceMs: 30_000, ...limits });
  }

  /** Every command, in order. */
  all(event: Happening): CoordinatorCommand[] {
    const commands = this.machine.step({ ...event, atMs: this.nowMs } as CoordinatorEvent);
    this.machine.check();
    return commands;
  }

  /** The commands of one type. */
  only<T extends CoordinatorCommand['type']>(type: T, event: Happening): Of<T>[] {
    return this.all(event).filter((command): command is Of<T> => command.type === type);
  }

  /** What the clients notice, in order. */
  do(event: Happening): CoordinatorCommand[] {
    return this.all(event).filter(({ type }) => clientCommands.has(type));
  }

  request(
    call: number,
    job: string,
    requestId = '',
    fingerprint = 'f',
    spec: Partial<JobSpec> = {},
    bytes = 0,
  ) {
    const settled = specOf(job, spec);
    return this.do({ type: 'jobRequested', call, job, requestId, fingerprint, bytes, spec: settled });
  }

  read(call: number, fromPosition = 0, session = '', job = 'job', stream?: number) {
    return this.do({ type: 'readerOpened', call, job, session, stream, fromPosition });
  }

  write(call: number, firstIndex = 0, job = 'job', session = '', stream?: number) {
    return this.do({ type: 'writerOpened', call, job, session, stream, firstIndex });
  }

  push(call: number, first: number, count: number) {
    return this.do({ type: 'blockReceived', call, first, count, bytes: count });
  }

  endInput(call: number, totalItems: number) {
    return this.do({ type: 'inputEndReceived', call, totalItems });
  }

  acknowledge(call: number, position: number, session = '', job = 'job') {
    return this.do({ type: 'acknowledgementReceived', call, job, session, position });
  }

  /** An agent with so many slots joins under this session. */
  agent(session = 1, slots = 1, agent = 'a', instance = 'i'): CoordinatorCommand[] {
    return this.all({ type: 'joinReceived', session, agent, instance, slots, labels: {}, held: [] });
  }

  /** The agent of session 1 runs all that it is given, until nothing is left. */
  runAll(commands: readonly CoordinatorCommand[], session = 1): CoordinatorCommand[] {
    const seen = [...commands];
    for (let at = 0; at < seen.length; at += 1) {
      const command = seen[at];
      if (command?.type !== 'dispatch') continue;
      const { attempt, count, first } = command;
      seen.push(
        ...this.all({ type: 'itemsSucceeded', session, attempt, first, count, bytes: count, runMs: count }),
        ...this.all({ type: 'attemptEnded', session, attempt, ending: { kind: 'finished' } }),
      );
    }
    return seen.filter(({ type }) => clientCommands.has(type));
  }

  /** So much time passes; the clock ticks when the machine asked for it. */
  pass(ms: number): CoordinatorCommand[] {
    const untilMs = this.nowMs + ms;
    const commands: CoordinatorCommand[] = [];
    for (let due = this.machine.nextDeadlineMs(); due !== undefined && due <= untilMs; ) {
      this.nowMs = Math.max(this.nowMs, due);
      commands.push(...this.do({ type: 'clockTicked' }));
      due = this.machine.nextDeadlineMs();
    }
    this.nowMs = untilMs;
    return commands;
  }
}

function specOf(job: string, spec: Partial<JobSpec> = {}): JobSpec {
  return {
    priority: 0,
    labels: {},
    chunkSize: 'auto',
    group: { id: job, processes: 1_000 },
    retries: defaultRetries,
    ordered: true,
    failFast: false,
    pure: false,
    marksStarts: false,
    windowItems: 100,
    windowBytes: 1_000_000,
    ...spec,
  };
}

/** A job with a writer (call 11) and a reader (call 12), and one agent. */
export function running(spec = {}): CoordinatorWorld {
  const world = new CoordinatorWorld();
  world.request(1, 'job', 'r', 'f', spec);
  world.write(11);
  world.read(12);
  world.agent();
  return world;
}

/** The jobs of which nothing is known from here on. */
export function forgotten(commands: readonly CoordinatorCommand[]): string[] {
  return commands.flatMap((command) => (command.type === 'forgetJob' ? [command.job] : []));
}
