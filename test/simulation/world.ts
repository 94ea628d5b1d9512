import type { JobSpec } from '@shoal/scheduler';
import { AgentHost } from './agent/agent-host.ts';
import type { ChildWorld } from './child-host.ts';
import { ClientHost } from './client/client-host.ts';
import type { ClientJob } from './client/client-job.ts';
import { Clock } from './clock.ts';
import { CoordinatorHost } from './coordinator/coordinator-host.ts';
import { EventHash } from './event-hash.ts';
import { FaultPlayer } from './faults.ts';
import { keepaliveMs, Network } from './network.ts';
import { Oracle } from './oracle/oracle.ts';
import { Random } from './random.ts';
import type { AgentPlan, JobPlan, Scenario } from './scenario.ts';
import type { Trace } from './trace.ts';
import { must, sound, Violation } from './violation.ts';

/** Virtual time that everything may take once it is quiet: quarantines end, retries come, and then nothing waits. */
const quietMsMax = 900_000;
/** Things that may happen in one moment. */
const atOnceMax = 20_000;
/** From the end of the last job to the look for leftovers. */
const settleMs = 6_000;
/** From the end of the chaos to the same: leases run out, agents come back, what was lost is noticed. */
const recoverMs = 30_000;

/**
 * A cluster in a box: one clock, one seed, the production cores, and nothing else that could decide anything.
 *
 *   scenario -> chaos (load and faults) -> quiet (everything comes to its end) -> leftovers?
 */
export class World {
  readonly scenario: Scenario;
  readonly clock: Clock = new Clock();
  readonly network: Network;
  readonly oracle: Oracle;
  readonly coordinator: CoordinatorHost;
  readonly agents: AgentHost[];
  readonly clients: ClientHost[];
  readonly faults: FaultPlayer;
  /** Set when the chaos ended. */
  quietSinceMs: number | undefined;
  /** How often the coordinator has begun anew. */
  restarts = 0;
  events = 0;
  /** A full look at everything after so many steps of the coordinator. */
  readonly checkEvery: number;
  readonly coordinatorOffsetMs: number;
  #atOnce = 0;
  readonly #hash = new EventHash();
  readonly #trace: Trace | undefined;
  readonly #chance: Random;
  readonly #plans = new Map<string, JobPlan>();
  readonly #jobs: ClientJob[] = [];

  /** `trace` keeps what happens, for a story; it costs time and changes nothing. */
  constructor(scenario: Scenario, { trace, checkEvery = 24 }: { trace?: Trace; checkEvery?: number } = {}) {
    const { seed } = scenario;
    this.scenario = scenario;
    this.#trace = trace;
    this.checkEvery = checkEvery;
    this.#chance = new Random(seed, 'world');
    this.coordinatorOffsetMs = new Random(seed, 'coordinator').int(0, 10_000_000);
    for (const plan of scenario.jobs) this.#plans.set(plan.name, plan);
    const jitter = new Random(seed, 'jitter');
    this.faults = new FaultPlayer(this);
    this.network = new Network(
      this.clock,
      (link, way, loose) => this.faults.fateOf(link, way, loose),
      () => jitter.next() * 0.5,
    );
    this.oracle = new Oracle(this);
    this.coordinator = new CoordinatorHost(this);
    this.agents = scenario.agents.map((plan) => new AgentHost(plan, this));
    this.clients = scenario.clients.map((plan) => new ClientHost(plan, this));
  }

  /** Everything that happened, as one number: equal seeds, equal hashes. */
  get hash(): string {
    return this.#hash.text;
  }

  /** Plays it to its end. Throws a {@link Violation} where a promise is broken. */
  run(): void {
    try {
      this.#begin();
      while (this.#step(this.scenario.chaosMs));
      this.#quiet();
      this.#finish();
    } catch (error) {
      if (error instanceof Violation) throw error;
      const { stack = '' } = error instanceof Error ? error : {};
      const place = stack.split('\n').slice(0, 4).join(' <- ').replaceAll(/\s+/g, ' ');
      throw new Violation('structure', `a core threw: ${place}`, {});
    }
  }

  // -- for the hosts ---------------------------------------------------------------------------------------------

  /** Nothing in this world can lose work. */
  get isCalm(): boolean {
    return this.scenario.isCalm;
  }

  /** Something is about to reach a core. */
  saw(who: string, type: string, event: object): void {
    this.#hash.add(this.clock.nowMs, who, type, event);
    this.#trace?.event(this.clock.nowMs, who, type, event);
  }

  /** A core wants something. */
  ordered(who: string, command: { readonly type: string }): void {
    this.#trace?.command(this.clock.nowMs, who, command);
  }

  /** Something goes wrong. */
  went(what: string): void {
    this.#hash.add(this.clock.nowMs, what, 'fault', {});
    this.#trace?.fault(this.clock.nowMs, what);
  }

  agentPlan(name: string): AgentPlan | undefined {
    return this.scenario.agents.find((plan) => plan.name === name);
  }

  /** The plan of a job that the coordinator has given this id. */
  jobOf(id: string): JobPlan | undefined {
    return this.#plans.get(id.slice(0, id.indexOf('@')));
  }

  specOf(name: string, nowMs: number): JobSpec {
    const plan = this.#plans.get(name);
    if (plan === undefined) throw new Error(`there is no job ${name}`);
    const { concurrentTasks, deadlineMs, items, tellsTotal, timeoutMs } = plan;
    return {
      priority: plan.priority,
      labels: plan.labels,
      chunkSize: plan.chunkSize,
      concurrentTasks,
      group: { id: plan.group, processes: plan.processes },
      kind: plan.group,
      retries: plan.retries,
      ordered: plan.ordered,
      failFast: plan.failFast,
      pure: plan.pure,
      marksStarts: timeoutMs !== undefined || concurrentTasks > 1,
      windowItems: plan.windowItems,
      windowBytes: plan.windowBytes,
      ...(tellsTotal ? { totalItems: items } : {}),
      ...(deadlineMs === undefined ? {} : { deadlineAtMs: nowMs + deadlineMs }),
    };
  }

  childWorldOf(agent: AgentHost): ChildWorld {
    const { oracle, clock } = this;
    return {
      clock,
      chance: () => this.#chance.next(),
      begin: (work, index, child) => oracle.executions.began(agent, work, index, child),
      end: (execution, outcome) => oracle.executions.ended(agent, execution, outcome),
      cutShort: (execution) => oracle.executions.cutShort(execution),
      earlierStarts: (job, index) => oracle.executions.earlierStarts(job, index),
      crowded: (processes) => oracle.limits.crowded(agent, processes),
    };
  }

  bundleFails(): boolean {
    return this.quietSinceMs === undefined && this.#chance.chance(this.scenario.bundleFailures);
  }

  /** An impatient client. */
  asksTwice(): boolean {
    return this.#chance.chance(0.2);
  }

  /** Whether a client may find its job gone: its coordinator was, or it was out of reach for long. */
  mayLose(client: number): boolean {
    const name = this.scenario.clients[client]?.name;
    return (
      this.restarts > 0 ||
      this.scenario.faults.some(
        (fault) =>
          (fault.kind === 'partition' && fault.link === name) ||
          // Nobody was there for it, or its clock said so.
          (fault.kind === 'clientReplaced' && fault.client === name) ||
          (fault.kind === 'clockJump' && (fault.host === name || fault.host === 'coordinator')),
      )
    );
  }

  // -- phases ----------------------------------------------------------------------------------------------------

  #begin(): void {
    for (const agent of this.agents) {
      this.clock.at(agent.plan.startsAtMs, () => agent.start());
    }
    for (const plan of this.scenario.jobs) {
      const client = this.clients[plan.client] as ClientHost;
      this.clock.at(plan.startsAtMs, () => {
        if (client.host.isAlive) client.host.do(() => this.#jobs.push(client.submit(plan)));
      });
    }
    this.faults.begin();
  }

  /** Nothing goes wrong from now on. */
  #quiet(): void {
    this.clock.nowMs = Math.max(this.clock.nowMs, this.scenario.chaosMs);
    this.#trace?.fault(this.clock.nowMs, 'quiet from here on');
    this.quietSinceMs = this.clock.nowMs;
    this.faults.end();
    const beat = (): void => {
      if (!this.coordinator.host.isAlive) return;
      this.oracle.inspect(this.coordinator);
      this.oracle.liveness.inspectWaiting(this.coordinator);
      for (const agent of this.agents) if (agent.host.isAlive) sound(() => agent.check());
      this.clock.after(1_000, beat);
    };
    this.clock.after(20_000, beat);
    this.#until(
      () => this.#jobs.every((job) => job.fate !== undefined),
      quietMsMax,
      () => this.oracle.liveness.stuck(this.#jobs, this.coordinator, quietMsMax),
    );
  }

  #finish(): void {
    // Jobs of clients that are gone end by themselves, in their time.
    const isLeft = ({ fate }: ClientJob): boolean => fate?.kind === 'lost' && fate.why === 'pastDeadline';
    const isOrphaned = this.clients.some(({ host }) => !host.isAlive) || this.#jobs.some(isLeft);
    const isHalfOpen = this.scenario.faults.some((fault) => fault.kind === 'clientGone' && fault.silent);
    const orphansMs = (isOrphaned ? this.scenario.graceMs : 0) + (isHalfOpen ? keepaliveMs : 0);
    const recoveredMs = (this.quietSinceMs ?? 0) + recoverMs + orphansMs;
    this.#play(Math.max(settleMs, recoveredMs - this.clock.nowMs));
    this.oracle.leaks.checkSlots();
    this.#play(this.scenario.graceMs + 500);
    this.oracle.leaks.checkLeftovers();
    this.oracle.check();
  }

  #play(ms: number): void {
    const untilMs = this.clock.nowMs + ms;
    while (this.#step(untilMs));
    this.clock.nowMs = untilMs;
  }

  /** Lets the next thing happen. Whoever asks for the same moment over and over stops the world. */
  #step(untilMs: number): boolean {
    const beforeMs = this.clock.nowMs;
    if (!this.clock.step(untilMs)) return false;
    this.events += 1;
    this.#atOnce = this.clock.nowMs === beforeMs ? this.#atOnce + 1 : 0;
    must(this.#atOnce < atOnceMax, 'structure', () => `time stands still at ${beforeMs} ms`);
    return true;
  }

  #until(isDone: () => boolean, ms: number, otherwise: () => Violation): void {
    const untilMs = this.clock.nowMs + ms;
    for (let count = 0; !isDone(); ) {
      for (count = 0; count < 50 && this.#step(untilMs); count += 1);
      if (count < 50 && !isDone()) throw otherwise();
    }
  }
}
