/**
 * Random worlds: agents that come, go, fall silent, lose messages and repeat them; children that die; consumers that
 * lag. Two phases: chaos, then quiet, in which everything has to finish.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SchedulerCommand } from './command.ts';
import type { SchedulerEvent } from './event.ts';
import { specOf } from './scheduler.testkit.ts';
import { Scheduler } from './scheduler.ts';

interface Held {
  readonly job: string;
  readonly first: number;
  readonly end: number;
  next: number;
}

interface SimulatedAgent {
  readonly name: string;
  readonly slots: number;
  session: number;
  alive: boolean;
  readonly held: Map<number, Held>;
  beatAtMs: number;
}

type Untimed<E> = E extends { atMs: number } ? Omit<E, 'atMs'> : never;

/** What the consumer of a job has seen. */
class Consumer {
  readonly kept: Set<number> = new Set();
  readonly delivered: number[] = [];
  outcome: string | undefined;
  acknowledged = 0;
}

class Chaos {
  readonly scheduler: Scheduler;
  readonly consumers: Map<string, Consumer> = new Map();
  readonly executions: Map<string, number> = new Map();
  nowMs = 0;
  quiet = false;
  readonly #agents: SimulatedAgent[] = [];
  readonly #items: number;
  readonly #poison: ReadonlySet<number>;
  #sessions = 0;
  #seed: number;
  #late: Array<Untimed<SchedulerEvent>> = [];

  constructor(world: World) {
    this.#seed = world.seed;
    this.#items = world.items;
    this.#poison = new Set(world.poison.filter((item) => item < world.items));
    // Everything that takes more than a round is a straggler.
    this.scheduler = new Scheduler({
      seed: world.seed,
      stragglerMsMin: 300,
      stragglerFactor: 1,
      shardMs: 9,
      guessedMsMax: 8,
    });
    for (let at = 0; at < world.agents; at += 1) {
      this.#agents.push({
        name: `agent-${at}`,
        slots: 1 + (at % 3),
        session: 0,
        alive: false,
        held: new Map(),
        beatAtMs: 0,
      });
    }
    this.#learn();
    for (let at = 0; at < world.jobs; at += 1) {
      const job = `job-${at}`;
      this.consumers.set(job, new Consumer());
      const spec = specOf({
        ordered: world.ordered,
        chunkSize: world.chunkSize,
        windowItems: world.windowItems,
        windowBytes: 2_000,
        retries: { thrown: 2, crash: 2, timeout: 0, lost: 10 },
        labels: at % 3 === 2 ? { even: '1' } : {},
        pure: world.pure,
        totalItems: world.items,
        kind: 'known',
        group: { id: `group-${at % 2}`, processes: 1 + (at % 4) },
      });
      this.tell({ type: 'jobCreated', job, spec });
    }
  }

  /** An earlier job of their kind had much shorter items: what a new one is cut by is wrong. */
  #learn(): void {
    const session = ++this.#sessions;
    const step = (event: Untimed<SchedulerEvent>): SchedulerCommand[] =>
      this.scheduler.step({ ...event, atMs: 0 } as SchedulerEvent);
    const job = 'earlier';
    const [agent, labels] = ['earlier', {}];
    step({ type: 'agentJoined', agent, session, slots: 1, labels, held: [], permanent: false });
    step({ type: 'jobCreated', job, spec: specOf({ chunkSize: 'auto', kind: 'known' }) });
    const dispatches = step({ type: 'itemsPushed', job, count: 32, bytes: 32 });
    for (let command = dispatches.shift(); command !== undefined; command = dispatches.shift()) {
      if (command.type !== 'dispatch') continue;
      const { attempt, count, first } = command;
      const values = { session, attempt, first, count, bytes: count, runMs: count / 100 };
      dispatches.push(...step({ type: 'itemsSucceeded', ...values }));
      dispatches.push(...step({ type: 'attemptEnded', session, attempt, ending: { kind: 'finished' } }));
    }
    step({ type: 'inputEnded', job });
    step({ type: 'sessionClosed', session, orderly: true });
    this.scheduler.check();
  }

  random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) | 0;
    return (this.#seed >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  tell(event: Untimed<SchedulerEvent>): void {
    this.obey(this.scheduler.step({ ...event, atMs: this.nowMs } as SchedulerEvent));
    this.scheduler.check();
    for (const { job, running, waitingFor, ...told } of this.scheduler.snapshot().jobs) {
      const isSilent = running === 0 && waitingFor === undefined;
      expect(isSilent && told, `${job} says why nothing of it runs`).toBe(false);
    }
  }

  /** A message of an agent: it may come twice, the second time much later. Within a session nothing overtakes. */
  send(event: Untimed<SchedulerEvent>): void {
    if (!this.quiet && this.chance(0.05)) this.#late.push(event);
    this.tell(event);
  }

  obey(commands: readonly SchedulerCommand[]): void {
    for (const command of commands) {
      const consumer = 'job' in command ? this.consumers.get(command.job) : undefined;
      switch (command.type) {
        case 'dispatch': {
          const agent = this.#agents.find((each) => each.session === command.session);
          // A dispatch may be lost on its way.
          if (agent?.alive && (this.quiet || !this.chance(0.03))) {
            const { attempt, job, first, count } = command;
            agent.held.set(attempt, { job, first, end: first + count, next: first });
          }
          break;
        }
        case 'revoke':
          this.#revoked.push([command.session, command.attempt]);
          break;
        case 'recall':
          this.recalls += 1;
          // What has not begun comes back, or the message is lost.
          if (this.chance(0.8)) this.#recalled.push([command.session, command.attempt]);
          break;
        case 'endSession': {
          const agent = this.#agents.find((each) => each.session === command.session);
          if (agent !== undefined) agent.alive = false;
          break;
        }
        case 'keepResults':
          for (let at = 0; at < command.count; at += 1) this.#keep(consumer, command.first + at);
          break;
        case 'keepFailure':
          this.#keep(consumer, command.index);
          break;
        case 'deliver':
          for (let at = 0; at < command.count; at += 1) {
            expect(consumer?.kept.has(command.first + at)).toBe(true);
            consumer?.delivered.push(command.first + at);
          }
          break;
        case 'grantItems':
          this.#granted.set(command.job, command.upTo);
          break;
        case 'endJob':
          (consumer as Consumer).outcome = command.outcome.state;
          break;
        default:
      }
    }
  }

  readonly #granted: Map<string, number> = new Map();
  readonly #pushed: Map<string, number> = new Map();
  #revoked: Array<[number, number]> = [];
  #recalled: Array<[number, number]> = [];
  recalls = 0;

  #keep(consumer: Consumer | undefined, index: number): void {
    expect(consumer?.kept.has(index), `item ${index} has one outcome`).toBe(false);
    consumer?.kept.add(index);
  }

  /** A tenth of a second of the world. */
  round(): void {
    this.nowMs += this.quiet ? 100 : Math.floor(this.random() * 600);
    for (const [job, consumer] of this.consumers) this.#feed(job, consumer);
    for (const [session, attempt] of this.#revoked.splice(0)) this.#takeBack(session, attempt);
    for (const [session, attempt] of this.#recalled.splice(0)) this.#takeBack(session, attempt);
    for (const agent of this.#agents) this.#live(agent);
    if (this.chance(0.2)) for (const event of this.#late.splice(0)) this.tell(event);
    if ((this.scheduler.nextDeadlineMs() ?? Number.POSITIVE_INFINITY) <= this.nowMs)
      this.tell({ type: 'clockTicked' });
  }

  get done(): boolean {
    return [...this.consumers.values()].every(({ outcome }) => outcome !== undefined);
  }

  #feed(job: string, consumer: Consumer): void {
    const pushed = this.#pushed.get(job) ?? 0;
    const count = Math.min(this.#items, this.#granted.get(job) ?? 0) - pushed;
    if (count > 0) {
      const some = 1 + Math.floor(this.random() * count);
      this.#pushed.set(job, pushed + some);
      this.tell({ type: 'itemsPushed', job, count: some, bytes: some * 20 });
      if (pushed + some === this.#items) this.tell({ type: 'inputEnded', job });
    }
    if (this.quiet || this.chance(0.4)) {
      const position =
        consumer.acknowledged +
        Math.ceil(this.random() * (consumer.delivered.length - consumer.acknowledged));
      consumer.acknowledged = position;
      this.tell({ type: 'resultsAcknowledged', job, position });
      if (this.chance(0.1))
        this.tell({ type: 'resultsAcknowledged', job, position: Math.floor(position / 2) });
    }
  }

  #takeBack(session: number, attempt: number): void {
    const agent = this.#agents.find((each) => each.session === session && each.alive);
    if (!agent?.held.delete(attempt)) return;
    this.send({ type: 'attemptEnded', session, attempt, ending: { kind: 'returned' } });
  }

  #live(agent: SimulatedAgent): void {
    if (!agent.alive) {
      if (this.quiet || this.chance(0.3)) this.#join(agent);
      return;
    }
    if (!this.quiet && this.chance(0.02)) {
      this.#leave(agent);
      return;
    }
    if (!this.quiet && this.chance(0.01)) this.tell({ type: 'drainRequested', agent: agent.name });
    if (this.chance(0.05) || this.quiet) this.tell({ type: 'resumeRequested', agent: agent.name });
    if (this.nowMs >= agent.beatAtMs) {
      agent.beatAtMs = this.nowMs + 2000;
      if (this.quiet || !this.chance(0.1)) {
        this.send({ type: 'heartbeatReceived', session: agent.session, held: [...agent.held.keys()] });
      }
    }
    // Every other machine is a slow one.
    if (!this.quiet && agent.slots % 2 === 0 && this.chance(0.85)) return;
    for (const [attempt, held] of [...agent.held].slice(0, agent.slots)) this.#work(agent, attempt, held);
  }

  #join(agent: SimulatedAgent): void {
    const resumes = agent.session;
    this.#sessions += 1;
    agent.session = this.#sessions;
    agent.alive = true;
    agent.beatAtMs = this.nowMs;
    const held = [...agent.held].map(([attempt, { job }]) => ({ attempt, job }));
    const { name, slots, session } = agent;
    const labels: Record<string, string> = Number(name.at(-1)) % 2 === 0 ? { even: '1' } : {};
    this.tell({
      type: 'agentJoined',
      agent: name,
      session,
      resumes,
      slots,
      labels,
      held,
      keepsGroupSlots: slots > 1,
      permanent: false,
    });
  }

  /** The stream breaks, or the machine goes silent, or it dies and forgets. */
  #leave(agent: SimulatedAgent): void {
    agent.alive = false;
    if (this.chance(0.5)) agent.held.clear();
    if (this.chance(0.7)) {
      this.tell({
        type: 'sessionClosed',
        session: agent.session,
        orderly: agent.held.size === 0 && this.chance(0.3),
      });
    }
  }

  #work(agent: SimulatedAgent, attempt: number, held: Held): void {
    const { session } = agent;
    const count = Math.min(held.end - held.next, 1 + Math.floor(this.random() * 8));
    for (let at = 0; at < count; at += 1) {
      const index = held.next;
      const key = `${held.job}/${index}`;
      this.executions.set(key, (this.executions.get(key) ?? 0) + 1);
      if (this.#poison.has(index)) {
        agent.held.delete(attempt);
        const suspects = [
          { first: index, count: Math.min(held.end - index, 1 + Math.floor(this.random() * 3)) },
        ];
        const death = { attempt: { pid: 1, signal: 'SIGKILL' } };
        this.send({ type: 'attemptEnded', session, attempt, ending: { kind: 'childDied', death, suspects } });
        return;
      }
      held.next += 1;
      if (!this.quiet && this.chance(0.05)) {
        const failure = { kind: 'thrown', retryable: this.chance(0.7), attempt: { pid: 1 } } as const;
        this.send({ type: 'itemFailed', session, attempt, index, failure });
        continue;
      }
      this.send({ type: 'itemsSucceeded', session, attempt, first: index, count: 1, bytes: 30, runMs: 2 });
    }
    if (held.next < held.end) return;
    agent.held.delete(attempt);
    this.send({ type: 'attemptEnded', session, attempt, ending: { kind: 'finished' } });
  }
}

interface World {
  readonly seed: number;
  readonly items: number;
  readonly agents: number;
  readonly jobs: number;
  readonly ordered: boolean;
  readonly chunkSize: number | 'auto';
  readonly windowItems: number;
  readonly poison: readonly number[];
  readonly pure: boolean;
  readonly rounds: number;
}

const worlds: fc.Arbitrary<World> = fc.record({
  seed: fc.nat(),
  items: fc.integer({ min: 1, max: 120 }),
  agents: fc.integer({ min: 1, max: 5 }),
  jobs: fc.integer({ min: 1, max: 4 }),
  ordered: fc.boolean(),
  chunkSize: fc.oneof(fc.constant<'auto'>('auto'), fc.integer({ min: 1, max: 20 })),
  windowItems: fc.integer({ min: 1, max: 60 }),
  poison: fc.array(fc.integer({ min: 0, max: 119 }), { maxLength: 3 }),
  pure: fc.boolean(),
  rounds: fc.integer({ min: 0, max: 150 }),
});

test('G1-G3, G6, G14, G20: whatever agents, children and messages do, each item gets exactly one outcome, in order', () => {
  let speculated = 0;
  let recalls = 0;
  fc.assert(
    fc.property(worlds, (world) => {
      const chaos = new Chaos(world);
      for (let round = 0; round < world.rounds; round += 1) chaos.round();
      chaos.quiet = true;
      for (let round = 0; round < 4000 && !chaos.done; round += 1) chaos.round();
      const left = [...chaos.consumers.keys()].map((job) => chaos.scheduler.progress(job)).filter(Boolean);
      expect(left, 'every job finishes once it is quiet').toEqual([]);
      for (const consumer of chaos.consumers.values()) {
        expect(consumer.outcome).toBe('completed');
        const inOrder = world.ordered ? consumer.delivered : consumer.delivered.toSorted((a, b) => a - b);
        expect(inOrder).toEqual(Array.from({ length: world.items }, (_, index) => index));
      }
      const executionsMost = 1 + 2 + 2 + 10 + (world.pure ? 1 : 0);
      expect(Math.max(...chaos.executions.values())).toBeLessThanOrEqual(executionsMost);
      recalls += chaos.recalls;
      speculated += chaos.scheduler.snapshot().totals.itemsSpeculated;
      // Nothing leaks: what agents still report of the jobs ends, and nothing is held any more.
      for (let round = 0; round < 200; round += 1) chaos.round();
      const { agents, jobs } = chaos.scheduler.snapshot();
      expect(jobs).toEqual([]);
      expect(agents.every(({ attempts }) => attempts === 0)).toBe(true);
    }),
    { numRuns: 120 },
  );
  expect(recalls, 'shards that were asked back').toBeGreaterThan(0);
  expect(speculated, 'items that ran twice at once').toBeGreaterThan(0);
}, 120_000);
