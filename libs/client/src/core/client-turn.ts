import type { ClientCommand } from './client-command.ts';
import type { CallNumber } from './client-event.ts';

/** One step while it is made: its time, its commands, the numbers of the calls that it opens. */
export class ClientTurn {
  /** The driver's time; never goes back. */
  nowMs = 0;
  /** Nothing is done any more. */
  isOver = false;
  #calls = 0;
  #commands: ClientCommand[] = [];

  begin(atMs: number): void {
    this.nowMs = Math.max(this.nowMs, atMs);
  }

  emit(command: ClientCommand): void {
    this.#commands.push(command);
  }

  newCall(): CallNumber {
    this.#calls += 1;
    return this.#calls;
  }

  takeCommands(): ClientCommand[] {
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }
}
