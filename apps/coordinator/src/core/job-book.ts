import type { EndJob, JobId } from '@shoal/scheduler';
import type { JobEnding, Refusal } from './coordinator-command.ts';
import type {
  CallId,
  CancelReceived,
  ConnectionName,
  JobReleased,
  JobRequested,
  StorageFailed,
} from './coordinator-event.ts';
import { type CoordinatorLimits, defaultEndedJobsMax } from './coordinator-limits.ts';
import type { CoordinatorTurn } from './coordinator-turn.ts';
import { JobRecord } from './job-record.ts';
import { Vigil } from './vigil.ts';

/** So many jobs that were given up are remembered. */
const givenUpMax = 1_000;

/**
 * The jobs that clients can ask for: created once a request id, ended, forgotten.
 *
 * A job is ephemeral: it is known as long as a client holds a stream of it, and `graceMs` longer, or `silentGraceMs` where
 * the client fell silent.
 */
export class JobBook {
  readonly #turn: CoordinatorTurn;
  readonly #limits: CoordinatorLimits;
  readonly #jobs: Map<JobId, JobRecord> = new Map();
  readonly #byRequest: Map<string, JobRecord> = new Map();
  /** Jobs whose clients are gone. */
  readonly #alone: Vigil;
  /** Jobs whose last client fell silent. */
  readonly #silent: Vigil;
  /** Those that only wait to be asked for once more: they cost next to nothing, and count for themselves. */
  readonly #emptied: Set<JobRecord> = new Set();
  /** Why jobs that no client came back to were given up: for clients that come later still. The latest ones. */
  readonly #givenUp: Map<JobId, string> = new Map();
  #requestBytes = 0;
  #closed = false;

  constructor(turn: CoordinatorTurn, limits: CoordinatorLimits) {
    this.#turn = turn;
    this.#limits = limits;
    this.#alone = new Vigil(limits.graceMs);
    this.#silent = new Vigil(limits.silentGraceMs ?? limits.graceMs);
  }

  find(job: JobId): JobRecord | undefined {
    return this.#jobs.get(job);
  }

  /** All that are known, the oldest first. */
  all(): IterableIterator<JobRecord> {
    return this.#jobs.values();
  }

  get size(): number {
    return this.#jobs.size;
  }

  /** The job, or a refusal of the call that asked for it. */
  sought(call: CallId, job: JobId): JobRecord | undefined {
    const found = this.#jobs.get(job);
    if (found === undefined) {
      const reason = this.#givenUp.get(job);
      this.refuse(call, { code: 'JOB_NOT_FOUND', job, ...(reason === undefined ? {} : { reason }) });
    }
    return found;
  }

  refuse(call: CallId, refusal: Refusal): void {
    this.#turn.emit({ type: 'refuse', call, refusal });
  }

  create({ bytes = 0, call, fingerprint, job: id, requestId, spec }: JobRequested): void {
    const known = requestId === '' ? undefined : this.#byRequest.get(requestId);
    if (known !== undefined) {
      // Also while the coordinator stops: the answer to the first request may have been lost.
      if (known.fingerprint === fingerprint) this.#turn.emit({ type: 'answerCreate', call, job: known.id });
      else this.refuse(call, { code: 'JOB_EXISTS', requestId });
      return;
    }
    if (this.#closed) {
      this.refuse(call, { code: 'COORDINATOR_STOPPING' });
      return;
    }
    const { maxJobs, maxRequestBytes = Number.POSITIVE_INFINITY } = this.#limits;
    const jobs = this.#jobs.size - this.#emptied.size;
    if (jobs >= maxJobs) {
      this.refuse(call, { code: 'LIMIT_REACHED', limit: 'jobs', value: jobs + 1, most: maxJobs });
      return;
    }
    const value = this.#requestBytes + bytes;
    if (value > maxRequestBytes) {
      this.refuse(call, { code: 'LIMIT_REACHED', limit: 'requestBytes', value, most: maxRequestBytes });
      return;
    }
    this.#requestBytes = value;
    const record = new JobRecord(id, requestId, fingerprint, bytes);
    this.#jobs.set(id, record);
    if (requestId !== '') this.#byRequest.set(requestId, record);
    this.#alone.begin(record, this.#turn.nowMs);
    this.#turn.emit({ type: 'createJob', call, job: id });
    this.#turn.tellScheduler({ type: 'jobCreated', job: id, spec });
    this.#turn.emit({ type: 'answerCreate', call, job: id });
  }

  /** A client came to a job, or left it. */
  attendanceChanged(record: JobRecord): void {
    if (!record.isAlone) this.#endVigil(record);
    else if (!this.#alone.has(record) && !this.#silent.has(record))
      this.#alone.begin(record, this.#turn.nowMs);
    this.empty(record);
  }

  /** A job may be spent: then nothing is kept of it but its end, and of those jobs only the latest. */
  empty(record: JobRecord): void {
    if (record.isEmptied || !record.isSpent || !this.#jobs.has(record.id)) return;
    record.isEmptied = true;
    this.#requestBytes -= record.requestBytes;
    record.requestBytes = 0;
    this.#emptied.add(record);
    this.#turn.emit({ type: 'emptyJob', job: record.id });
    const { endedJobsMax = defaultEndedJobsMax } = this.#limits;
    // One that is still asked for stays, and must not keep those behind it.
    for (const oldest of this.#emptied) {
      if (this.#emptied.size <= endedJobsMax) return;
      if (oldest.isAlone) this.#forget(oldest);
    }
  }

  /** Whoever left with this connection did not leave: it fell silent, and may be back later than others. */
  connectionGivenUp(connection: ConnectionName): void {
    for (const record of [...this.#alone.records]) {
      if (record.leftOn !== connection) continue;
      this.#alone.end(record);
      this.#silent.begin(record, this.#turn.nowMs);
    }
  }

  cancelReceived({ call, job, reason }: CancelReceived): void {
    const record = this.sought(call, job);
    if (record === undefined) return;
    this.#cancel(record, reason);
    this.#turn.emit({ type: 'answer', call });
  }

  released({ job, reason }: JobReleased): void {
    const record = this.#jobs.get(job);
    if (record !== undefined) this.#release(record, reason);
  }

  /** Its bytes are lost or have no place: it ends, with an error that says so. */
  storageFailed({ job, reason }: StorageFailed): void {
    const record = this.#jobs.get(job);
    if (record === undefined || record.ending !== undefined) return;
    record.noRoom ??= reason;
    this.#cancel(record, reason);
  }

  /** No new jobs from now on. */
  close(): void {
    this.#closed = true;
  }

  /** Whether a client holds a stream of a job that runs. */
  get isAttended(): boolean {
    for (const record of this.#jobs.values()) {
      if (record.ending === undefined && !record.isAlone) return true;
    }
    return false;
  }

  cancelAll(reason: string): void {
    for (const record of this.#jobs.values()) this.#cancel(record, reason);
  }

  /** The scheduler is done with a job. */
  ended(record: JobRecord, { outcome, type: _, ...told }: EndJob): void {
    const { noRoom } = record;
    const ending: JobEnding = noRoom === undefined ? outcome : { state: 'noRoom', reason: noRoom };
    record.ending = ending;
    this.#turn.emit({ ...told, type: 'finishJob', ending });
  }

  /** Its clients were told: one that nobody can ask for again is dropped. */
  settled(record: JobRecord): void {
    if (record.released) this.#forget(record);
  }

  /** When time alone changes something. */
  nextDeadlineMs(): number | undefined {
    const times = [this.#alone.dueMs(), this.#silent.dueMs()].filter((atMs) => atMs !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Nobody is judged for the time that the coordinator itself stood still. */
  credit(stalledMs: number): void {
    this.#alone.credit(stalledMs);
    this.#silent.credit(stalledMs);
  }

  /** Jobs that no client has come back to end, and are forgotten. */
  tick(): void {
    for (const vigil of [this.#alone, this.#silent]) {
      const reason = `no client was connected to it for ${vigil.graceMs / 1000} s`;
      for (let record = vigil.takeDue(this.#turn.nowMs); record; record = vigil.takeDue(this.#turn.nowMs)) {
        this.#remember(record.id, reason);
        this.#release(record, reason);
      }
    }
  }

  #endVigil(record: JobRecord): void {
    this.#alone.end(record);
    this.#silent.end(record);
  }

  #remember(job: JobId, reason: string): void {
    this.#givenUp.set(job, reason);
    if (this.#givenUp.size <= givenUpMax) return;
    for (const oldest of this.#givenUp.keys()) {
      this.#givenUp.delete(oldest);
      return;
    }
  }

  #cancel({ ending, id }: JobRecord, reason: string): void {
    if (ending === undefined) this.#turn.tellScheduler({ type: 'cancelRequested', job: id, reason });
  }

  /** Nobody will ask for it again: it ends, and is forgotten at its end. */
  #release(record: JobRecord, reason: string): void {
    this.#endVigil(record);
    record.released = true;
    if (record.ending === undefined) this.#cancel(record, reason);
    else this.#forget(record);
  }

  #forget(record: JobRecord): void {
    if (!this.#jobs.delete(record.id)) return;
    this.#requestBytes -= record.requestBytes;
    this.#emptied.delete(record);
    this.#endVigil(record);
    if (this.#byRequest.get(record.requestId) === record) this.#byRequest.delete(record.requestId);
    this.#turn.emit({ type: 'forgetJob', job: record.id });
  }
}
