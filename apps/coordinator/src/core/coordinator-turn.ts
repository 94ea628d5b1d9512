import type { SchedulerEvent } from '@shoal/scheduler';
import type { CoordinatorCommand } from './coordinator-command.ts';

/** An event of the scheduler before it is given the time of its step. */
export type Untimed<E = SchedulerEvent> = E extends SchedulerEvent ? Omit<E, 'atMs'> : never;

/** One step while it is made: its time, the commands so far, and what the scheduler still has to hear. */
export class CoordinatorTurn {
  /** The driver's time; never goes back. */
  nowMs = 0;
  #commands: CoordinatorCommand[] = [];
  readonly #forScheduler: Untimed[] = [];

  begin(atMs: number): void {
    this.nowMs = Math.max(this.nowMs, atMs);
  }

  emit(command: CoordinatorCommand): void {
    this.#commands.push(command);
  }

  /** The scheduler hears of it next: after the commands of what it heard before. */
  tellScheduler(event: Untimed): void {
    this.#forScheduler.push(event);
  }

  takeForScheduler(): Untimed | undefined {
    return this.#forScheduler.shift();
  }

  takeCommands(): CoordinatorCommand[] {
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }
}
