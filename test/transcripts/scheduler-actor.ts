import {
  defaultSchedulerOptions,
  Scheduler,
  type SchedulerEvent,
  type SchedulerOptions,
  type SessionId,
} from '@shoal/scheduler';
import { schedulerCommandText } from './scheduler-command.ts';
import { schedulerEventOf } from './scheduler-event.ts';
import type { Actor } from './transcript.ts';
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
    this.#mustNotSleepThrough(event);
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

  /** A driver ticks when it was told to. A transcript in which it does not would show what can never happen. */
  #mustNotSleepThrough({ type, atMs }: SchedulerEvent): void {
    const deadlineMs = this.#scheduler.nextDeadlineMs();
    if (type === 'stallObserved' || deadlineMs === undefined || deadlineMs >= atMs) return;
    throw new Error(`the scheduler wants a clockTicked at ${timeText(deadlineMs)}, before this`);
  }

  #agentOf(session: SessionId): string {
    return this.#agents.get(session) ?? 'nobody';
  }
}
