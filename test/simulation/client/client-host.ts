import { Host } from '../host.ts';
import { Link } from '../network.ts';
import type { ClientPlan, JobPlan } from '../scenario.ts';
import type { World } from '../world.ts';
import { ClientJob } from './client-job.ts';
import type { Replacement } from './successor.ts';

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

  /** Another process, which knows no more than the job's id and how far the first one came, goes on with its jobs. */
  replace(how: Replacement): void {
    for (const job of this.jobs) job.replace(how);
  }

  /** It is gone for good, with all that it wanted; `silent`: machine and all, so that nobody closes its connections. */
  crash(silent: boolean): void {
    for (const job of this.jobs) job.vanish(silent);
    this.host.die();
  }
}
