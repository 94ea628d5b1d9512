/** An agent machine with a clock of its own, short ways to say what happens to it, and its invariants checked each time. */
import type { AgentCommand } from './agent-command.ts';
import type { AgentEvent, AttemptDispatched, AttemptId, ChunkId, Joined } from './agent-event.ts';
import type { AgentLimits } from './agent-limits.ts';
import { AgentMachine } from './agent-machine.ts';
import type { AgentSnapshot } from './agent-snapshot.ts';

type WithoutTime<T> = T extends unknown ? Omit<T, 'atMs'> : never;
type Named = AgentCommand['type'];

export class TestAgent {
  readonly machine: AgentMachine;
  /** Of every step so far. */
  readonly commands: AgentCommand[] = [];
  atMs = 0;

  constructor(limits: Partial<AgentLimits> = {}, seed = 1) {
    this.machine = new AgentMachine({ instance: 'life-1', seed, limits });
  }

  /** One that has joined, as session 1 of epoch 1, and whose first heartbeat was answered. */
  static joined(limits: Partial<AgentLimits> = {}): TestAgent {
    const agent = new TestAgent(limits);
    agent.step({ type: 'started' });
    agent.join();
    agent.answered(1);
    return agent;
  }

  get snapshot(): AgentSnapshot {
    return this.machine.snapshot();
  }

  /** The link of which news count, or the last one. */
  get link(): number {
    return this.commands.filter(({ type }) => type === 'dial').length;
  }

  step(event: WithoutTime<AgentEvent>): AgentCommand[] {
    const commands = this.machine.step({ ...event, atMs: this.atMs } as AgentEvent);
    this.machine.check();
    this.commands.push(...commands);
    return commands;
  }

  join(more: Partial<Joined> = {}): AgentCommand[] {
    const timing = { heartbeatMs: 2_000, leaseMs: 10_000, selfFenceMs: 8_000, abandonMs: 60_000 };
    return this.step({ type: 'joined', link: this.link, session: 1, epoch: 1, drop: [], ...timing, ...more });
  }

  answered(sequence: number, drop: readonly AttemptId[] = []): AgentCommand[] {
    return this.step({
      type: 'heartbeatAnswered',
      link: this.link,
      sequence,
      drop,
      heartbeatMs: 0,
      leaseMs: 0,
    });
  }

  lost(code = 'CONNECTION_LOST'): AgentCommand[] {
    return this.step({ type: 'linkLost', link: this.link, code });
  }

  /** A job that is announced, and at once has all that it needs. Returns its setup. */
  announce(job = 'job-1'): number {
    const [prepare] = only(this.step({ type: 'jobAnnounced', link: this.link, job }), 'prepareSetup');
    if (prepare?.type !== 'prepareSetup') throw new Error('nothing is prepared');
    this.step({ type: 'setupPrepared', setup: prepare.setup });
    return prepare.setup;
  }

  dispatch(attempt: AttemptId, more: Partial<AttemptDispatched> = {}): AgentCommand[] {
    const items = { first: 10 * attempt, count: 10, marksStarts: false, tryNumber: 1, groupSlots: 0 };
    return this.step({
      type: 'attemptDispatched',
      link: this.link,
      attempt,
      job: 'job-1',
      ...items,
      ...more,
    });
  }

  revoke(attempt: AttemptId): AgentCommand[] {
    return this.step({ type: 'attemptRevoked', link: this.link, attempt });
  }

  recall(attempt: AttemptId): AgentCommand[] {
    return this.step({ type: 'attemptRecalled', link: this.link, attempt });
  }

  values(chunk: ChunkId, bytes = 100): AgentCommand[] {
    return this.step({ type: 'itemsSucceeded', chunk, first: 0, count: 1, bytes });
  }

  ended(chunk: ChunkId): AgentCommand[] {
    return this.step({ type: 'chunkEnded', chunk });
  }

  /** The stream has room for one batch. */
  granted(): AgentCommand[] {
    return this.step({ type: 'sendGranted', link: this.link });
  }

  taken(sequence: number): AgentCommand[] {
    return this.step({ type: 'batchesTaken', link: this.link, sequence });
  }

  /** Time passes; the clock ticks whenever the machine asks for it, and at the end. */
  after(ms: number): AgentCommand[] {
    const endMs = this.atMs + ms;
    const commands: AgentCommand[] = [];
    for (let at = this.machine.nextDeadlineMs(); at !== undefined && at < endMs; ) {
      this.atMs = Math.max(this.atMs, at);
      commands.push(...this.step({ type: 'clockTicked' }));
      const next = this.machine.nextDeadlineMs();
      if (next !== undefined && next <= at) throw new Error(`the deadline at ${at} ms was not heeded`);
      at = next;
    }
    this.atMs = endMs;
    return [...commands, ...this.step({ type: 'clockTicked' })];
  }

  /** The process stood still: nothing ticked meanwhile. */
  jump(ms: number): void {
    this.atMs += ms;
  }
}

/** The commands of these kinds. */
export function only(commands: readonly AgentCommand[], ...types: readonly Named[]): AgentCommand[] {
  return commands.filter(({ type }) => types.includes(type));
}

/** The kinds of commands, but for those that every start has, and notes. */
export function kinds(commands: readonly AgentCommand[]): Named[] {
  return commands.map(({ type }) => type).filter((type) => !/^(note|keepWork|dropWork)$/.test(type));
}

/** The notes among commands. */
export function notes(commands: readonly AgentCommand[]): unknown[] {
  return commands.flatMap((command) => (command.type === 'note' ? [command.note] : []));
}
