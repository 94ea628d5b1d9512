import type { AgentCommand, WorkEvent } from '@shoal/node-agent/core';
import { type PoolCommand, type PoolEvent, PoolMachine } from '@shoal/pool/core';
import { ChildHost, type ChunkWork, type InHand, type Untimed } from '../child-host.ts';
import type { Due } from '../clock.ts';
import type { Host } from '../host.ts';
import { argumentIn } from '../item-block.ts';
import { runsOnce } from '../scenario.ts';
import type { World } from '../world.ts';
import type { AgentHost } from './agent-host.ts';
import type { AgentCore } from './core.ts';
import type { Handovers } from './handovers.ts';
import { endingNews } from './news.ts';

type Happening = PoolEvent extends infer E ? (E extends PoolEvent ? Untimed<E> : never) : never;
/** What ran too long has thrown nothing. */
const noError = new Uint8Array();

type StartChunk = Extract<AgentCommand, { readonly type: 'startChunk' }>;

/** The processes of an agent: the production pool core, over simulated children. */
export class ProcessPool {
  readonly children: ChildHost;
  readonly #agent: AgentHost;
  readonly #world: World;
  readonly #host: Host;
  readonly #core: AgentCore;
  readonly #handovers: Handovers;
  #machine: PoolMachine;
  readonly #chunks = new Map<number, ChunkWork>();
  readonly #aborted = new Set<number>();
  #events: { event: Happening; inHand: InHand }[] = [];
  #isStepping = false;
  #timer: Due | undefined;

  constructor(agent: AgentHost, world: World, core: AgentCore, handovers: Handovers) {
    const { host, plan } = agent;
    this.#agent = agent;
    this.#world = world;
    this.#host = host;
    this.#core = core;
    this.#handovers = handovers;
    this.children = new ChildHost(world.childWorldOf(agent), plan.slowness, (event, inHand) =>
      host.do(() => this.step(event as Happening, inHand)),
    );
    this.#machine = new PoolMachine(plan.slots);
  }

  get snapshot(): ReturnType<PoolMachine['snapshot']> {
    return this.#machine.snapshot();
  }

  /** Chunks that it has. */
  get size(): number {
    return this.#chunks.size;
  }

  /** Attempts whose chunks the pool has and nobody has taken back. */
  get wantedAttempts(): number[] {
    return [...this.#chunks.values()]
      .filter(({ chunk }) => !this.#aborted.has(chunk))
      .map(({ attempt }) => attempt);
  }

  /** A process begins. */
  begin(): void {
    this.#machine = new PoolMachine(this.#agent.slots);
  }

  /** The agent's process is gone, its connections are closed. */
  crash(): void {
    this.#chunks.clear();
    this.#timer = undefined;
  }

  start(command: StartChunk): void {
    const { chunk, attempt, job: jobId, marksStarts } = command;
    const handover = this.#handovers.find(attempt);
    const job = this.#world.jobOf(jobId);
    if (handover === undefined || job === undefined) {
      this.#core.step({ type: 'chunkRefused', chunk, retryable: true });
      return;
    }
    const epoch = this.#agent.epochSeen;
    this.#world.oracle.attempts.started(this.#agent, { ...command, epoch });
    this.#handovers.drop(attempt);
    const work: ChunkWork = {
      chunk,
      attempt,
      epoch,
      job,
      argumentOf: (index) => argumentIn(handover.blocks, index),
      marksStarts: marksStarts || job.timeoutMs !== undefined || job.concurrentTasks > 1,
      maxTasksPerChild: job.maxTasksPerChild ?? Number.POSITIVE_INFINITY,
    };
    this.#chunks.set(chunk, work);
    this.step({
      type: 'chunkQueued',
      chunk,
      // Whoever has another initializer has other children.
      key: job.code.startsWith('initializer') ? job.name : job.group,
      task: job.name,
      first: command.first,
      count: command.count,
      marksStarts: work.marksStarts,
      concurrentTasks: job.concurrentTasks,
      group: { id: job.group, slots: this.#slotsOf(command), order: command.order },
      ...(runsOnce(job) ? { runsOnce: true } : {}),
      ...(job.timeoutMs === undefined ? {} : { timeoutMs: job.timeoutMs }),
      ...(job.maxTasksPerChild === undefined ? {} : { maxTasksPerChild: job.maxTasksPerChild }),
    });
  }

  /** One of an older release does not read how many it may use. */
  #slotsOf({ groupSlots }: StartChunk): number | undefined {
    return this.#agent.plan.ignoresGroupSlots === true || groupSlots === 0 ? undefined : groupSlots;
  }

  abort(chunk: number, graceMs: number): void {
    this.#aborted.add(chunk);
    this.step({ type: 'abortRequested', chunk, graceMs });
  }

  step(event: Happening, inHand?: InHand): void {
    this.#events.push({ event, inHand });
    if (this.#isStepping) return;
    this.#isStepping = true;
    const { life } = this.#host;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const stamped = { ...next.event, atMs: this.#host.now() } as PoolEvent;
      for (const command of this.#machine.step(stamped)) {
        this.#carryOut(command, stamped, next.inHand);
        if (this.#host.life !== life) break;
      }
      if (this.#host.life !== life) break;
    }
    this.#isStepping = false;
    if (this.#host.life !== life) {
      this.#events = [];
      return;
    }
    const dueMs = this.#machine.nextDeadlineMs();
    if (this.#timer !== undefined) this.#timer.cancelled = true;
    this.#timer =
      dueMs === undefined ? undefined : this.#host.at(dueMs, () => this.step({ type: 'clockTicked' }));
  }

  #carryOut(command: PoolCommand, event: PoolEvent, inHand: InHand): void {
    switch (command.type) {
      case 'spawnChild': {
        const work = command.chunk === undefined ? undefined : this.#chunks.get(command.chunk);
        if (work !== undefined) this.children.spawn(command.child, work.job);
        return;
      }
      case 'runPart': {
        const work = this.#chunks.get(command.chunk);
        if (work !== undefined) this.children.run(command, work);
        return;
      }
      case 'abortPart':
        this.children.abort(command);
        return;
      case 'stopChild':
        this.children.stop(command.child);
        return;
      case 'retireChild':
        this.children.retire(command.child);
        return;
      case 'killChild':
        this.children.kill(command.child);
        return;
      case 'acceptValues':
        if (event.type === 'itemsSucceeded' && inHand !== undefined && 'values' in inHand) {
          const { chunk, first, count, runMs } = event;
          const bytes = new Uint8Array(Uint32Array.from(inHand.values).buffer);
          this.#core.step(
            { type: 'itemsSucceeded', chunk, first, count, bytes: bytes.byteLength },
            { kind: 'run', first, count, bytes, runMs, pid: 1000 + event.child },
          );
        }
        return;
      case 'acceptFailure':
        if (event.type === 'itemFailed' && inHand !== undefined && 'tried' in inHand) {
          const { chunk, index } = event;
          const { tried } = inHand;
          this.#core.step(
            { type: 'itemFailed', chunk, index, bytes: tried.error.byteLength },
            { kind: 'failure', tried, fact: { pid: tried.pid } },
          );
        }
        return;
      case 'endChunk':
        this.#chunkEnded(command);
        return;
    }
  }

  #chunkEnded({ chunk, ending }: Extract<PoolCommand, { type: 'endChunk' }>): void {
    const work = this.#chunks.get(chunk);
    this.#chunks.delete(chunk);
    this.#aborted.delete(chunk);
    if (work === undefined) return;
    if (ending.kind === 'timedOut') {
      const pid = ending.exit.pid ?? 0;
      const tried = {
        index: ending.index,
        kind: 'timeout',
        retryable: true,
        pid,
        error: noError,
      } as const;
      const event: Untimed<Extract<WorkEvent, { type: 'itemFailed' }>> = {
        type: 'itemFailed',
        chunk,
        index: ending.index,
        bytes: 0,
      };
      this.#core.step(event, { kind: 'failure', tried, fact: { pid, ms: ending.ms } });
    }
    this.#core.step({ type: 'chunkEnded', chunk }, endingNews(ending));
  }
}
