import type { BackendProgress } from '../job-backend.ts';
import type { MapProgress } from '../options/options.ts';
import { callUser } from './user-callback.ts';

type Speculation = Pick<BackendProgress, 'speculated' | 'speculationWins'>;

// Ten times a second is as often as a person can read it.
const intervalMs = 100;

/** Counts a job's outcomes and tells a callback where the job stands: at most every 100 ms, and once at the end. */
export class ProgressMeter {
  readonly #tell: ((progress: MapProgress) => void) | undefined;
  readonly #total: () => number | undefined;
  #done = 0;
  #failed = 0;
  #running = 0;
  #retried = 0;
  #speculation: Speculation | undefined;
  #waitingFor: string | undefined;
  #toldAtMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: ((progress: MapProgress) => void) | undefined, total: () => number | undefined) {
    this.#tell = tell;
    this.#total = total;
  }

  get now(): MapProgress {
    return {
      total: this.#total(),
      done: this.#done,
      failed: this.#failed,
      running: this.#running,
      retried: this.#retried,
      ...this.#speculation,
      ...(this.#waitingFor === undefined ? {} : { waitingFor: this.#waitingFor }),
    };
  }

  succeeded(count: number): void {
    this.#done += count;
    this.#changed();
  }

  failed(): void {
    this.#failed += 1;
    this.#changed();
  }

  /** So many that were said to have succeeded have not. */
  tookBack(count: number): void {
    this.#done -= count;
    this.#failed += count;
    this.#changed();
  }

  backendSaid({ running, retried, speculated, speculationWins, waitingFor }: BackendProgress): void {
    const isNews =
      running !== this.#running ||
      retried !== this.#retried ||
      speculated !== (this.#speculation?.speculated ?? 0) ||
      speculationWins !== (this.#speculation?.speculationWins ?? 0) ||
      waitingFor !== this.#waitingFor;
    if (!isNews) return;
    this.#running = running;
    this.#retried = retried;
    // Most jobs have none, and need not be told so.
    this.#speculation = speculated === 0 ? undefined : { speculated, speculationWins };
    this.#waitingFor = waitingFor;
    this.#changed();
  }

  ended(): void {
    this.#running = 0;
    this.#waitingFor = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#say();
  }

  #changed(): void {
    if (this.#tell === undefined || this.#timer !== undefined) return;
    const waitMs = Math.max(0, this.#toldAtMs + intervalMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#say();
    }, waitMs).unref();
  }

  #say(): void {
    const tell = this.#tell;
    if (tell === undefined) return;
    this.#toldAtMs = performance.now();
    callUser('onProgress', () => tell(this.now));
  }
}
