import type { Dispatch, KeepResults, ResultBytes } from '@shoal/scheduler';
import type { AgentHost } from '../agent/agent-host.ts';
import { must } from '../violation.ts';
import type { World } from '../world.ts';
import type { Drains } from './drains.ts';
import type { Executions } from './executions.ts';
import type { JobBooks } from './job-book.ts';

interface HandedOut {
  readonly job: string;
  readonly agent: string;
  readonly first: number;
  readonly count: number;
}

/** Attempts: each goes out once, starts once, where it was sent, and gives values only while it has the items. */
export class Attempts {
  readonly #world: World;
  readonly #books: JobBooks;
  readonly #executions: Executions;
  readonly #drains: Drains;
  /** By epoch and attempt. */
  readonly #handedOut = new Map<string, HandedOut>();
  readonly #started = new Set<string>();

  constructor(world: World, books: JobBooks, executions: Executions, drains: Drains) {
    this.#world = world;
    this.#books = books;
    this.#executions = executions;
    this.#drains = drains;
  }

  /** An attempt goes out. */
  dispatched(dispatch: Dispatch, epoch: number): void {
    const { attempt, agent, first, count, job } = dispatch;
    const key = `${epoch}/${attempt}`;
    const plan = this.#books.planOf(job);
    const about = { job: plan?.name ?? job, index: first, attempt, agent };
    must(!this.#handedOut.has(key), 'G13', () => `attempt ${attempt} is handed out twice`, about);
    this.#handedOut.set(key, { job, agent, first, count });
    must(!this.#drains.has(agent), 'G27', () => `${agent} drains and gets attempt ${attempt}`, about);
    if (plan === undefined) return;
    const book = this.#books.of(plan.name);
    must(book.endedAtMs === undefined, 'G25', () => `${plan.name} is over and is handed out`, about);
    for (const [label, value] of Object.entries(plan.labels)) {
      const has = this.#world.agentPlan(agent)?.labels[label];
      must(has === value, 'structure', () => `${agent} has no label ${label}=${value}`, about);
    }
    for (let index = first; index < first + count; index += 1) {
      const latest = book.latest[index];
      if (latest === undefined) continue;
      must(book.kept[index] === 0, 'G12', () => `${plan.name}[${index}] has its value and is run again`, {
        ...about,
        index,
      });
      latest[1] = latest[0];
      latest[0] = attempt;
    }
  }

  /** An agent gives an attempt to its pool. */
  started(agent: AgentHost, given: { attempt: number; epoch: number; job: string }): void {
    const { attempt, epoch } = given;
    const key = `${epoch}/${attempt}`;
    const about = { attempt, agent: agent.plan.name };
    must(!this.#started.has(key), 'G13', () => `attempt ${attempt} is started twice`, about);
    this.#started.add(key);
    const out = this.#handedOut.get(key);
    must(
      out !== undefined && out.agent === agent.joinsAs,
      'G13',
      () => `${agent.plan.name} starts attempt ${attempt} of epoch ${epoch}, which was never handed to it`,
      about,
    );
    // By its own clock: a machine that sleeps cannot know for how long.
    const unprovenMs = agent.host.now() - agent.provenAtMs;
    const fenceMs = agent.fenceMs;
    must(
      unprovenMs <= fenceMs + 1,
      'G17',
      () =>
        `${agent.plan.name} starts attempt ${attempt} after ${Math.round(unprovenMs)} ms without an answer`,
      about,
    );
  }

  /** The coordinator takes values: from the one attempt that has the items now. */
  kept({ job, first, count }: KeepResults, run: ResultBytes, epoch: number): void {
    const plan = this.#books.planOf(job);
    if (plan === undefined) return;
    const book = this.#books.of(plan.name);
    const values = new Uint32Array(run.bytes.buffer, run.bytes.byteOffset, run.count);
    for (let index = first; index < first + count; index += 1) {
      const execution = this.#executions.find(values[index - run.first] as number);
      const about = {
        job: plan.name,
        index,
        ...(execution === undefined ? {} : { attempt: execution.attempt }),
      };
      const latest = book.latest[index];
      const isCurrent =
        execution !== undefined &&
        (execution.attempt === latest?.[0] || (plan.pure && execution.attempt === latest?.[1]));
      must(
        execution?.epoch === epoch && isCurrent,
        'G12',
        () =>
          `${plan.name}[${index}] is accepted from attempt ${execution?.attempt}, it is with ${latest?.[0]}`,
        about,
      );
      must(book.kept[index] === 0, 'G3', () => `${plan.name}[${index}] is accepted twice`, about);
      book.kept[index] = execution?.id ?? 0;
    }
  }
}
