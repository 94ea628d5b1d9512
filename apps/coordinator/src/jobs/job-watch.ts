import type { JobInfo, WatchJobResponse } from '@shoal/protocol';
import type { Job } from './job.ts';
import { type MessageSink, StreamWriter } from './stream-writer.ts';

const lookMs = 250;

/** One WatchJob stream: where the job stands, now, when that has changed, and at its end. */
export class JobWatch {
  readonly #writer: StreamWriter<WatchJobResponse>;
  readonly #timer: NodeJS.Timeout;
  readonly #unwatch: () => void;
  readonly #info: () => JobInfo;
  #shown = '';

  constructor(job: Job, sink: MessageSink<WatchJobResponse>, info: () => JobInfo) {
    this.#info = info;
    this.#writer = new StreamWriter(sink);
    this.#timer = setInterval(() => this.#show(), lookMs);
    this.#unwatch = job.watch(() => this.#finish());
    if (job.end === undefined) this.#show();
    else this.#finish();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#unwatch();
  }

  #show(): void {
    if (!this.#writer.ready) return;
    const job = this.#info();
    const shown = JSON.stringify(job, (_, value: unknown) => (value instanceof Uint8Array ? '' : value));
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#writer.write({ job });
  }

  #finish(): void {
    this.stop();
    this.#writer.write({ job: this.#info() });
    this.#writer.end();
  }
}
