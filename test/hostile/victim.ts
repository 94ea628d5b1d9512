import { execFileSync } from 'node:child_process';
import { connect } from 'shoal';
import { Service } from '../chaos/service.ts';
import { until } from '../cli/command.testkit.ts';

/** What a process has in memory, in MiB. */
export interface Memory {
  /** Pages that are resident: the program, what is alive, and room that V8 and the allocator keep. */
  readonly rss: number;
  /** Room of V8's heap, used or not. */
  readonly heap: number;
  /** Objects and buffers that a collection leaves. */
  readonly alive: number;
}

const probe = new URL('memory-probe.ts', import.meta.url).href;
const mib = 2 ** 20;

/** A coordinator and an agent as users start them, which somebody attacks. */
export class Victim {
  readonly address: string;
  readonly coordinator: Service;
  readonly #agent: Service;

  private constructor(address: string, coordinator: Service, agent: Service) {
    this.address = address;
    this.coordinator = coordinator;
    this.#agent = agent;
  }

  /** `flags` are those of the coordinator. */
  static async start(flags: readonly string[] = []): Promise<Victim> {
    const args = ['coordinator', '--listen', '127.0.0.1:0', ...flags];
    const coordinator = Service.start({ args, env: { NODE_OPTIONS: `--import ${probe}` } });
    const started = await coordinator.event('coordinator.started', 60_000);
    const address = String(started['address']);
    const agent = Service.start({ args: ['agent', '--join', address, '--processes', '1'], env: {} });
    await coordinator.event('agent.joined', 60_000);
    return new Victim(address, coordinator, agent);
  }

  /** What the coordinator has in memory; what is resident is looked at before anything is collected. */
  async memory(): Promise<Memory> {
    const rss = execFileSync('ps', ['-o', 'rss=', '-p', String(this.coordinator.pid)], { encoding: 'utf8' });
    const before = this.coordinator.events('memory.read').length;
    this.coordinator.signal('SIGUSR2');
    const read = await until(
      'its memory is read',
      () => this.coordinator.events('memory.read')[before],
      () => this.coordinator.story(),
      60_000,
    );
    return {
      rss: Number(rss) / 1024,
      heap: Number(read['heapTotal']) / mib,
      alive: Number(read['alive']) / mib,
    };
  }

  /** Whether it still does what it is there for: a job of a client that means well. */
  async works(items: number = 20): Promise<boolean> {
    await using pool = await connect(this.address);
    const squares = await pool.map(
      (x: number) => x * x,
      Array.from({ length: items }, (_, at) => at),
    );
    return squares.every((square, at) => square === at * at);
  }

  async stop(): Promise<void> {
    await this.#agent.kill();
    await this.coordinator.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
