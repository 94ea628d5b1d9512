import type { AgentCommand, Note } from './agent-command.ts';

/** One step of the machine: when it is, and what it has asked for so far. */
export class Turn {
  nowMs = 0;
  #commands: AgentCommand[] = [];

  /** A clock that goes back stands still. */
  begin(atMs: number): void {
    this.nowMs = Math.max(this.nowMs, atMs);
  }

  emit(command: AgentCommand): void {
    this.#commands.push(command);
  }

  note(note: Note['note']): void {
    this.#commands.push({ type: 'note', note });
  }

  take(): AgentCommand[] {
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }
}
