import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { dropUnread } from '../output.ts';
import type { JobDeadline } from './job-deadline.ts';

/** What it has from the end of its command on to take what is there: a busy machine is slow. */
const hurriedMs = 500;

/**
 * Whoever reads stderr: where the prints of tasks go, and what is said of a job.
 *
 * One who takes nothing holds the job up, as he would any command that writes to him: its prints would fill the memory
 * otherwise. Only its deadline and a signal end that.
 */
export class StderrReader {
  readonly #stream: Writable;
  readonly #hurried: AbortController = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  /** The deadline counts after the job, too: for what is said at its end. */
  constructor(stream: Writable, deadline: JobDeadline) {
    this.#stream = stream;
    deadline.alarmAside((error) => this.hurry(error));
  }

  /** Resolves when it is behind no more, or gone. Rejects with the error of {@link hurry}. */
  async caughtUp(): Promise<void> {
    const { signal } = this.#hurried;
    while (this.#stream.writableNeedDrain && this.#stream.errored === null) {
      await once(this.#stream, 'drain', { signal }).catch(() => {});
      if (signal.aborted) throw signal.reason;
    }
  }

  /** From now on it is waited for no longer than half a second; then what it has not taken is dropped with the process. */
  hurry(error: Error): void {
    this.#timer ??= setTimeout(() => {
      dropUnread(this.#stream);
      this.#hurried.abort(error);
    }, hurriedMs).unref();
  }
}
