import type { SchedulerCommand } from '../command.ts';
import type { Job } from './job.ts';

/** One step while it is made: its time, the commands so far, the jobs that it changed. */
export class Turn {
  /** The driver's time; never goes back. */
  nowMs = 0;
  #commands: SchedulerCommand[] = [];
  #touched: Job[] = [];

  /** Begins a step. */
  begin(atMs: number): void {
    this.nowMs = Math.max(this.nowMs, atMs);
  }

  emit(command: SchedulerCommand): void {
    this.#commands.push(command);
  }

  /** Has a job looked at before the step ends. */
  touch(job: Job): void {
    if (job.touched) return;
    job.touched = true;
    this.#touched.push(job);
  }

  /** The jobs to look at, in the order in which they were touched. */
  takeTouched(): Job[] {
    const touched = this.#touched;
    if (touched.length > 0) this.#touched = [];
    for (const job of touched) job.touched = false;
    return touched;
  }

  /** Ends a step. */
  takeCommands(): SchedulerCommand[] {
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }
}
