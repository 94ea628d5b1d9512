import type { Link } from '../network.ts';
import { must } from '../violation.ts';
import type { World } from '../world.ts';

/** An agent without an answer for so long stops what it runs, and a little later it has stopped. */
const abandonMs = 64_000;

/** What is left over when all is done: nothing. */
export class Leaks {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Soon after the last job: no slot is used, nothing is spooled, no child too many. */
  checkSlots(): void {
    const { agents, jobs } = this.#world.coordinator.snapshot().scheduler;
    must(jobs.length === 0, 'G28', () => `the scheduler still has ${jobs.map(({ job }) => job)}`);
    for (const { agent, attempts } of agents) {
      must(attempts === 0, 'G28', () => `${agent} still has ${attempts} attempts`, { agent });
    }
    for (const agent of this.#world.agents) {
      // One that finds its name taken holds what it has for as long as it may hope to be heard.
      const mayHope = !agent.hasSession && agent.host.now() - agent.provenAtMs < abandonMs;
      if (!agent.host.isAlive || mayHope) continue;
      const { name } = agent.plan;
      const { slots } = agent;
      const left = {
        'attempts held': agent.attemptsHeld,
        chunks: agent.chunksHeld,
        'calls that run': agent.children.running().length,
        'pieces of news': agent.newsHeld,
        'children too many': Math.max(0, agent.children.count - slots),
      };
      for (const [what, count] of Object.entries(left)) {
        must(count === 0, 'G28', () => `${name} still has ${count} ${what}`, { agent: name });
      }
    }
  }

  /** And when nobody can ask for the jobs any more: nothing at all. */
  checkLeftovers(): void {
    const { agents, clients, coordinator } = this.#world;
    const { heldBytes, leftovers } = coordinator;
    must(heldBytes === 0, 'G28', () => `the coordinator still holds ${heldBytes} bytes`);
    must(leftovers.length === 0, 'G28', () => `the coordinator still has ${leftovers.join(', ')}`);
    // An agent that is there keeps its streams, a client that has its results needs none.
    for (const { link } of agents) this.#checkStreams(link, 4);
    for (const { link } of clients) this.#checkStreams(link, 0);
  }

  #checkStreams({ name, streams: { size } }: Link, most: number): void {
    must(size <= most, 'G28', () => `${name} still has ${size} streams`);
  }
}
