import type { SchedulerCommand } from '../command.ts';
import type { Job } from './job.ts';

/** One step while it is made: its time, the commands so far, the jobs that it changed. */
export class Turn {
  /** The driver's time; never goes back. */
  nowMs = 0;
  /** Undefined as long as there are none. */
  #commands: SchedulerCommand[] | undefined;
  /** The jobs to look at are a list, each with the next one written in itself. */
  #firstTouched: Job | undefined;
  #lastTouched: Job | undefined;

  /** Begins a step. */
  begin(atMs: number): void {
    this.nowMs = Math.max(this.nowMs, atMs);
  }

  emit(command: SchedulerCommand): void {
    // An array that is made with its first member takes no more room than that: most steps give one.
    if (this.#commands === undefined) this.#commands = [command];
    else this.#commands.push(command);
  }

  /** Has a job looked at before the step ends. */
  touch(job: Job): void {
    if (job.touched) return;
    job.touched = true;
    if (this.#lastTouched === undefined) this.#firstTouched = job;
    else this.#lastTouched.touchedNext = job;
    this.#lastTouched = job;
  }

  /** The next job to look at, in the order in which they were touched. */
  nextTouched(): Job | undefined {
    const job = this.#firstTouched;
    if (job === undefined) return undefined;
    this.#firstTouched = job.touchedNext;
    if (job.touchedNext === undefined) this.#lastTouched = undefined;
    job.touchedNext = undefined;
    job.touched = false;
    return job;
  }

  /** Ends a step. */
  takeCommands(): SchedulerCommand[] {
    const commands = this.#commands;
    if (commands === undefined) return [];
    this.#commands = undefined;
    return commands;
  }
}
