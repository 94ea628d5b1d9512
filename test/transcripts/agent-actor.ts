import { type AgentEvent, type AgentLimits, AgentMachine, defaultLimits } from '@shoal/node-agent/core';
import { agentCommandText } from './agent-command.ts';
import { agentEventOf } from './agent-event.ts';
import { type Actor, mustNotSleepThrough } from './transcript.ts';
import { timeText, type Words } from './words.ts';

/** The real core of an agent, behind the notation of the transcripts. */
export class AgentActor implements Actor {
  readonly #machine: AgentMachine;

  constructor(settings: Words) {
    const names = Object.keys(defaultLimits) as Array<keyof AgentLimits>;
    const seed = settings.number('seed') ?? 1;
    this.#machine = new AgentMachine({ instance: 'life-1', seed, limits: settings.numbers(...names) });
  }

  hear(atMs: number, words: Words): string[] {
    // A process that was suspended cannot tick: what comes first after that comes late.
    const isLate = words.flag('late');
    const verb = words.take('what happens');
    if (verb === 'ask') return [this.#answer(words)];
    if (!isLate) mustNotSleepThrough(this.#machine.nextDeadlineMs(), atMs);
    const event = { ...agentEventOf(verb, words), atMs } as AgentEvent;
    const commands = this.#machine.step(event);
    this.#machine.check();
    return commands.map(agentCommandText);
  }

  /** What a person may want to know between two steps. */
  #answer(words: Words): string {
    const what = words.take('state, outbox or deadline');
    const { state, departure, isFenced, outbox } = this.#machine.snapshot();
    switch (what) {
      case 'state':
        return `${state}, ${departure}, ${isFenced ? 'fenced' : 'not fenced'}`;
      case 'outbox':
        return `${outbox.entries} news, ${outbox.bytes} bytes, ${outbox.isFull ? 'full' : 'not full'}`;
      case 'deadline': {
        const atMs = this.#machine.nextDeadlineMs();
        return atMs === undefined ? 'never' : timeText(atMs);
      }
      default:
        throw new Error(`nobody can answer "${what}"`);
    }
  }
}
