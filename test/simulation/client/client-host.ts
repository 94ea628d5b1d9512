import { Host } from '../host.ts';
import { Link } from '../network.ts';
import type { ClientPlan, JobPlan } from '../scenario.ts';
import type { World } from '../world.ts';
import { ClientJob } from './client-job.ts';

/** A machine with a client on it, which has one job or several. */
export class ClientHost {
  readonly plan: ClientPlan;
  readonly host: Host;
  readonly link: Link;
  readonly jobs: ClientJob[] = [];
  readonly #world: World;

  constructor(plan: ClientPlan, world: World) {
    this.plan = plan;
    this.#world = world;
    this.host = new Host(plan.name, world.clock, plan.clockOffsetMs);
    this.link = new Link(plan.name, plan.latencyMs);
  }

  submit(plan: JobPlan): ClientJob {
    const job = new ClientJob(plan, this, this.#world);
    this.jobs.push(job);
    return job;
  }

  /** It is gone for good, with all that it wanted. */
  crash(): void {
    for (const job of this.jobs) job.vanish();
    this.host.die();
  }
}
