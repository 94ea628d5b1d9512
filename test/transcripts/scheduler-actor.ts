import {
  defaultSchedulerOptions,
  Scheduler,
  type SchedulerEvent,
  type SchedulerOptions,
  type SessionId,
} from '@shoal/scheduler';
import { schedulerCommandText } from './scheduler-command.ts';
import { schedulerEventOf } from './scheduler-event.ts';
import { type Actor, mustNotSleepThrough } from './transcript.ts';
import { timeText, type Words } from './words.ts';

/** The real scheduler, behind the notation of the transcripts. */
export class SchedulerActor implements Actor {
  readonly #scheduler: Scheduler;
  readonly #agents = new Map<SessionId, string>();

  constructor(settings: Words) {
    const names = Object.keys(defaultSchedulerOptions) as Array<keyof SchedulerOptions>;
    this.#scheduler = new Scheduler(settings.numbers(...names));
  }

  hear(atMs: number, words: Words): string[] {
    const verb = words.take('what happens');
    if (verb === 'ask') return [this.#answer(words)];
    const event = { ...schedulerEventOf(verb, words), atMs } as SchedulerEvent;
    // A stall is what a driver sleeps through.
    if (event.type !== 'stallObserved') mustNotSleepThrough(this.#scheduler.nextDeadlineMs(), atMs);
    if (event.type === 'agentJoined') this.#agents.set(event.session, event.agent);
    const commands = this.#scheduler.step(event);
    this.#scheduler.check();
    return commands.map((command) => schedulerCommandText(command, (session) => this.#agentOf(session)));
  }

  /** What a person may want to know between two steps. */
  #answer(words: Words): string {
    const what = words.take('waiting, agent or deadline');
    switch (what) {
      case 'waiting':
        return this.#scheduler.progress(words.take('the job'))?.waitingFor ?? 'it does not wait';
      case 'agent': {
        const name = words.take('the agent');
        const found = this.#scheduler.snapshot().agents.find(({ agent }) => agent === name);
        if (found === undefined) return 'no such agent';
        return `${found.state}, holds ${found.attempts}, silent for ${timeText(found.silentForMs)}`;
      }
      case 'deadline': {
        const atMs = this.#scheduler.nextDeadlineMs();
        return atMs === undefined ? 'never' : timeText(atMs);
      }
      default:
        throw new Error(`nobody can answer "${what}"`);
    }
  }

  #agentOf(session: SessionId): string {
    return this.#agents.get(session) ?? 'nobody';
  }
}
