import { setTimeout as sleep } from 'node:timers/promises';
import type { Soaked, Struck } from './findings.ts';
import { type Sample, sampleOf } from './sampler.ts';
import { canComeBeside, type Fault, scheduleOf, type Target } from './schedule.ts';
import { Missed, strikes } from './strikes.ts';
import { SoakWorld } from './world.ts';

/** What a soak is asked for. */
export interface SoakOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly items: number;
  /** Hears what goes on, now and then. */
  readonly say?: (line: string) => void;
  /** Ends it early, and everything with it. */
  readonly signal?: AbortSignal;
}

/** As many as last so long when half an hour has 200,000. */
export const itemsIn = (minutes: number): number => Math.round((minutes * 200_000) / 30);

/** A job that takes so much longer than it was meant to is stuck. */
const lateMax = (forMs: number): number => forMs * 0.5 + 180_000;
const wellWithinMs = 120_000;
const sampleEveryMs = (minutes: number): number => (minutes > 5 ? 5_000 : 2_000);

/** One job, and faults for as long as it runs. */
export class Soak {
  readonly #options: SoakOptions;
  readonly #world: SoakWorld;
  readonly #forMs: number;
  readonly #over = new AbortController();
  readonly #samples: Sample[] = [];
  readonly #struck: Struck[] = [];
  /** Faults that are under way. */
  readonly #busy = new Map<Target, Promise<void>>();
  #startMs = 0;

  private constructor(options: SoakOptions, world: SoakWorld) {
    this.#options = options;
    this.#world = world;
    this.#forMs = options.minutes * 60_000;
  }

  static async run(options: SoakOptions): Promise<Soaked> {
    await using world = await SoakWorld.start(options.seed);
    // Not before it is done may the world be left.
    return await new Soak(options, world).#run();
  }

  async #run(): Promise<Soaked> {
    const { items, minutes, seed, say, signal } = this.#options;
    const world = this.#world;
    if (!world.hasNetwork)
      say?.('No right to make networks: where packets would be lost, bytes are held back.');
    signal?.throwIfAborted();
    await world.startClient({ items, forMs: this.#forMs });
    this.#startMs = performance.now();
    const done = world.client.ended.then((code) => this.#over.abort(code));
    signal?.addEventListener('abort', () => world.client.signal('SIGKILL'), { once: true });
    const deadlineMs = this.#forMs + lateMax(this.#forMs);
    const stuck = setTimeout(() => this.#giveUp(deadlineMs), deadlineMs);
    const sampling = this.#sample();
    await this.#strikeAll(scheduleOf(seed, this.#forMs));
    await done;
    clearTimeout(stuck);
    const tookMs = this.#elapsedMs();
    signal?.throwIfAborted();
    await Promise.all([...this.#busy.values(), sampling]);
    const leak = await this.#whatIsLeft();
    const last = world.client.events('client.done').at(-1) ?? world.client.events('client.progress').at(-1);
    const count = (name: string): number => Number(last?.[name] ?? 0);
    const complaints = [...world.complaints];
    if (world.client.events('client.done').length === 0)
      complaints.push(`the client ended with ${await world.client.ended}: ${world.client.complaints}`);
    return {
      seed,
      minutes,
      items,
      client: {
        done: count('done'),
        wrong: count('wrong'),
        failed: count('failed'),
        workMs: count('workMs'),
      },
      clientSaid: [...world.client.events('client.failed'), ...world.client.events('client.wrong')].map(
        ({ msg }) => msg,
      ),
      tookMs,
      faults: this.#struck,
      starts: world.cluster.book.starts(items),
      samples: this.#samples,
      complaints,
      leak,
      events: eventsOf(world),
      hasNetwork: world.hasNetwork,
    };
  }

  async #strikeAll(faults: readonly Fault[]): Promise<void> {
    for (const fault of faults) {
      await this.#rest(fault.atMs - this.#elapsedMs());
      if (this.#over.signal.aborted) return;
      if (canComeBeside(fault.kind, fault.target)) {
        await this.#strike(fault);
        continue;
      }
      const before = this.#busy.get(fault.target);
      if (before !== undefined) {
        this.#note(fault, this.#elapsedMs(), 'what struck its target before is not over');
        continue;
      }
      const strike = this.#strike(fault).finally(() => this.#busy.delete(fault.target));
      this.#busy.set(fault.target, strike);
    }
  }

  async #strike(fault: Fault): Promise<void> {
    const struckMs = this.#elapsedMs();
    try {
      await strikes[fault.kind]({ ...fault, world: this.#world, over: this.#over.signal });
      this.#note(fault, struckMs);
    } catch (error) {
      if (error instanceof Missed) this.#note(fault, struckMs, error.message);
      else this.#world.complaints.push(`${fault.kind}, ${fault.target}: ${String(error)}`);
    }
  }

  #note(fault: Fault, struckMs: number, missed?: string): void {
    const endedMs = this.#elapsedMs();
    this.#struck.push({ ...fault, struckMs, endedMs, ...(missed === undefined ? {} : { missed }) });
  }

  async #sample(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const sample = await sampleOf(this.#world, this.#elapsedMs());
      this.#samples.push(sample);
      if (this.#samples.length % 5 === 0) this.#options.say?.(this.#line(sample));
      await this.#rest(sample.atMs + sampleEveryMs(this.#options.minutes) - this.#elapsedMs());
    }
  }

  #line({ atMs, done, needs, status }: Sample): string {
    const struck = this.#struck.filter(({ missed }) => missed === undefined).length;
    const agents = status === undefined ? 'no answer' : `${status.agents} agents`;
    const memory = `coordinator ${Math.round(needs.coordinator?.rssMiB ?? 0)} MiB`;
    const at = `${(atMs / 60_000).toFixed(1)} min`;
    return `${at}: ${done} of ${this.#options.items} items, ${struck} faults, ${agents}, ${memory}`;
  }

  /** When all is well again: what of all that is left? */
  async #whatIsLeft(): Promise<string | undefined> {
    try {
      await this.#world.untilWell(wellWithinMs);
      await this.#world.leavesNothing();
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #giveUp(deadlineMs: number): void {
    const { client, cluster } = this.#world;
    this.#world.complaints.push(`the job is not done after ${Math.round(deadlineMs / 1000)} s`);
    this.#options.say?.(
      `STUCK. The client: ${client.story()}\nThe coordinator: ${cluster.coordinator.story()}`,
    );
    client.signal('SIGKILL');
  }

  #elapsedMs(): number {
    return Math.round(performance.now() - this.#startMs);
  }

  async #rest(ms: number): Promise<void> {
    await sleep(Math.max(0, ms), undefined, { signal: this.#over.signal }).catch(() => {});
  }
}

/** How often the coordinator said what. */
function eventsOf({ cluster }: SoakWorld): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { event } of cluster.coordinator.logged) counts[event] = (counts[event] ?? 0) + 1;
  return counts;
}
