import { countedText } from '@shoal/errors';
import type { Note } from '@shoal/scheduler';
import type { Log } from '../log.ts';

/** Something that happened, as it is logged and as watchers are told. */
export interface ClusterEvent {
  readonly unixMs: number;
  /** Such as `agent.lost`. */
  readonly event: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** A sentence. */
  readonly message: string;
}

/**
 * What happens in the cluster, told once: to the log and to whoever watches.
 *
 * | event | level | facts |
 * |---|---|---|
 * | `coordinator.started`, `coordinator.stopping` | info | address, epoch |
 * | `coordinator.stalled` | warn | stalledMs |
 * | `agent.joined`, `agent.left`, `agent.disconnected` | info | agent, session, slots |
 * | `agent.disconnected` | warn | agent, session, code: its session was ended with an error |
 * | `agent.refused` | warn | agent, code |
 * | `call.failed` | warn, error | code, path, peer, times (since the last line) |
 * | `coordinator.fault`, `core.failed` | error | kind (of a message), step (an event); the log has stack and story |
 * | `agent.lost`, `agent.quarantined` | warn | agent, silentForMs, items, forMs |
 * | `job.created`, `job.ended` | info | job, task, state, succeeded, failed |
 * | `job.retried` | info | job, items, why |
 * | `job.speculated` | info | job, items, straggler, agent |
 * | `attempt.unconfirmed`, `result.refused` | warn, debug | attempt, items |
 * | `print.unread` | info | job, agent, pid; the message is what was printed |
 * | `print.refused` | warn | job, agent: it had no work of that job; once a session |
 * | `coordinator.insecure` | warn | address |
 * | `http.unavailable` | warn | address, code |
 * | `limit.reached` | warn | limit, peer, times (since the last line) |
 * | `access.refused` | warn | code, path, peer, refusals (since the last line) |
 * | `token.created`, `token.revoked`, `certificate.issued` | info | id, role, name, ttlMs |
 * | `certificate.replaced` | info | until |
 * | `certificate.revoked` | info | entries, ended (calls) |
 * | `tokens.replaced`, `tokens.refused` | info, warn | tokens, ended (calls), reason |
 * | `certificate.expiring`, `certificate.refused` | warn | file, until, reason |
 * | `bundle.stored`, `bundle.named` | info | sha256, bytes, name |
 */
export class EventFeed {
  readonly #log: Log;
  readonly #watchers = new Set<(event: ClusterEvent) => void>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Hears every event from now on. Returns how to stop. */
  watch(watcher: (event: ClusterEvent) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** `details` are logged, and told to no watcher. */
  tell(
    event: string,
    facts: ClusterEvent['facts'],
    message: string,
    level: 'debug' | 'info' | 'warn' | 'error' = 'info',
    details: object = {},
  ): void {
    this.#log[level]({ event, ...facts, ...details }, message);
    const told = { unixMs: Date.now(), event, facts, message };
    for (const watcher of this.#watchers) watcher(told);
  }

  /** What the scheduler found worth a line. */
  note(note: Note['note']): void {
    switch (note.what) {
      case 'agentLost': {
        const { agent, silentForMs, items } = note;
        const silence = `${Math.round(silentForMs / 1000)} s`;
        this.tell(
          'agent.lost',
          { agent, silentForMs: Math.round(silentForMs), items },
          `agent ${agent} silent for ${silence}; its ${unfinished(items)} elsewhere`,
          'warn',
        );
        return;
      }
      case 'agentQuarantined': {
        const { agent, forMs } = note;
        const message = `agent ${agent} came and went too often; it gets no work for ${Math.round(forMs / 1000)} s`;
        // A difference of two times of a clock with fractions: 1999.9999999999995 is no figure for a log.
        this.tell('agent.quarantined', { agent, forMs: Math.round(forMs) }, message, 'warn');
        return;
      }
      case 'protocolBroken': {
        const { agent, said, items } = note;
        const message = `agent ${agent} broke the protocol: ${said}; its ${unfinished(items)} elsewhere`;
        this.tell('agent.expelled', { agent, said, items }, message, 'error');
        return;
      }
      case 'resultRefused': {
        const { attempt, items } = note;
        const message = `${countedText(items, 'result')} of attempt ${attempt} came too late or twice; dropped`;
        this.tell('result.refused', { attempt, items }, message, 'debug');
        return;
      }
      case 'itemsRetried': {
        const { job, items, why } = note;
        this.tell(
          'job.retried',
          { job, items, why },
          `${countedText(items, 'item')} of job ${job} ${items === 1 ? 'runs' : 'run'} again: ${why}`,
        );
        return;
      }
      case 'itemsSpeculated': {
        const { job, items, straggler, agent } = note;
        const words = items === 1 ? ['lags', 'it runs'] : ['lag', 'they run'];
        const what = `${countedText(items, 'item')} of job ${job} ${words[0]} on agent ${straggler}`;
        const message = `${what}; ${words[1]} on ${agent} too`;
        this.tell('job.speculated', { job, items, straggler, agent }, message);
        return;
      }
      case 'dispatchUnconfirmed': {
        const { attempt } = note;
        const message = `no heartbeat listed attempt ${attempt}; its items are queued again`;
        this.tell('attempt.unconfirmed', { attempt }, message, 'warn');
        return;
      }
      default:
        note satisfies never;
    }
  }
}

const unfinished = (items: number): string =>
  `${countedText(items, 'unfinished item')} ${items === 1 ? 'runs' : 'run'}`;
